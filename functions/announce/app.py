"""Tell the approvers by mail how a run ended."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import notifications
from signalbox.observability import logger, metrics
from signalbox.settings import Announce

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> notifications.Post:
    settings = Announce.read()
    return notifications.post(settings, settings.api_url)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, int]:  # noqa: ARG001  # Lambda's signature
    """Mail every approver."""
    return notifications.announce(_dependencies(), event)
