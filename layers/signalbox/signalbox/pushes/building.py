"""Each branch is built at its newest commit: one build at a time, one for each commit."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from signalbox.aws.errors import CallRefusedError
from signalbox.batch import DeadLetterQueue
from signalbox.observability import count, logger
from signalbox.pushes import rules
from signalbox.pushes.model import (
    BUILDING,
    STARTING,
    SUCCEEDED,
    Automation,
    Branch,
    Build,
    HeadUntoldError,
    RepositoryUnknownError,
)
from signalbox.pushes.ports import BranchStore, Builds, Experiments, Repositories, ToldHeads
from signalbox.pushes.publishing import PublishingPorts

if TYPE_CHECKING:
    from signalbox.contracts.endings import BuildFailure, BuildStatus

type Fits = Callable[[Automation], bool]
# A build that is gone from CodeBuild (it keeps them for a year), or whose project was removed.
GONE = "GONE"


class PushPorts(NamedTuple):
    """What the journey of a push needs from outside, for the stack whose names begin with `prefix`.

    `approvers_of` returns whom a project's mails go to, and whether they are its own; `notify` mails a failed build.
    """

    prefix: str
    automations: Callable[[], Sequence[Automation]]
    repositories: Repositories
    heads: ToldHeads
    builds: Builds
    branches: BranchStore
    experiments: Experiments
    publishing: PublishingPorts
    dead_letters: DeadLetterQueue
    approvers_of: Callable[[str], tuple[Sequence[str], bool]]
    notify: "Callable[[BuildFailure], object]"
    clock: Callable[[], datetime]


class Subject(NamedTuple):
    """The branch that a message is about: `by` pushed, "" where nobody did; `ended` is a build of it that changed."""

    automation: Automation
    name: str
    by: str = ""
    ended: Build | None = None


def look(subject: Subject, ports: PushPorts) -> None:
    """Do what is due for a branch: close the build that is over, then build its newest commit, or remove it.

    A branch goes STARTING → BUILDING → how the build ended. Death between any two calls leaves one of these states, and
    the next message goes on from there: the token of the branch's commit finds a build that was started a moment ago,
    and the list of builds one that was started before.

    Raises:
        BranchConflictError: somebody else is at work on it.
        MailError: nobody could be told of a failed build.
        ServiceBusyError, CallRefusedError: AWS did not take a call.
    """
    automation, name, by, ended = subject
    last = ports.branches.find(automation.project, name)
    if last is not None:
        last = _settled(automation, last, by, ports, ended)
        if last.open:
            return
        last = _told(automation, last, ports)
    try:
        head = _head(automation, name, ports)
    except (RepositoryUnknownError, HeadUntoldError) as error:
        logger.warning("head unknown", extra={"repository": automation.repository, "reason": str(error)})
        return
    step = rules.next_step(automation, name, head, last)
    about = {"project": automation.project, "branch": name, "commit": head, "step": step}
    logger.info("branch looked at", extra=about)
    if step == "start" and head is not None:
        # Written down before, so that nobody else starts another one.
        new = ports.branches.put(rules.next_build(automation.project, name, head, last, by, ports.clock()), last)
        _started(new, ports.builds.start(automation, new), ports)
    elif step == "remove":
        _remove(automation, name, last, ports)


def _head(automation: Automation, name: str, ports: PushPorts) -> str | None:
    """Return a branch's newest commit, None where there is no such branch: as its repository says, or its webhooks."""
    if automation.hooked:
        return ports.heads.newest(automation, name).after or None
    return ports.repositories.head(automation.repository, name)


def _settled(automation: Automation, last: Branch, by: str, ports: PushPorts, ended: Build | None) -> Branch:
    """Return the branch as its build stands: one whose start was cut off is found again, one that is over is closed."""
    if ended is not None and rules.adopted(last, ended):
        last = ports.branches.put(last._replace(build=ended.id, status=BUILDING), last)
    if last.status == STARTING:
        found = (each.id for each in ports.builds.newest(automation, last) if rules.is_of(last, each))
        last = _started(last, next(found, "") or ports.builds.start(automation, last), ports)
    if last.status != BUILDING:
        return last
    build = ended if ended is not None and ended.id == last.build else ports.builds.look(last.build)
    status = build.status if build is not None else GONE
    if status is None:  # its end looks again, and finds the newer commit
        return ports.branches.put(last._replace(next_by=by), last) if by and by != last.next_by else last
    logger.info("build ended", extra={"build": last.build, "status": status})
    count("BuildSucceeded" if status == SUCCEEDED else "BuildFailed")
    return ports.branches.put(last._replace(status=status), last)


def _started(branch: Branch, build: str, ports: PushPorts) -> Branch:
    logger.info("build started", extra={"build": build, "branch": branch.name, "commit": branch.commit})
    count("BuildStarted")
    return ports.branches.put(branch._replace(status=BUILDING, build=build), branch)


def _remove(automation: Automation, name: str, last: Branch | None, ports: PushPorts) -> None:
    """Delete what a branch has made; a repetition finds nothing left."""
    removed = ports.experiments.remove(automation.project, name)
    logger.info("branch removed", extra={"project": automation.project, "branch": name, "removed": list(removed)})
    count("BranchRemoved")
    if last is not None:
        ports.branches.remove(last)


def _told(automation: Automation, last: Branch, ports: PushPorts) -> Branch:
    """Mail that a branch's build failed, once: a death between the mail and its note sends it twice."""
    if not rules.failed(last) or last.notified == last.build:
        return last
    build = ports.builds.look(last.build)
    if build is not None:
        ports.notify(_failure(automation, last, build, ports))
    return ports.branches.put(last._replace(notified=last.build), last)


def _failure(automation: Automation, last: Branch, build: Build, ports: PushPorts) -> "BuildFailure":
    approvers, own = ports.approvers_of(automation.project)
    return {
        "project": automation.project,
        "approvers": list(approvers) if own else [],
        "pusher": rules.told_too(_address(automation, last, ports), approvers),
        "by": last.by,
        "branch": last.name,
        "commit": last.commit,
        "build": build.id,
        "url": build.url,
        "status": cast("BuildStatus", last.status),
        "phase": build.phase,
        "reason": build.reason,
        "lines": list(ports.builds.log(build)),
    }


def _address(automation: Automation, last: Branch, ports: PushPorts) -> str:
    """Return the address in the commit; "" where it cannot be read: the approvers are told all the same."""
    try:
        if automation.hooked:
            move = ports.heads.newest(automation, last.name)
            return move.address if move.after == last.commit else ""
        return ports.repositories.address(automation.repository, last.commit)
    except (RepositoryUnknownError, HeadUntoldError, CallRefusedError):
        return ""
