"""Builds what is pushed, hands on what a build has published, and mails why a build failed."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import pushes
from signalbox.observability import logger, metrics
from signalbox.pushes import building, handling
from signalbox.settings import OnCodePush

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.batch import BatchResponse
    from signalbox.contracts.endings import BuildFailure, Mailed


@cache
def _ports() -> building.PushPorts:
    settings = OnCodePush.read()

    def notify(failure: "BuildFailure") -> "Mailed":
        from signalbox import notifications  # noqa: PLC0415  # mails are rare, and what makes them takes time to load
        from signalbox.notifications import notifying  # noqa: PLC0415  # the same

        return notifying.notify_build_failed(failure, notifications.notifying_ports(settings))

    return pushes.push_ports(settings, notify)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "BatchResponse":  # noqa: ARG001  # Lambda passes it
    """Handle a batch of messages of the queue; return Lambda's partial batch response."""
    return handling.handle(event, _ports())
