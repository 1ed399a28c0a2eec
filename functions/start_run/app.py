"""Starts the pipeline's next run when one is due, closes the run that is over, and mails why a run cannot start."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import uploads
from signalbox.observability import logger, metrics
from signalbox.settings import StartRun
from signalbox.uploads import starting

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.batch import BatchResponse
    from signalbox.contracts.endings import Mailed, RunRefusal, SetProblem
    from signalbox.uploads.notices import NotifySet
    from signalbox.uploads.refusals import NotifyRefusal


@cache
def _ports() -> starting.StartingPorts:
    settings = StartRun.read()
    return uploads.starting_ports(settings, _notify(settings), _notify_set(settings))


def _notify(settings: StartRun) -> "NotifyRefusal":
    def notify(refusal: "RunRefusal") -> "Mailed":
        from signalbox import notifications  # noqa: PLC0415  # mails are rare, and what makes them takes time to load
        from signalbox.notifications import notifying  # noqa: PLC0415  # the same

        return notifying.notify_run_refused(refusal, notifications.notifying_ports(settings))

    return notify


def _notify_set(settings: StartRun) -> "NotifySet":
    def notify(problem: "SetProblem") -> "Mailed":
        from signalbox import notifications  # noqa: PLC0415  # mails are rare, and what makes them takes time to load
        from signalbox.notifications import notifying  # noqa: PLC0415  # the same

        return notifying.notify_set(problem, notifications.notifying_ports(settings))

    return notify


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "BatchResponse":
    """Handle a batch of messages of the queue; return Lambda's partial batch response."""
    return starting.start(event, _ports()._replace(left=context.get_remaining_time_in_millis))
