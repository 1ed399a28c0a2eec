"""What to say about a failure: what it says itself, how it left the stage, and what to do next."""

from typing import TYPE_CHECKING

from signalbox.notifications import commands
from signalbox.notifications.failures import Explanation
from signalbox.notifications.model import Notification
from signalbox.notifications.release_texts import before
from signalbox.notifications.view import EndingView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox.contracts.releases import Rollback, RollbackResult

_UNCERTAIN = "The stage could not be rolled back with certainty: look at its endpoint now."
# How a failed release left its stage, and whether the planner's reason says more than that.
_ROLLBACKS: "Mapping[RollbackResult, tuple[str, bool]]" = {
    "untouched": ("Nothing had been changed.", False),
    "restored": ("The stage serves what it served before.", False),
    "removed": ("The half-made endpoint was removed: the stage has none, as before.", False),
    "unrecorded": (
        "The stage serves the new package as it should. That is not recorded: start the release again to record it.",
        True,
    ),
    "overtaken": ("Another release has moved the stage meanwhile, so this one has left it alone.", True),
    "left": ("The stage was left as it is, and needs a person.", True),
    "unfinished": (f"{_UNCERTAIN} The endpoint did not come to rest in time.", True),
    "unverified": (f"{_UNCERTAIN} It has its previous config, but does not answer as it should.", True),
    "unknown": (_UNCERTAIN, True),
}


def _lead(view: EndingView) -> str:
    if view.failure.job:
        return f"The job {view.failure.job} failed:"
    return "A step of its release failed:" if view.stage else "A step failed:"


def failed(view: EndingView) -> Notification:
    """Tell what failed and what it says, how the stage was left, what went well before, and where to look."""
    failure = view.failure
    return Notification(
        lamp="bad",
        title=_title(view),
        lead=_lead(view),
        quote=failure.text or view.error or "The machine gave no reason.",
        lines=tuple(line for line in (*_left(view), *before(view), failure.exit_code, _advice(failure)) if line),
        commands=commands.to_release(view, "To start it again, once that is corrected:") if view.stage else (),
        facts=view.facts(("Error", view.error), ("Job", failure.job), ("Log group", failure.log_group)),
        job=failure.job,
        log_group=failure.log_group,
    )


def _title(view: EndingView) -> str:
    if view.rollback and view.rollback["result"] == "unrecorded":
        return f"{view.name} serves in {view.stage or 'its stage'}, but could not be recorded"
    return f"{view.name} has failed" + (f" in {view.stage}" if view.stage else "")


def _left(view: EndingView) -> tuple[str, ...]:
    """Say how a failed release left its stage; a release that stopped at a stage and does not say is uncertain."""
    if view.rollback is None:
        return (_UNCERTAIN,) if view.stage else ()
    return (rollback_sentence(view.rollback),)


def rollback_sentence(rollback: "Rollback") -> str:
    """Return how a failed release left its stage, with the reason where the result alone does not say why."""
    said, has_reason = _ROLLBACKS.get(rollback["result"], (_UNCERTAIN, True))
    reason = rollback["reason"].strip()
    return f"{said} The reason: {reason.rstrip('.')}." if has_reason and reason else said


def _advice(failure: Explanation) -> str:
    if failure.job:
        return (
            "Read the job's log (its streams begin with the job's name), correct the data, the parameters or the "
            "container, and start a new execution."
        )
    return "Open the execution to see the step and what it was given, correct the cause, and start a new execution."
