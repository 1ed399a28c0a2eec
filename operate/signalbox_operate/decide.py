"""Decide a review as whoever is signed in to AWS: in the steps of the page, without a link and without a word."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signalbox import moments, plain
from signalbox.aws.machines import StateMachines
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.table import Table
from signalbox.reviews import deciding
from signalbox.reviews.adapters import DynamoReviews
from signalbox.reviews.deciding import DecidingPorts
from signalbox.reviews.model import REASON_LIMIT, Review
from signalbox.reviews.rules import Vote
from signalbox_operate.stack import OperateError, Stack


@dataclass(frozen=True)
class Asked:
    """A decision: about a package (`signalbox-abalone/3`, or its ARN), or about its release to a stage.

    Raises:
        OperateError: it rejects without a reason, or the reason is too long to be kept.
    """

    package: str
    stage: str | None
    approved: bool
    reason: str = ""

    def __post_init__(self) -> None:
        """See that the reason is one that the page would take."""
        if not self.approved and not plain.lines(self.reason).strip():
            raise OperateError("a rejection needs a reason: give it with --reason")
        if len(self.reason) > REASON_LIMIT:
            raise OperateError(f"the reason has {len(self.reason):,} characters; at most {REASON_LIMIT:,} are kept")


@dataclass(frozen=True)
class Signed:
    """The stack's reviews for somebody who is signed in: `by` is their ARN, `packages` what package ARNs begin with."""

    ports: DecidingPorts
    packages: str
    by: str


def signed(stack: Stack, client: Callable[[str], Any]) -> Signed:
    """Return the stack's reviews for whoever `client` is signed in as."""
    _, partition, _, region, account, *_ = stack.output("MlopsMachineArn").split(":")
    reviews = DynamoReviews(Table(stack.output("ReviewsTable"), client("dynamodb")))
    machines, registry = StateMachines(client("stepfunctions")), ModelRegistry(client("sagemaker"))
    by = str(client("sts").get_caller_identity()["Arn"])
    packages = f"arn:{partition}:sagemaker:{region}:{account}:model-package/"
    return Signed(DecidingPorts(reviews, machines, moments.now, registry), packages, by)


def decide(asked: Asked, at: Signed) -> str:
    """Decide the newest review of what is asked about, pass the decision on, and return what became of it.

    Raises:
        OperateError: no such review waits for a decision.
        DecisionNotPassedOnError: the decision is kept; a repetition of the command passes it on.
        ServiceBusyError, CallRefusedError: the table did not answer, or refused.
    """
    review = _newest(asked, at)
    if review.status_at(at.ports.clock()) == "open":
        vote = Vote(approved=asked.approved, by=at.by, reason=plain.lines(asked.reason).strip(), origin="command")
        decided = deciding.decide(review, vote, at.ports)
        if decided is None:
            raise OperateError("the review was changed at the same moment: run the command again to see how it stands")
        return _said(deciding.finish(decided, at.ports))
    if review.unfinished:
        return _said(deciding.finish(review, at.ports))
    status = review.status_at(at.ports.clock())
    by = f" by {review.by}" if review.by else ""
    raise OperateError(f"{_subject(asked)} does not wait for a decision: its newest review is {status}{by}")


def _newest(asked: Asked, at: Signed) -> Review:
    arn = asked.package if asked.package.startswith("arn:") else f"{at.packages}{asked.package}"
    found = [review for review in at.ports.store.of_package(arn) if review.stage == (asked.stage or "")]
    if not found:
        raise OperateError(
            f"no review of {_subject(asked)} was asked for: name the package as its mail does, such as "
            "signalbox-abalone/3, and with --stage the stage whose release waits"
        )
    return found[-1]


def _subject(asked: Asked) -> str:
    return f"{asked.package} for {asked.stage}" if asked.stage else asked.package


def _said(review: Review) -> str:
    goes_on = "the workflow goes on" if review.answer == "sent" else "no workflow was waiting for it any more"
    return f"{review.status} by {review.by}; {goes_on}"
