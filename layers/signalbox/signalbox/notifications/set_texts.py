"""What to say about a set of uploads that cannot be used, or whose files have not all come."""

from typing import TYPE_CHECKING

from signalbox import words
from signalbox.notifications.model import Notification

if TYPE_CHECKING:
    from signalbox.contracts.endings import SetProblem

_REFUSED = (
    "Correct it and upload it again, under the same key: the newer version takes its place.",
    "Nothing is lost: its files wait until a set names them. Other sets go on meanwhile.",
)
_WITHOUT = (
    "The rest of the set is run without them: the run's description names what is missing.",
    "To run them, too, upload the whole set again, its files and what names them: each upload is in one run.",
)
_NOTHING = (
    "So there is nothing to run.",
    "Upload the files, and then what names them once more.",
)
_EMPTY = "A file without a byte does not count as one that came."


def problem_with(found: "SetProblem") -> Notification:
    """Tell what is wrong with a set, who sent it, and what to do; of files that have not come, which."""
    refused = bool(found["refused"])
    return Notification(
        lamp="bad",
        title=f"{found['project']}: a set of uploads " + ("cannot be used" if refused else "is not complete"),
        lead="What names the files of the set is refused:" if refused else _lead(found),
        quote=found["refused"] or _missing(found),
        lines=_REFUSED if refused else (*_next(found), _EMPTY),
        commands=(("To see what became of it:", f"signalbox uploads {found['manifest']}"),),
        facts=tuple((label, value) for label, value in _facts(found) if value),
    )


def _lead(found: "SetProblem") -> str:
    """Return how many of a set's files are missing."""
    if found["missing"] == found["files"]:
        return "None of the set's files came within the longest wait. Missing are:"
    return f"Of the set's {found['files']:,} files, {found['missing']:,} did not come within the longest wait:"


def _next(found: "SetProblem") -> tuple[str, ...]:
    return _NOTHING if found["missing"] == found["files"] else _WITHOUT


def _missing(found: "SetProblem") -> str:
    more = found["missing"] - len(found["first_missing"])
    return "\n".join([*found["first_missing"], *([f"and {more:,} more"] if more else [])])


def _facts(found: "SetProblem") -> tuple[tuple[str, str], ...]:
    return (
        ("Project", found["project"]),
        ("Pipeline", found["pipeline"]),
        ("Set", found["manifest"]),
        ("Sent by", found["by"]),
        ("Recorded", words.when(found["since"])),
    )
