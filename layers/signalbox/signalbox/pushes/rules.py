"""The rules of the journey of a push that need nothing from outside."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from signalbox import moments, names
from signalbox.pushes.model import STARTING, SUCCEEDED, Automation, Branch, Build, Move

RUN_AGAIN = "repeat-requested"  # the kind of message that asks `start_run` to run what a push changed

CLOCKS_DIFFER = timedelta(minutes=1)  # ours and CodeBuild's, at most

# remove: the branch is gone. start: its newest commit has no build. nothing: it has one, or had.
type Step = Literal["remove", "start", "nothing", "not-built"]


def next_step(automation: Automation, branch: str, head: str | None, last: Branch | None) -> Step:
    """Return what is due for a branch without a build that goes on: `head` is its newest commit, `last` the built one.

    Whatever an event says, the repository's present head decides. So a push that is told late, twice, or after a newer
    one changes nothing, and neither does one whose commit was forced away meanwhile.
    """
    if head is None:
        # Whoever deletes the main branch wants no model off the stages.
        return "nothing" if branch == automation.main else "remove"
    if automation.build_of(branch) is None:
        return "not-built"
    return "nothing" if last is not None and last.commit == head else "start"


def newest_move(moves: Sequence[Move]) -> Move:
    """Return the move that led to where a branch is now; `moves` are those that are known, in the order of telling.

    The moves of a branch are a walk: each begins where the one before it has ended. A walk comes to every commit on its
    way as often as it leaves it, and to its end once more. So the end is known whatever the order of telling is, and a
    late or forced push needs no rule of its own:

    told, in this order         the branch is at   because
    A→B                         B                  nothing more is known
    A→B, B→C                    C                  B was left
    B→C, A→B                    C                  the same, told late
    A→B, C→D, B→C               D                  B and C were left
    A→B, B→C, C→A               A                  the latest: a closed walk has no end, so the time decides
    A→B, C→D                    the latest         B→C is not told yet, or was lost: the time decides
    A→B, B→C, A→B again         C                  nobody came back to A, so the first was told twice
    A→B, B→(deleted)            deleted            B was left
    B→(deleted), A→B            deleted            the same, told late

    The time is that of the push where the provider says it, else that of the telling.
    """
    numbered = list(enumerate(moves))
    visits = _visits(moves)
    for number, move in reversed(numbered):
        # Told again under another name, where a provider's next try has a new one: it cannot have been made twice.
        again = any((one.before, one.after) == (move.before, move.after) for _, one in numbered if one is not move)
        if (
            again
            and sum(one for one in visits.values() if one > 0) > 1
            and visits[move.before] < 0 < visits[move.after]
        ):
            numbered.remove((number, move))
            visits = _visits([one for _, one in numbered])
    ends = [(move.at, number) for number, move in numbered if visits[move.after] > 0]
    return moves[max(ends or [(move.at, number) for number, move in numbered])[1]]


def _visits(moves: Sequence[Move]) -> Counter[str]:
    """Return how much oftener moves come to each commit than they leave it."""
    visits: Counter[str] = Counter()
    visits.update(move.after for move in moves)
    visits.subtract(move.before for move in moves)
    return visits


def next_build(project: str, branch: str, head: str, last: Branch | None, by: str, now: datetime) -> Branch:
    """Return a branch whose newest commit is about to be built, as the one after its `last` build."""
    number, who = (last.number + 1, by or last.next_by) if last is not None else (1, by)
    return Branch(project, branch, head, STARTING, number, moments.text_of(now), who)


def build_token(automation: Automation, branch: Branch) -> str:
    """Return StartBuild's idempotency token: the same repository, branch and commit, the same build.

    The number, and the moment at which it was written down, tell apart what a force push brings back to a commit that
    was built a moment ago, also where the branch was deleted in between.
    """
    return names.token("build", automation.repository, branch.name, branch.commit, str(branch.number), branch.at)


def is_of(branch: Branch, build: Build) -> bool:
    """Say whether a build is the one that a start which was cut off has begun."""
    began = moments.moment_of(branch.at) - CLOCKS_DIFFER
    return (build.branch, build.commit) == (branch.name, branch.commit) and build.started_at >= began


def adopted(last: Branch, build: Build) -> bool:
    """Say whether a build that we did not start stands for the branch now: a later one of the same commit.

    People start one again in CodeBuild, once it is over. A build of another commit is not the branch's any more, nor is
    one from before the branch came back to its commit, whose end is told late or once more.
    """
    later = build.started_at > moments.moment_of(last.at)
    return not last.open and build.commit == last.commit and build.id != last.build and later


def failed(branch: Branch) -> bool:
    """Say whether a branch's last build ended badly."""
    return not branch.open and branch.status != SUCCEEDED


def told_too(address: str, approvers: Sequence[str]) -> str:
    """Return the address of who pushed, if they may be mailed; else "".

    A commit names any address that its author likes, and the mail has lines of a log. So only an address of the domain
    of one of the approvers is mailed.
    """
    known = {one.rpartition("@")[2].lower() for one in approvers}
    match = re.fullmatch(r"[^\s,;<>\"@]+@([^\s,;<>\"@]+)", address)
    return address if match and match[1].lower() in known else ""
