"""An execution of a state machine was stopped, or ran out of time: mail the approvers, once."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import moments, notifications, releases, uploads
from signalbox.notifications import stopping
from signalbox.observability import logger, metrics
from signalbox.settings import ReportExecution

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.endings import RunReport


@cache
def _ports() -> stopping.StoppingPorts:
    settings = ReportExecution.read()
    log = uploads.notification_log(settings.releases_table)
    last_action = releases.store(settings.releases_table).last_action
    return stopping.StoppingPorts(log, last_action, notifications.notifying_ports(settings), moments.now)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "RunReport":  # noqa: ARG001  # Lambda's signature
    """Return what was done about one event."""
    return stopping.report(event, _ports())
