"""Which mail belongs to an ending. Nothing else decides that."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from signalbox.notifications import failures
from signalbox.notifications.model import Kind, NotificationError

if TYPE_CHECKING:
    from signalbox.contracts.endings import Ending
    from signalbox.contracts.releases import ReleaseVerdict
    from signalbox.contracts.reviews import DecisionWord

_BY_VERDICT: "Mapping[ReleaseVerdict, Kind]" = {
    "released": "released",
    "rolled-back": "rolled-back",
    "torn-down": "torn-down",
    "nothing-to-do": "nothing-to-do",
    "superseded": "superseded",
    "withdrawn": "withdrawn",
    "declined": "rejected",
    "expired": "expired",
    "failed": "failed",
}
_BY_DECISION: "Mapping[DecisionWord, Kind]" = {"rejected": "rejected", "expired": "expired"}
# An error that is none: a waiting task is failed with this name where its review was rejected.
_REJECTION = "ReviewRejected"


def kind_of(ending: "Ending") -> Kind:
    """Return the kind of mail that belongs to an ending; a failure is told before all else.

    Raises:
        NotificationError: nothing has ended, or in a way that has no mail.
    """
    error, release, decision = ending["error"], ending["release"], ending["decision"]
    if error is not None:
        return "rejected" if error["Error"] == _REJECTION else "failed"
    if release is not None:
        return _known(_BY_VERDICT, "a release's verdict", release["verdict"])
    if decision is not None:
        return _known(_BY_DECISION, "a review's decision", decision["decision"])
    raise NotificationError("nothing has ended: give a decision, an error or a release")


def mailed_before(ending: "Ending") -> bool:
    """Say whether an execution inside the one that ended has mailed this failure itself."""
    error = ending["error"]
    return error is not None and ending["release"] is None and failures.mailed_before(error.get("Cause") or "")


def _known[Word: str](table: Mapping[Word, Kind], what: str, word: Word) -> Kind:
    if word not in table:
        raise NotificationError(f"{what} is {word!r}: one that ends something is {', '.join(table)}")
    return table[word]
