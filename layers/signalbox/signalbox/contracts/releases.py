"""The release journey: plan, do, plan again."""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

from signalbox.contracts.common import AwsRequest, Failure, StageServing
from signalbox.contracts.reviews import ReviewClosing, ReviewDecision, ReviewRequest
from signalbox.contracts.training import ModelContent

type Trigger = Literal["approved", "rejected"]
type ReleaseAction = Literal[
    "create-model",
    "put-alarm",
    "create-config",
    "create-endpoint",
    "update-endpoint",
    "delete-endpoint",
    "delete-alarm",
    "delete-config",
    "delete-model",
    "wait",
    "review",
    "close-review",
    "verify",
    "record",
    "announce",
    "done",
    "failed",
]
# What a plan still has to do: an action, or "settle", which waits until the stage's endpoint has come to rest.
type ReleaseStep = ReleaseAction | Literal["settle"]
# What a deployment makes, and takes away again.
type Made = Literal["model", "alarm", "config"]
# Of a project's own golden requests: these answers were the first, and are kept, or they were as those that are kept.
type FirstAnswers = Literal["first", "kept"]
# How one stage ended, and how a whole release did.
type StageVerdict = Literal["released", "kept", "torn-down"]
type ReleaseVerdict = Literal[
    "released",
    "rolled-back",
    "torn-down",
    "nothing-to-do",
    "superseded",
    "withdrawn",
    "declined",
    "expired",
    "failed",
]
# How a failed release left its stage.
type RollbackResult = Literal[
    "untouched",  # the release had changed nothing
    "restored",  # the stage serves what it served before, verified where it had been moved
    "removed",  # the stage's first endpoint did not come to serve and was deleted
    "unrecorded",  # the stage serves the new package as it should, but that could not be written down
    "overtaken",  # another release has moved the stage meanwhile
    "left",  # nothing was done, because a person has to decide: the reason says why
    "unfinished",  # the endpoint did not come to rest in time
    "unverified",  # the previous config serves, but does not answer as it should
    "unknown",  # the rollback could not be planned
]


class Rollback(TypedDict):
    """How a failed release left its stage, and a sentence that says why."""

    result: RollbackResult
    reason: str


class ReleaseInput(TypedDict):
    """The input of the release machine. `requested_at` orders requests; without it, the execution's start does.

    `report` is the evidence by which the package was approved; without it, what the package has when it is first looked
    at.
    """

    model: str
    package: str
    trigger: Trigger
    requested_at: NotRequired[str]
    report: NotRequired[str]


class StageOutcome(TypedDict):
    """How one stage ended; `package` is what it serves now, None where its endpoint is gone.

    `answers` counts the golden requests that the endpoint answered as it should, where it was verified; `expected` is
    that of `Verified`. `commit` is the released package's, where it has one.
    """

    stage: str
    verdict: StageVerdict
    package: str | None
    endpoint: str
    config: str
    answers: int
    expected: NotRequired[FirstAnswers]
    commit: NotRequired[str]


class RegistryChange(TypedDict):
    """The last change of a package in the registry: its status since, who made it ("" if the words say so), and why.

    `words` are those that were left with the change; "" where there are none.
    """

    package: str
    status: str
    by: str
    words: str


class Deployment(TypedDict):
    """What an execution is doing to one stage, from the first request to the record.

    `verify` finds an endpoint that serves the package already, and changes nothing. `previous` is the endpoint config
    that was live before; None where there was no endpoint. `made` has the resources of this deployment that exist now;
    `moved` says whether the endpoint was ever asked to go to the new config, `isolated` whether its model is cut off
    from every network. `commit` is the package's, where it has one and was looked at.
    """

    kind: Literal["create", "update", "verify"]
    hosting: str
    stage: str
    endpoint: str
    package: str
    model: str
    config: str
    previous: str | None
    patience_seconds: int
    made: list[Made]
    moved: bool
    answers: int
    expected: NotRequired[FirstAnswers]
    isolated: NotRequired[bool]
    commit: NotRequired[str]


class ReleaseProgress(TypedDict):
    """What the plan has to remember from one question to the next; the machine keeps it and does not look into it.

    `asked` is the action that the next question's `last` answers; `todo` are the actions to come, the one that is asked
    for first. `stage` is the stage at hand, or where the release stopped; `problem` is the failure for which that stage
    is being rolled back. `stages` are those that are done with, by name: the stages document may change meanwhile.
    `serving`, `removed` and `change` are read when the release has ended; `report` is the evidence that it is held to.
    `tries` counts refusals of one action, `attempts` how often a stage had to be planned anew, `waited` the seconds of
    one wait, `rounds` all plans of the execution.
    """

    asked: ReleaseAction | None
    todo: list[ReleaseStep]
    reviewed: list[str]
    deleted: list[str]
    stages: list[StageOutcome]
    deployment: Deployment | None
    decision: ReviewDecision | None
    verdict: ReleaseVerdict | None
    stage: str | None
    problem: Failure | None
    rollback: Rollback | None
    serving: list[StageServing] | None
    removed: list[str]
    change: RegistryChange | None
    report: str
    tries: int
    attempts: int
    waited: int
    rounds: int


class LastAnswer(TypedDict):
    """What the last action came to: its result, or the error that was caught."""

    result: NotRequired[object]
    error: NotRequired[Failure]


class ReleaseQuestion(TypedDict):
    """Asked of `plan_release`: the execution, its input as it came, the last plan's progress and what came of it."""

    execution: str
    execution_arn: str
    started: str
    input: object
    progress: ReleaseProgress | None
    last: LastAnswer | None


class ReleaseOutcome(TypedDict):
    """How a release ended. `stage` is where it stopped, None where it went through; `rollback` only where it failed.

    `serving` is what every stage was seen to serve at the end, None where that was not read; `change` is what the
    registry says of the package for which the release ended: the one that was rejected, or the one that is newer.
    `removed` are stages of this release that were taken out of the stages document meanwhile.
    """

    verdict: ReleaseVerdict
    trigger: Trigger
    stage: str | None
    stages: list[StageOutcome]
    rollback: Rollback | None
    serving: list[StageServing] | None
    change: RegistryChange | None
    removed: NotRequired[list[str]]


class WaitArguments(TypedDict):
    """How long the machine waits before it asks again."""

    seconds: int


class VerificationQuestion(TypedDict):
    """Asked of `verify_release`; `golden` is an S3 URI. Without a package, no approval is asked for.

    `content` is what has to serve; none where what served before was tested when contents were not recorded yet.
    """

    endpoint: str
    config: str
    package: str | None
    golden: str | None
    content: NotRequired[ModelContent | None]


class Verified(TypedDict):
    """Answered by `verify_release`: how many golden requests were answered as they should be; 0 if there are none.

    `expected` says what a project's own requests were held to; requests of a batch transform have none.
    """

    answers: int
    expected: NotRequired[FirstAnswers]


class ReleasePlan(TypedDict):
    """Answered by `plan_release`: the one next action with its whole request.

    `outcome` is how the release would be told if the next plan could not be made.
    """

    action: ReleaseAction
    arguments: AwsRequest
    progress: ReleaseProgress
    outcome: ReleaseOutcome


# What the arguments of each action are; those of the other actions are requests to AWS.
ARGUMENTS: Mapping[ReleaseAction, type] = {
    "wait": WaitArguments,
    "review": ReviewRequest,
    "close-review": ReviewClosing,
    "verify": VerificationQuestion,
    "done": ReleaseOutcome,
    "failed": Failure,
}
