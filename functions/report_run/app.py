"""A run of the pipeline failed or was stopped: mail the approvers why, once."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import notifications, uploads
from signalbox.observability import logger, metrics
from signalbox.settings import ReportRun

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> uploads.Reporter:
    settings = ReportRun.read()
    return uploads.reporter(settings, partial(notifications.announce, notifications.post(settings)))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Return what was done about one event."""
    return _dependencies().report(event)
