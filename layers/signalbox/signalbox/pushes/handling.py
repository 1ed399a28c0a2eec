"""What is told of code: branches that changed, builds that changed, and what a build has published."""

from collections.abc import Mapping, Sequence
from functools import partial

from signalbox.batch import BatchResponse, Consumer
from signalbox.code_events import BUILT, TOLD, BranchTold, BuildChanged, RefChanged
from signalbox.events import EventError, changed_parameter
from signalbox.observability import count, logger
from signalbox.pushes import building, publishing
from signalbox.pushes.building import PushPorts, Subject
from signalbox.pushes.model import Automation, Build, Move
from signalbox.pushes.publishing import Publication


def handle(event: Mapping[str, object], ports: PushPorts) -> BatchResponse:
    """Do what a batch of messages makes due; return the messages that failed.

    A FIFO message group makes it serial, for each project by itself. Should two be at work all the same, the table
    decides: each change of a branch is written by one of them, and the other gives way with BranchConflictError.

    Raises:
        EventError: `event` is not from a queue.
    """
    consumer = Consumer(event, partial(read, prefix=ports.prefix), ports.dead_letters)
    for delivery in consumer:
        with delivery as message:
            if isinstance(message, Publication):
                publishing.publish(message, ports.publishing)
                continue
            if isinstance(message, RefChanged):
                subject = _of_ref(message, ports)
            elif isinstance(message, BranchTold):
                subject = _of_told(message, ports)
            else:
                subject = _of_build(message, ports)
            if subject is not None:
                building.look(subject, ports)
    return consumer.response


def read(body: Mapping[str, object], prefix: str) -> RefChanged | BranchTold | BuildChanged | Publication:
    """Return what a message tells.

    Raises:
        EventError: it is none of the four.
    """
    if body.get("source") == "aws.ssm":
        parameter = changed_parameter(body)
        place, _, project = parameter.rpartition("/")
        if place != f"/{prefix}/published":
            raise EventError(f"the parameter {parameter} is not one that says what was published")
        return Publication(project)
    if body.get("kind") == TOLD:
        return BranchTold.read(body)
    return BuildChanged.read(body) if body.get("detail-type") == BUILT else RefChanged.read(body)


def _of_ref(change: RefChanged, ports: PushPorts) -> Subject | None:
    """Return the branch that a change is about; None where it is about none."""
    about = {"repository": change.repository, "ref": change.name, "kind": change.kind, "by": change.by}
    automation = _of(ports.automations(), lambda one: one.repository == change.repository)
    if automation is None or not change.is_branch:
        # Tags and other refs do nothing; nor does a repository whose project is removed.
        logger.info("ref starts nothing", extra=about)
        count("RefIgnored")
        return None
    logger.info("branch changed", extra=about)
    return Subject(automation, change.name, change.by)


def _of_told(told: BranchTold, ports: PushPorts) -> Subject | None:
    """Write down what a webhook told, and return its branch; a repetition is no move of its own."""
    about = {"project": told.project, "branch": told.branch, "provider": told.provider, "delivery": told.delivery}
    automation = _of(ports.automations(), lambda one: (one.project, one.provider) == (told.project, told.provider))
    if automation is None or not automation.hooked:
        # The project was removed since, or its repository is another one's now.
        logger.info("webhook starts nothing", extra=about)
        count("RefIgnored")
        return None
    logger.info("branch told", extra={**about, "commit": told.commit, "by": told.by})
    move = Move(told.before or "", told.commit or "", told.at, told.delivery, told.address)
    ports.heads.tell(automation, told.branch, move)
    return Subject(automation, told.branch, told.by)


def _of_build(change: BuildChanged, ports: PushPorts) -> Subject | None:
    """Return the branch that a build is of; None where it is nobody's."""
    automation = _of(ports.automations(), lambda one: change.project in (one.build, one.branches))
    build = ports.builds.look(change.build) if automation else None
    if automation is None or build is None or not _of_its_branch(automation, build, change.project):
        logger.info("build is nobody's", extra={"build": change.build})
        count("BuildIgnored")
        return None
    return Subject(automation, build.branch, ended=build)


def _of_its_branch(automation: Automation, build: Build, project: str) -> bool:
    """Say whether a build tells a branch that is built there: a build of other branches says nothing about main."""
    return bool(build.branch) and automation.build_of(build.branch) == project


def _of(automations: Sequence[Automation], fits: "building.Fits") -> Automation | None:
    return next((one for one in automations if fits(one)), None)
