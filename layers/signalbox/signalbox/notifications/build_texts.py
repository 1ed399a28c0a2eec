"""What to say about a build of a pushed commit that did not end well.

Branches, log lines and reasons are words of strangers: whoever may push to a branch writes them, and approvers read
them.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from signalbox import plain, words
from signalbox.notifications.failures import TEXT_LIMIT
from signalbox.notifications.model import Fact, Notification

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox.contracts.endings import BuildFailure, BuildStatus

PUSHER = "you pushed this commit"
# What a person reads at a glance, and a mail has room for.
LINES, WIDTH = 30, 300
_NAME_IN_TITLE, _NAME, _COMMIT_IN_TITLE = 60, 300, 16
_ADDRESS = r"https://[^\s<>\"']{1,2000}"
# What a phase does, as what has failed (CodeBuild User Guide, "Build phase transitions").
_PHASES: "Mapping[str, str]" = {
    "SUBMITTED": "the build could not be started",
    "QUEUED": "no machine was free for the build in time",
    "PROVISIONING": "the machine for the build could not be made ready",
    "DOWNLOAD_SOURCE": "the source or its buildspec could not be read",
    "INSTALL": "what the build needs could not be installed",
    "PRE_BUILD": "a command before the build's own has failed",
    "BUILD": "a command of the build has failed",
    "POST_BUILD": "a command behind the build's own has failed",
    "UPLOAD_ARTIFACTS": "what the build has made could not be uploaded",
    "FINALIZING": "the build could not be brought to its end",
}


# Of a build that nothing in its commit has ended.
_AGAIN = (("To start the next build without a change:", "git commit --allow-empty -m 'Build again' && git push"),)


class _Ended(NamedTuple):
    """How a build ended, as the end of a title and as a sentence, "" where its phase says it; `then` is what to do."""

    title: str
    lead: str = ""
    then: str = "Push a commit that mends it: that starts the next build."
    commands: tuple[tuple[str, str], ...] = ()


_FAILED = _Ended("failed")
_ENDED: "Mapping[BuildStatus, _Ended]" = {
    "FAULT": _Ended("failed", "CodeBuild had a fault of its own", "The next push starts the next build.", _AGAIN),
    "TIMED_OUT": _Ended("ran out of time", "the build took longer than it may"),
    "STOPPED": _Ended("was stopped", "somebody has stopped the build", "The next push starts the next build.", _AGAIN),
}


def build_failed(build: "BuildFailure") -> Notification:
    """Tell what failed, how the log ends, that nothing of what is live has changed, and what to do."""
    ended = _ENDED.get(build["status"], _FAILED)
    return Notification(
        lamp="quiet" if build["status"] == "STOPPED" else "bad",
        title=f"{build['project']}: the build{_of(build)} {ended.title}",
        lead=_lead(build, ended),
        quote=_told(build["reason"], TEXT_LIMIT) or "CodeBuild gave no reason.",
        log=tuple(map(plain.unlinked, plain.tail(build["lines"], LINES, WIDTH))),
        lines=("What is live is unchanged.", f"{_look(build)}{ended.then}"),
        commands=ended.commands,
        facts=_facts(build),
        places=(("The log of the build", build["url"]),) if _has_address(build) else (),
    )


def _of(build: "BuildFailure") -> str:
    """Return the branch and the commit, as far as they are known, short enough for a title."""
    branch, commit = _told(build["branch"], _NAME_IN_TITLE), _told(build["commit"], _NAME)
    of = f" of {branch}" if branch else ""
    return f"{of} at {plain.cut(words.short_commit(commit), _COMMIT_IN_TITLE)}" if commit else of


def _lead(build: "BuildFailure", ended: _Ended) -> str:
    """Return what failed as a sentence before CodeBuild's own words; where it ended otherwise, in which phase."""
    phase = _told(build["phase"], _NAME)
    what = ended.lead or _PHASES.get(phase, f"the phase {phase} has failed" if phase else "the build has failed")
    where = f", in the phase {phase}" if ended.lead and phase else ""
    return f"{what[:1].upper()}{what[1:]}{where}:"


def _look(build: "BuildFailure") -> str:
    return "Read its log. " if _has_address(build) else "Read its log, in CodeBuild under the build's id. "


def _has_address(build: "BuildFailure") -> bool:
    return re.fullmatch(_ADDRESS, build["url"]) is not None


def _facts(build: "BuildFailure") -> tuple[Fact, ...]:
    found: tuple[Fact, ...] = (
        ("Project", build["project"]),
        ("Branch", _told(build["branch"], _NAME)),
        ("Commit", words.commit(_told(build["commit"], _NAME))),
        ("Pushed by", _told(build["by"], _NAME)),
        ("Build", _told(build["build"], _NAME)),
        ("Ended as", build["status"]),
        ("Phase", _told(build["phase"], _NAME)),
    )
    return tuple((label, value) for label, value in found if value)


def _told(text: str, most: int) -> str:
    """Return a stranger's text as it can be shown: without what is not to be seen, short, and with no link in it."""
    return plain.unlinked(plain.cut(plain.lines(text).strip(), most))
