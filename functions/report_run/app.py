"""A run of the pipeline failed or was stopped: mail the approvers why, once."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import announcements, uploads
from signalbox.observability import logger, metrics
from signalbox.settings import ReportRun
from signalbox.uploads import reporting

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts import RunFailure, RunReport


@cache
def _ports() -> reporting.ReportingPorts:
    settings = ReportRun.read()
    return uploads.reporting_ports(settings, partial(_announce, announcements.post(settings)))


def _announce(post: announcements.Post, failure: "RunFailure") -> None:
    """Mail a failure as the announcement that it is."""
    detail = {name: failure[name] for name in ("status", "step", "other_steps", "reason", "run", "uploads")}
    about = {"kind": "run-failed", "model": failure["model"], "execution_arn": failure["execution_arn"]}
    announcements.announce(post, {**about, "detail": detail, "error": {"Cause": failure["cause"]}})


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "RunReport":  # noqa: ARG001  # Lambda's signature
    """Return what was done about one event."""
    return reporting.report(event, _ports())
