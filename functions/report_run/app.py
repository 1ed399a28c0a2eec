"""A run of the pipeline failed or was stopped: mail the approvers why, once."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import notifications, uploads
from signalbox.notifications import notifying
from signalbox.observability import logger, metrics
from signalbox.settings import ReportRun
from signalbox.uploads import reporting

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.endings import RunReport


@cache
def _ports() -> reporting.ReportingPorts:
    settings = ReportRun.read()
    notify = partial(notifying.notify_run_failed, ports=notifications.notifying_ports(settings))
    return uploads.reporting_ports(settings, notify)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "RunReport":  # noqa: ARG001  # Lambda's signature
    """Return what was done about one event."""
    return reporting.report(event, _ports())
