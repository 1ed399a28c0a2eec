"""What can happen to a release: one scenario for each way through the release machine, and the mocks that make it.

A scenario says what differs from a release that goes well. Plans are made by the function's own rule.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.machines import Mock, Return, Run, Throw, run_machine
from tests.unit.releases_world import PREFIX, World, arn, question

from signalbox.stages import Rollout, Stage, StagesDocument

Mocks = dict[str, Mock | Sequence[Mock]]
MACHINE = Path(__file__).parents[2] / "statemachine" / "release.asl.json"
SUBSTITUTIONS = {
    "PlanReleaseArn": "arn:aws:lambda:us-east-1:123456789012:function:plan",
    "VerifyReleaseArn": "arn:aws:lambda:us-east-1:123456789012:function:verify",
    "RequestReviewArn": "arn:aws:lambda:us-east-1:123456789012:function:request",
    "CloseReviewArn": "arn:aws:lambda:us-east-1:123456789012:function:close",
    "AnnounceArn": "arn:aws:lambda:us-east-1:123456789012:function:announce",
    "ReleasesTable": "releases",
    "PollSeconds": "600",
}
APPROVED = {"model": "abalone", "package": arn(2), "because": "approved"}
REJECTED = APPROVED | {"because": "rejected"}
CHILD = APPROVED | {"parent": "arn:aws:states:us-east-1:123456789012:execution:mlops:run"}
PLAIN = Stage("staging", "ml.m5.large", 1)
GUARDED = Stage("prod", "ml.m5.large", 2, True, Rollout("canary", 50, 60), alarms=True, review_seconds=3600)

REFUSED = Throw("SageMaker.SageMakerException", "refused")
LIMIT = Throw("SageMaker.ResourceLimitExceededException", "no instances left")
DONE = Return({"action": "done", "model": "abalone", "stage": None, "stage_index": 1})
# What one round of retries makes of a refusal that does not pass: the first call and three more.
REFUSED_FOR_GOOD = [REFUSED] * 4
MISMATCH = Throw("GoldenMismatchError", "golden request 1 of 5 was answered 9")


def described(status: str = "InService", config: str = "config", pending: str | None = None) -> Return:
    summary = {"PendingDeploymentSummary": {"EndpointConfigName": pending}} if pending else {}
    return Return({"EndpointName": "e", "EndpointConfigName": config, "EndpointStatus": status} | summary)


def planned(action: str, stage: Stage = PLAIN, live: int | None = None, **changes: Any) -> Return:
    """Return what plan_release answers, made by its own rule and then turned to `action`."""
    world = World(StagesDocument((stage,)))
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")
    if action == "update" or live:
        world.endpoints.serve(f"{PREFIX}-abalone-{stage.name}", "config-live", arn(live or 1))
    answer = world.plan(question("approved", 2, "2026-11-20T10:00:00Z", "execution-1", reviewed=["prod"]))
    return Return(answer | {"action": action} | changes)


CREATE, UPDATE = planned("create"), planned("update")
GUARDED_CREATE, GUARDED_UPDATE = planned("create", GUARDED), planned("update", GUARDED)
REVIEW = planned("review", GUARDED)
GONE_PLAN = {"package": None}


def back(action: str, config: str | None = "config-live") -> Return:
    endpoint, reason = UPDATE.result["endpoint"], "because"
    return Return({"action": action, "reason": reason, "endpoint": endpoint, "config": config, "golden": None})


def decided(decision: str) -> dict[str, str]:
    return {"review": "r1", "decision": decision, "by": "alice", "at": "2026-11-20T10:00:00Z", "reason": "why"}


FOUND_MODEL, FOUND_CONFIG = Return({"ModelName": "m"}), Return({"EndpointConfigName": "c"})
# Everything goes well, in the order of the states; a scenario says what differs.
WELL: Mocks = {
    "PlanStage": [CREATE, DONE],
    "RequestStageReview": Return(decided("approved")),
    "CloseReview": Return(decided("expired")),
    "DeleteEndpoint": Return(None),
    "RemoveAlarm": Return(None),
    "CreateModel": Return({"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m"}),
    "FindModel": FOUND_MODEL,
    "PutAlarm": Return(None),
    "CreateConfig": Return({"EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/c"}),
    "FindConfig": FOUND_CONFIG,
    "CreateEndpoint": Return({"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"}),
    "UpdateEndpoint": Return({"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"}),
    "LookAtEndpoint": described(),
    "WatchEndpoint": described(),
    "VerifyRelease": Return({"verdict": "released", "checked": ["config"], "answers": 0, "worst_difference": None}),
    "RecordStage": Return({}),
    "RecordEnd": Return({}),
    "Announce": Return({"mailed": 1}),
    "PlanPutBack": back("gone"),
    "PutBack": Return({"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"}),
    "RemoveHalfMade": Return(None),
    "VerifyBack": Return({"verdict": "released", "checked": ["config"], "answers": 0, "worst_difference": None}),
    "RecordFailure": Return({}),
    "DeleteConfig": Return(None),
    "DeleteModel": Return(None),
    "AnnounceFailure": Return({"mailed": 1}),
}
TORN = [planned("torn-down", GUARDED, package=None), planned("torn-down", package=None)]


def case(machine_input: dict[str, str], **changes: Mock | Sequence[Mock]) -> tuple[dict[str, str], Mocks]:
    """Return a scenario: the input, and the mocks of the states that do not simply go well."""
    return machine_input, changes


SCENARIOS = {
    "two stages": case(
        APPROVED,
        PlanStage=[CREATE, REVIEW, GUARDED_UPDATE, DONE],
        WatchEndpoint=[described("Creating"), described(), described()],
    ),
    "all there": case(APPROVED, PlanStage=[planned("none"), DONE]),
    "live but not verified": case(APPROVED, PlanStage=[planned("verify", live=2), DONE]),
    "child": case(CHILD),
    "rejected elsewhere": case(REJECTED, PlanStage=[planned("none"), DONE]),
    "rolled back": case(REJECTED, PlanStage=[planned("update", package=arn(1)), DONE]),
    "torn down": case(REJECTED, PlanStage=[planned("delete"), planned("wait"), *TORN, DONE]),
    "torn down with refusals": case(
        REJECTED,
        PlanStage=[planned("delete"), *TORN, DONE],
        DeleteEndpoint=REFUSED_FOR_GOOD,
        RemoveAlarm=Throw("CloudWatch.ResourceNotFound"),
    ),
    "deletion not allowed": case(REJECTED, PlanStage=[planned("delete")], DeleteEndpoint=Throw("States.TaskFailed")),
    "superseded": case(APPROVED, PlanStage=[CREATE, planned("superseded", package=None)]),
    "withdrawn": case(APPROVED, PlanStage=[planned("withdrawn", package=None)]),
    "withdrawn after its review": case(APPROVED, PlanStage=[REVIEW, planned("withdrawn", package=None)]),
    "rejection withdrawn": case(REJECTED, PlanStage=[planned("withdrawn", package=None)]),
    "child superseded": case(CHILD, PlanStage=[planned("superseded", package=None)]),
    "declined": case(
        APPROVED, PlanStage=[REVIEW], RequestStageReview=Throw("ReviewRejected", json.dumps(decided("rejected")))
    ),
    "expired": case(APPROVED, PlanStage=[REVIEW], RequestStageReview=Throw("States.Timeout", None)),
    "approved at the last moment": case(
        APPROVED,
        PlanStage=[REVIEW, GUARDED_CREATE, DONE],
        RequestStageReview=Throw("States.Timeout", None),
        CloseReview=Return(decided("approved")),
    ),
    "rejected at the last moment": case(
        APPROVED,
        PlanStage=[REVIEW],
        RequestStageReview=Throw("States.Timeout", None),
        CloseReview=Return(decided("rejected")),
    ),
    "review not asked": case(APPROVED, PlanStage=[REVIEW], RequestStageReview=Throw("ReviewError")),
    "review not closed": case(
        APPROVED, PlanStage=[REVIEW], RequestStageReview=Throw("States.Timeout", None), CloseReview=Throw("ReviewError")
    ),
    "never at rest": case(APPROVED, PlanStage=planned("wait")),
    "no plan": case(APPROVED, PlanStage=Throw("StagesDocumentError", "stages[0].name is missing")),
    "no plan, no mail": case(APPROVED, PlanStage=Throw("ReleaseError"), AnnounceFailure=Throw("MailError")),
    "child without a plan": case(CHILD, PlanStage=Throw("ReleaseError")),
    "empty input": case({}, PlanStage=Throw("ReleaseError")),
    "made before": case(APPROVED, CreateModel=REFUSED_FOR_GOOD, CreateConfig=REFUSED_FOR_GOOD),
    "model refused": case(APPROVED, CreateModel=REFUSED_FOR_GOOD, FindModel=REFUSED_FOR_GOOD),
    "model limit": case(APPROVED, CreateModel=LIMIT, DeleteConfig=REFUSED, DeleteModel=REFUSED),
    "alarm refused": case(
        APPROVED,
        PlanStage=[GUARDED_UPDATE],
        PutAlarm=Throw("CloudWatch.LimitExceededException"),
        PlanPutBack=back("kept"),
    ),
    "config refused": case(APPROVED, CreateConfig=REFUSED_FOR_GOOD, FindConfig=REFUSED_FOR_GOOD),
    "config limit": case(APPROVED, CreateConfig=LIMIT),
    "answer of create lost": case(
        APPROVED, CreateEndpoint=REFUSED, LookAtEndpoint=described("Creating", CREATE.result["names"]["config"])
    ),
    "answer of update lost": case(
        APPROVED,
        PlanStage=[UPDATE, DONE],
        UpdateEndpoint=REFUSED,
        LookAtEndpoint=described("Updating", "config-live", UPDATE.result["names"]["config"]),
    ),
    "another was faster": case(
        APPROVED,
        PlanStage=[UPDATE, planned("superseded", package=None)],
        UpdateEndpoint=REFUSED,
        LookAtEndpoint=described("Updating", "config-live", "anothers"),
    ),
    "always refused": case(APPROVED, PlanStage=CREATE, CreateEndpoint=REFUSED, LookAtEndpoint=REFUSED),
    "endpoint limit": case(APPROVED, CreateEndpoint=LIMIT),
    "update limit": case(APPROVED, PlanStage=[UPDATE], UpdateEndpoint=LIMIT, PlanPutBack=back("kept")),
    "not to be seen": case(APPROVED, WatchEndpoint=Throw("States.Timeout", None)),
    "moves for ever": case(
        APPROVED,
        WatchEndpoint=described("Creating"),
        VerifyRelease=Throw("EndpointNotInServiceError"),
        PlanPutBack=back("wait", None),
    ),
    "never answers a ping": case(
        APPROVED,
        WatchEndpoint=described("Failed"),
        VerifyRelease=Throw("EndpointNotInServiceError"),
        PlanPutBack=[back("delete", None), back("wait", None), back("gone", None)],
    ),
    "half made and refused": case(
        APPROVED, VerifyRelease=MISMATCH, RemoveHalfMade=REFUSED, PlanPutBack=[back("delete", None), back("gone", None)]
    ),
    "golden mismatch": case(
        APPROVED, PlanStage=[UPDATE], VerifyRelease=MISMATCH, PlanPutBack=[back("update"), back("kept")]
    ),
    "silent rollback": case(
        APPROVED, PlanStage=[UPDATE], VerifyRelease=Throw("RolledBackError", "rolled back"), PlanPutBack=back("kept")
    ),
    "child fails": case(CHILD, PlanStage=[UPDATE], VerifyRelease=MISMATCH, PlanPutBack=back("kept")),
    "put back refused": case(
        APPROVED,
        PlanStage=[UPDATE],
        VerifyRelease=MISMATCH,
        PutBack=REFUSED,
        PlanPutBack=[back("update"), back("kept")],
    ),
    "put back and not verified": case(
        APPROVED, PlanStage=[UPDATE], VerifyRelease=MISMATCH, VerifyBack=MISMATCH, PlanPutBack=back("kept")
    ),
    "put back not planned": case(
        APPROVED, PlanStage=[UPDATE], VerifyRelease=MISMATCH, PlanPutBack=Throw("ReleaseError")
    ),
    "left alone": case(REJECTED, PlanStage=[UPDATE], VerifyRelease=MISMATCH, PlanPutBack=back("leave")),
    "overtaken": case(
        APPROVED,
        PlanStage=[UPDATE, planned("superseded", package=None)],
        VerifyRelease=Throw("RolledBackError"),
        PlanPutBack=back("again"),
    ),
    "overtaken again and again": case(
        APPROVED, PlanStage=UPDATE, VerifyRelease=Throw("RolledBackError"), PlanPutBack=back("again")
    ),
    "failure not recorded": case(
        APPROVED, VerifyRelease=MISMATCH, RecordFailure=Throw("DynamoDB.ResourceNotFoundException")
    ),
    "release not recorded": case(APPROVED, RecordStage=Throw("DynamoDB.ResourceNotFoundException")),
    "end not recorded": case(
        APPROVED, PlanStage=[planned("superseded", package=None)], RecordEnd=Throw("DynamoDB.ResourceNotFoundException")
    ),
    "nobody told": case(APPROVED, Announce=Throw("MailError", "no sender")),
}


@cache
def run(name: str) -> Run:
    """Execute the scenario `name`."""
    machine_input, changes = SCENARIOS[name]
    return run_machine(MACHINE, SUBSTITUTIONS, machine_input, WELL | changes)


def with_passing_errors(mocks: Mapping[str, Mock | Sequence[Mock]]) -> Mocks:
    """Return the mocks with each error that a state retries in front of its first answer."""
    states = json.loads(MACHINE.read_text(encoding="utf-8"))["States"]
    changed: Mocks = {}
    for name, mock in mocks.items():
        errors = [Throw(error) for retrier in states[name].get("Retry", []) for error in retrier["ErrorEquals"]]
        answers = list(mock) if isinstance(mock, Sequence) else [mock] * 4
        changed[name] = [*errors, *answers]
    return changed
