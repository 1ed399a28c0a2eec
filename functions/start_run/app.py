"""Starts the pipeline's next run when one is due, closes the run that is over, and mails why a run cannot start."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import notifications, uploads
from signalbox.notifications import notifying
from signalbox.observability import logger, metrics
from signalbox.settings import StartRun
from signalbox.uploads import starting

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.batch import BatchResponse


@cache
def _ports() -> starting.StartingPorts:
    settings = StartRun.read()
    notify = partial(notifying.notify_run_refused, ports=notifications.notifying_ports(settings))
    return uploads.starting_ports(settings, notify)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "BatchResponse":  # noqa: ARG001  # Lambda passes it
    """Handle a batch of messages of the queue; return Lambda's partial batch response."""
    return starting.start(event, _ports())
