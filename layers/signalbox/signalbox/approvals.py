"""What a change of a package's approval in the model registry sets going: a review, a release or a rollback.

The event only says that something changed; the registry is read again before anything is done. SageMaker sends events
late, twice and out of order, so what is started is named after the change itself (package, status, time of the
change): the second start of the same name is refused, and that refusal is the proof that it was done before.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypedDict

from signalbox import names
from signalbox.aws.machines import StateMachines
from signalbox.aws.model import ModelPackage
from signalbox.aws.registry import ModelRegistry
from signalbox.events import ModelPackageChange
from signalbox.observability import count, logger
from signalbox.settings import OnModelPackage

if TYPE_CHECKING:
    from signalbox.contracts.releases import ReleaseInput, Trigger

# (package ARN, approved, by, description) → answered | already | none | unreviewed: what became of its reviews.
type AnswerReviews = Callable[[str, bool, str, str], str]
# (model, package ARN, by): people are told that a package was approved without a review.
type TellUnreviewed = Callable[[str, str, str], object]
type Outcome = Literal[
    "reopened", "ignored", "review-started", "release-started", "rollback-started", "review-answered", "done-before"
]
_DECIDED = frozenset(("Approved", "Rejected"))
# A package is made (API reference, ModelPackageStatus); in the other states it fails, or is being deleted.
_MADE = "Completed"
_BEING_MADE = frozenset(("Pending", "InProgress"))
_DESCRIPTION = 1024  # botocore's sagemaker model: ApprovalDescription
# Who decided, where SageMaker does not say.
_SOMEBODY = "the model registry"


class PackageUnknownError(Exception):
    """The event names a package that the registry does not have."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not in the registry: replay the event if it is there by now")


class PackageUnfinishedError(Exception):
    """The event says that a package is completed, and the registry does not say so yet."""

    def __init__(self, package: str, state: str) -> None:
        super().__init__(f"{package} is {state} in the registry, and Completed in its event: replay the event")


class ApprovalHandled(TypedDict):
    """What was set going for a package, and its approval status as the registry has it."""

    outcome: Outcome
    package: str
    status: str


class ApprovalRegistry(Protocol):
    """The model registry, as far as it is needed here."""

    def find(self, arn: str) -> ModelPackage | None:
        """Return the package, or None where it is not registered."""

    def reopen(self, arn: str, description: str) -> None:
        """Let a package wait for its approval again."""


class ExecutionStarter(Protocol):
    """The state machines, as far as they are started."""

    def start(self, machine: str, name: str, machine_input: Mapping[str, object]) -> bool:
        """Start an execution; False if one of this name was started before."""


class ApprovalPorts(NamedTuple):
    """The registry, the machines by their ARNs, and the open reviews."""

    prefix: str
    mlops_machine: str
    release_machine: str
    registry: ApprovalRegistry
    machines: ExecutionStarter
    answer_reviews: AnswerReviews
    tell_unreviewed: TellUnreviewed


def approval_ports(
    settings: OnModelPackage, answer_reviews: AnswerReviews, tell_unreviewed: TellUnreviewed
) -> ApprovalPorts:
    """Return the ports on AWS."""
    return ApprovalPorts(
        prefix=settings.prefix,
        mlops_machine=settings.mlops_machine_arn,
        release_machine=settings.release_machine_arn,
        registry=ModelRegistry(),
        machines=StateMachines(),
        answer_reviews=answer_reviews,
        tell_unreviewed=tell_unreviewed,
    )


def on_model_package(event: Mapping[str, object], ports: ApprovalPorts) -> ApprovalHandled:
    """Set going what one model package event asks for, and say what that was.

    Outcomes: `ignored` (no change of the approval, not one of our groups, that of a branch, a package of the machine's
    own, or one that is not completed), `review-started`, `release-started`, `rollback-started`, `review-answered` (a
    waiting machine goes on), `done-before` (nothing was left to do), `reopened` (nobody was asked about the package: it
    waits for its review).

    Raises:
        EventError: the event does not parse.
        PackageUnknownError: the registry does not have the package.
        PackageUnfinishedError: the registry does not have it completed yet.
        ServiceBusyError: AWS could not answer now.
        CallRefusedError: AWS refused a call.
    """
    change = ModelPackageChange.read(event)
    package = _package(change, ports)
    outcome: Outcome = "ignored"
    if package is not None:
        outcome = (_decided if package.approval in _DECIDED else _pending)(change, package, ports)
    status = change.status if package is None else package.approval
    handled: ApprovalHandled = {"outcome": outcome, "package": change.arn, "status": status}
    logger.info("model package read", extra=dict(handled))
    count("ModelPackageRead")
    return handled


def _package(change: ModelPackageChange, ports: ApprovalPorts) -> ModelPackage | None:
    """Return the package as it is now; None where nothing is to be done about it.

    A package that is being made is left to the event of its completion: an execution is named after the package, and
    one that was started too early would have used up that name for 90 days.
    """
    if not change.about_approval or not change.group.startswith(f"{ports.prefix}-"):
        return None
    if names.of_branch(change.group):  # an experiment: nobody is asked about it, and nothing of it is released
        return None
    package = ports.registry.find(change.arn)
    if package is None:
        raise PackageUnknownError(change.arn)
    if package.state in _BEING_MADE and change.state == _MADE:
        raise PackageUnfinishedError(change.arn, package.state)
    return package if package.state == _MADE else None


def _pending(change: ModelPackageChange, package: ModelPackage, ports: ApprovalPorts) -> Outcome:
    """Take a package that waits for its approval through the machine, unless the machine itself registered it."""
    if package.generated_by.startswith(ports.mlops_machine.replace(":stateMachine:", ":execution:") + ":"):
        return "ignored"
    name = names.execution("review", change.group, str(change.version))
    started = ports.machines.start(ports.mlops_machine, name, {"package": change.arn})
    return "review-started" if started else "done-before"


def _decided(change: ModelPackageChange, package: ModelPackage, ports: ApprovalPorts) -> Outcome:
    """Answer the open reviews, and release or roll back where no machine goes on by itself.

    A rejection looks at the stages in every case: one of them may serve the package already.
    """
    trigger: Trigger = "approved" if package.approved else "rejected"
    by = package.changed_by or _SOMEBODY
    answer = ports.answer_reviews(change.arn, package.approved, by, package.description)
    if package.approved and answer == "unreviewed":
        return _reopen(change, package, ports)
    if package.approved and answer != "none":
        return "review-answered" if answer == "answered" else "done-before"
    name = names.execution("release", change.group, str(change.version), trigger, change.changed_at)
    machine_input: ReleaseInput = {
        "model": names.model_of_group(ports.prefix, change.group),
        "package": change.arn,
        "trigger": trigger,
        "requested_at": change.changed_at,
    }
    if package.report:
        machine_input["report"] = package.report
    if not ports.machines.start(ports.release_machine, name, machine_input):
        return "done-before"
    return "release-started" if package.approved else "rollback-started"


def _reopen(change: ModelPackageChange, package: ModelPackage, ports: ApprovalPorts) -> Outcome:
    """Let a package that was approved without a review wait for one, and tell people so.

    Whoever may register packages could release a model of their own otherwise. The registry's event of this very change
    then starts the review, as for any package that waits. People are told first: a repetition tells them twice, which
    is better than never.
    """
    by = package.changed_by or _SOMEBODY
    ports.tell_unreviewed(names.model_of_group(ports.prefix, change.group), change.arn, by)
    ports.registry.reopen(change.arn, f"approved by {by} without a review: waits for its review"[:_DESCRIPTION])
    count("PackageReopened")
    return "reopened"
