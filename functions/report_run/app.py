"""A run of the pipeline failed or was stopped: mail the approvers why, once."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import notifications, uploads
from signalbox.notifications import notifying
from signalbox.observability import logger, metrics
from signalbox.settings import ReportRun

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts import Mailed


@cache
def _dependencies() -> uploads.Reporter:
    settings = ReportRun.read()
    return uploads.reporter(settings, partial(_notify, notifications.notifying_ports(settings)))


def _notify(ports: notifying.NotifyingPorts, told: dict[str, Any]) -> "Mailed":
    """Mail what the journey of uploads tells of a run."""
    failure: Any = {name: told[name] for name in ("model", "execution_arn")}
    return notifying.notify_run_failed(failure | told["detail"] | {"cause": told["error"]["Cause"]}, ports)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Return what was done about one event."""
    return _dependencies().report(event)
