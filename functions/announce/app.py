"""Tell the approvers by mail how an execution ended."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import notifications
from signalbox.notifications import notifying
from signalbox.observability import logger, metrics
from signalbox.settings import Announce

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.endings import Ending, Mailed


@cache
def _ports() -> notifying.NotifyingPorts:
    settings = Announce.read()
    return notifications.notifying_ports(settings, settings.api_url)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "Ending", context: "LambdaContext") -> "Mailed":  # noqa: ARG001  # Lambda's signature
    """Mail every approver."""
    return notifying.notify_ending(event, _ports())
