"""What people are told when an execution or a run has ended."""

from typing import TypedDict

from signalbox.contracts.common import Failure
from signalbox.contracts.releases import ReleaseOutcome
from signalbox.contracts.reviews import ReviewDecision


class Ending(TypedDict):
    """Asked of `announce`: how an execution ended.

    `decision` is the review that ended it, `error` the failure, `release` what became of the stages; each None where
    there was none. `package` is None where the execution ended before it had one.
    """

    model: str
    package: str | None
    execution_arn: str
    decision: ReviewDecision | None
    error: Failure | None
    release: ReleaseOutcome | None


class RunFailure(TypedDict):
    """Told of a pipeline run that did not end in a model: `status` is SageMaker's, `uploads` are for people.

    `step` is the first step that failed and `cause` its words; all texts may be empty.
    """

    model: str
    execution_arn: str
    status: str
    run: str
    uploads: str
    step: str
    other_steps: list[str]
    reason: str
    cause: str


class Mailed(TypedDict):
    """Answered by `announce`: how many people have been mailed; 0 where the failure was mailed before."""

    mailed: int
