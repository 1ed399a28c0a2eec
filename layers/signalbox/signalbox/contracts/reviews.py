"""The review journey: a review is asked for, decided, closed."""

from typing import Literal, NotRequired, TypedDict

from signalbox.contracts.common import StageServing

type ReviewKind = Literal["package", "stage"]
type DecisionWord = Literal["approved", "rejected", "expired"]


class ReviewRequest(TypedDict):
    """Asked of `request_review`, whose task then waits; `expires_in` is in seconds.

    `stage` is None for the review of a package; `report` is the S3 URI of its evaluation, None where there is none.
    `serving` is what the last stage serves by now. A package's review has none: it was tested a moment before.
    """

    token: str
    execution_arn: str
    kind: ReviewKind
    stage: str | None
    model: str
    package: str
    report: str | None
    expires_in: int
    serving: NotRequired[StageServing | None]


class ReviewRequested(TypedDict):
    """Answered by `request_review`: the review's id, and how many people have been mailed."""

    review: str
    mailed: int


class ReviewClosing(TypedDict):
    """Asked of `close_review` when the waiting task has ended without an approval."""

    execution_arn: str
    kind: ReviewKind
    stage: str | None


class ReviewDecision(TypedDict):
    """How a review ended: which, what was decided, by whom, when and why ("" where nobody decided)."""

    review: str
    decision: DecisionWord
    by: str
    at: str
    reason: str
