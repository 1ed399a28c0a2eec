"""What to say about an execution that was stopped by hand, or ran out of time."""

import shlex

from signalbox import words
from signalbox.events import MachineStopped
from signalbox.notifications import commands
from signalbox.notifications.model import Notification

_HALF_WAY = (
    "It was ended between two steps, so what it was doing stays as it is: a stage may be half-way to a new package. "
    "The command signalbox status shows what each endpoint serves."
)


def stopped(change: MachineStopped, last_action: str) -> Notification:
    """Tell what was ended, at which step, and how it goes on."""
    by_hand = change.status == "ABORTED"
    version = f" {words.package_label(change.package)}" if change.model and change.package else ""
    name = f"{words.model_name(change.model or change.package or change.image)}{version}"
    what = "release" if change.trigger else "training and review"
    how = "was stopped" if by_hand else "ran out of time"
    return Notification(
        lamp="bad",
        title=f"{name}: its {what} {how}",
        lead=_lead(by_hand=by_hand, words=bool(change.cause)),
        quote=change.cause,
        lines=(_HALF_WAY,),
        commands=_go_on(change),
        facts=_facts(change, last_action),
    )


def _lead(*, by_hand: bool, words: bool) -> str:
    if not by_hand:
        return "Its state machine ended it after the longest time that it may take."
    said = ", with these words:" if words else ", without saying why."
    return f"Somebody has stopped it before its end{said} The event StopExecution in CloudTrail says who."


def _go_on(change: MachineStopped) -> commands.Commands:
    """Return what starts it again with the same input; none where the event did not bring the input."""
    if not change.input:
        return ()
    command = f"aws stepfunctions start-execution --state-machine-arn {shlex.quote(change.machine_arn)}"
    again = commands.in_its_region(change.machine_arn, f"{command} --input {shlex.quote(change.input)}")
    return (("To go on, start it again. It looks at everything anew, and does what is still missing:", again),)


def _facts(change: MachineStopped, last_action: str) -> tuple[tuple[str, str], ...]:
    found = (
        ("Model", change.model),
        ("Package", words.package_name(change.package)),
        ("Status", change.status),
        ("Last action", last_action),
        ("Error", change.error),
    )
    return tuple((label, value) for label, value in found if value)
