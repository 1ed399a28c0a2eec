"""What to say about each kind of ending: one function for each, and a table of them."""

from collections.abc import Callable, Mapping
from copy import replace

from signalbox import words
from signalbox.notifications import changes, commands, failed_texts, release_texts
from signalbox.notifications.commands import Commands
from signalbox.notifications.failures import TEXT_LIMIT
from signalbox.notifications.model import Kind, Notification
from signalbox.notifications.view import EndingView


def compose(kind: Kind, view: EndingView) -> Notification:
    """Return what to say about an ending of this kind."""
    found = _TEXTS[kind](view)
    return replace(found, lines=(*found.lines, *_removed(view)))


def _removed(view: EndingView) -> tuple[str, ...]:
    """Say which stages are gone, to which somebody may have let the package in a moment before."""
    if not view.removed:
        return ()
    are = "is" if len(view.removed) == 1 else "are"
    stages = words.listed(list(view.removed))
    return (f"{stages} {are} no longer in the stages document, so nothing is released there, whatever was decided.",)


def _rejected(view: EndingView) -> Notification:
    by = view.by or "somebody, in the model registry"
    on = f" on {words.when(view.at)}" if view.at else ""
    declined = f"was rejected for {view.stage}" if view.stage else "was rejected"
    return Notification(
        lamp="bad",
        title=f"{view.name} {changes.became(view) if changes.no_longer_approved(view) else declined}",
        lead=f"Rejected by {by}{on}. {_consequence(view)}",
        quote=view.reason[:TEXT_LIMIT],
        quote_style="words",
        lines=(*_registry(view), *release_texts.before(view)),
        commands=_second_thoughts(view),
        facts=view.facts(),
    )


def _expired(view: EndingView) -> Notification:
    where = f" for {view.stage}" if view.stage else ""
    return Notification(
        lamp="bad",
        title=f"{view.name}: nobody decided{where} in time",
        lead=f"The review has expired unanswered, and that counts as rejected. {_consequence(view)}",
        lines=(*_registry(view), *release_texts.before(view)),
        commands=_second_thoughts(view),
        facts=view.facts(),
    )


def _consequence(view: EndingView) -> str:
    return release_texts.unchanged(view) if view.release else "It will not be released."


def _registry(view: EndingView) -> tuple[str, ...]:
    """Say who took the approval of a package whose stage was asked about; nothing where it stays approved."""
    return (changes.rejected_by(view),) if changes.no_longer_approved(view) else ()


def _second_thoughts(view: EndingView) -> Commands:
    """Return the way back from a decision: of a stage, or of the package."""
    if changes.no_longer_approved(view):
        return commands.to_bring_back(view)
    if view.release:
        back = f"Put {view.stage} back into the stages document, and start" if view.stage in view.removed else "Start"
        return commands.to_release(
            view, f"The package stays approved. {back} the release machine with it to be asked again:"
        )
    return commands.to_approve(view, "To release it after all, approve the package in the model registry:")


_TEXTS: Mapping[Kind, Callable[[EndingView], Notification]] = {
    "released": release_texts.released,
    "rolled-back": release_texts.rolled_back,
    "torn-down": release_texts.torn_down,
    "nothing-to-do": release_texts.nothing_to_do,
    "superseded": release_texts.superseded,
    "withdrawn": release_texts.withdrawn,
    "rejected": _rejected,
    "expired": _expired,
    "failed": failed_texts.failed,
}
