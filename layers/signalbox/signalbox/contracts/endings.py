"""What people are told when an execution or a run has ended."""

from typing import Literal, TypedDict

from signalbox.contracts.common import Failure
from signalbox.contracts.releases import ReleaseOutcome
from signalbox.contracts.reviews import ReviewDecision
from signalbox.contracts.uploads import Quarantine

# `passed-on`: it succeeded. `notified-before`: people were mailed at an earlier delivery. `ignored`: its pipeline is
# another stack's.
type ReportOutcome = Literal["passed-on", "notified", "notified-before", "ignored"]
# How a build may end that does not succeed (CodeBuild's API reference, "Build", buildStatus).
type BuildStatus = Literal["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]
# What waits for a refusal to be mended: uploads for their run, a run that a push asked for, or nothing, because that
# run was not even opened.
type RefusedWait = Literal["uploads", "run", "nothing"]


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
    """Why a pipeline run did not end in a model: `status` is SageMaker's, `uploads` are for people.

    `step` is the first step that failed and `reason` SageMaker's words about it. `cause` has them as Step Functions
    would give them: where a job failed, its description as JSON, with the job's own words. All texts may be empty.
    `quarantine` has the files that the run did not use, as its job has reported. Without `approvers`, those of the
    stack are told.
    """

    project: str
    approvers: list[str]
    execution_arn: str
    status: str
    run: str
    uploads: str
    step: str
    other_steps: list[str]
    reason: str
    cause: str
    quarantine: Quarantine


class RunRefusal(TypedDict):
    """Why a run cannot start, and will not by itself: `code` is AWS's error, `reason` what is refused, for people.

    `uploads` are for people, `since` is when the oldest of them was recorded, or when the run that has them again was
    opened. `waits` says what starts once that is mended. Without `approvers`, those of the stack are told.
    """

    project: str
    approvers: list[str]
    pipeline: str
    run: str
    uploads: str
    since: str
    code: str
    reason: str
    waits: RefusedWait


class SetProblem(TypedDict):
    """What is wrong with a set of uploads: `manifest` is the URI of the object that names its files, `by` who sent it.

    `refused` says why it cannot be used; where that is "", `missing` of its `files` have not come within the longest
    wait since it was recorded (`since`), of which `first_missing` are the first, for people. The rest is run then.
    Without `approvers`, those of the stack are told.
    """

    project: str
    approvers: list[str]
    pipeline: str
    manifest: str
    by: str
    since: str
    refused: str
    files: int
    missing: int
    first_missing: list[str]


class BuildFailure(TypedDict):
    """Why the build of a commit did not end well: `status` and `phase` are CodeBuild's, `reason` its words about it.

    `by` is who pushed, as the event names them; `pusher` is their one e-mail address, "" where nobody may be told.
    `build` is the build's id, `url` the address of its log, "" where it is not known, `lines` the log's last lines.
    Without `approvers`, those of the stack are told.
    """

    project: str
    approvers: list[str]
    pusher: str
    by: str
    branch: str
    commit: str
    build: str
    url: str
    status: BuildStatus
    phase: str
    reason: str
    lines: list[str]


class RunReport(TypedDict):
    """Answered by `report_run`: what was done about the end of an execution, which ended as `status`."""

    outcome: ReportOutcome
    execution: str
    status: str


class Mailed(TypedDict):
    """Answered by `announce`: how many people have been mailed; 0 where the failure was mailed before."""

    mailed: int
