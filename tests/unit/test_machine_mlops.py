"""Every branch of the mlops machine, executed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.machines import EXECUTION_ARN, TASK_TOKEN, Mock, Return, Run, Throw, run_machine, unvisited
from tests.support.mlops import (
    APPROVED,
    EVALUATION,
    FAILED_JOB,
    IMAGE,
    IMAGE_INPUT,
    MACHINE,
    PACKAGE,
    PACKAGE_INPUT,
    PACKAGE_PLAN,
    PLAN,
    REJECTED,
    RELEASED,
    RETRIED,
    SUBSTITUTIONS,
    straight,
)

# The tasks after which a failure stops jobs and is told, and what leads a run to those beside the straight way.
TO_CLOSE_REVIEW: dict[str, Mock] = {"RequestReview": Throw("States.Timeout", None)}
FALLIBLE: dict[str, dict[str, Mock]] = {
    "TrainModel": {},
    "CreateModel": {},
    "TransformTestData": {},
    "EvaluateModel": {},
    "CreateModelPackageGroup": {},
    "RegisterModel": {},
    "AttachEvidence": {},
    "RequestReview": {},
    "CloseReview": TO_CLOSE_REVIEW,
    "Release": {},
}
ANNOUNCING: dict[str, dict[str, Mock]] = {
    "AnnounceRelease": {},
    "AnnounceRejected": {"RequestReview": Throw("ReviewRejected", json.dumps(REJECTED))},
    "AnnounceExpired": TO_CLOSE_REVIEW,
}
STOPPING: dict[str, Mock] = {"TrainModel": Throw("States.TaskFailed", FAILED_JOB)}
REACHED = (
    FALLIBLE
    | ANNOUNCING
    | {"PlanTraining": {}}
    | dict.fromkeys(("StopTrainingJob", "StopTransformJob", "AnnounceFailure"), STOPPING)
)

RUNS: list[Run] = []


def execute(machine_input: Mapping[str, Any] = IMAGE_INPUT, **mocks: Any) -> Run:
    """Run the machine with every task succeeding but those named; keep the run for the last test."""
    plan = PACKAGE_PLAN if "package" in machine_input else PLAN
    run = run_machine(MACHINE, SUBSTITUTIONS, machine_input, straight(plan) | mocks)
    RUNS.append(run)
    return run


def entry_for(state: str) -> dict[str, str]:
    """Return the input with which a run comes through `state`."""
    return PACKAGE_INPUT if state == "AttachEvidence" else IMAGE_INPUT


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_unvisited(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the tests of this file: every state, transition, choice, catcher and retrier was gone through."""
    yield
    own = {item.name.partition("[")[0] for item in request.session.items if item.path == Path(__file__)}
    if own == {name for name in globals() if name.startswith("test_")}:  # and not some that somebody picked
        assert unvisited(MACHINE, RUNS) == []


def test_an_image_is_trained_evaluated_registered_reviewed_and_released() -> None:
    run = execute()
    assert run.visited == [
        "PlanTraining",
        "ChooseEntry",
        "TrainModel",
        "CreateModel",
        "TransformTestData",
        "EvaluateModel",
        "ChooseRecord",
        "CreateModelPackageGroup",
        "RegisterModel",
        "RequestReview",
        "Release",
        "AnnounceRelease",
        "Done",
    ]
    assert run.output == {"outcome": "released", "model": "iris", "package": PACKAGE, "detail": RELEASED}
    [planned] = run.calls_of("PlanTraining")
    assert planned["Payload"] == {"execution": "execution-1", "execution_arn": EXECUTION_ARN, "input": IMAGE_INPUT}
    [evaluated] = run.calls_of("EvaluateModel")
    assert evaluated["Payload"]["training"] == {"job": "iris-training-1", "seconds": 61}
    assert evaluated["Payload"]["plan"] == PLAN
    [model] = run.calls_of("CreateModel")
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://artifacts/training/model.tar.gz"


def test_the_registered_version_is_pending_and_carries_its_evidence_and_its_origin() -> None:
    [request] = execute().calls_of("RegisterModel")
    assert request["ModelApprovalStatus"] == "PendingManualApproval"
    assert request["MetadataProperties"] == {"GeneratedBy": EXECUTION_ARN, "CommitId": "8c1d"}
    assert request["CustomerMetadataProperties"] == {
        "test-data": PLAN["test_data"],
        "report": EVALUATION["report"],
        "golden": EVALUATION["golden"],
        "content-type": "text/csv",
    }
    assert request["ClientToken"] == PLAN["client_token"]


def test_the_transform_hides_the_label_from_the_model_and_joins_it_again() -> None:
    [request] = execute().calls_of("TransformTestData")
    assert request["DataProcessing"] == {"InputFilter": "$[1:]", "JoinSource": "Input"}
    assert (request["TransformInput"]["SplitType"], request["TransformOutput"]["AssembleWith"]) == ("Line", "Line")


def test_a_registered_package_is_not_trained_and_gets_its_evidence_attached() -> None:
    run = execute(PACKAGE_INPUT)
    assert run.status == "SUCCEEDED"
    assert not {"TrainModel", "CreateModelPackageGroup", "RegisterModel"} & set(run.visited)
    assert run.calls_of("AttachEvidence") == [
        {
            "ModelPackageArn": PACKAGE,
            "CustomerMetadataProperties": {"report": EVALUATION["report"], "golden": EVALUATION["golden"]},
        }
    ]
    assert run.calls_of("EvaluateModel")[0]["Payload"]["training"] is None
    assert run.calls_of("CreateModel")[0]["PrimaryContainer"] == {
        "Image": IMAGE,
        "ModelDataUrl": "s3://artifacts/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "serve.py"},
    }


def test_a_group_that_exists_does_not_stop_the_registration() -> None:
    run = execute(CreateModelPackageGroup=Throw("SageMaker.SageMakerException", "Model Package Group already exists"))
    assert (run.status, "RegisterModel" in run.visited) == ("SUCCEEDED", True)


def test_the_review_is_asked_with_the_token_and_its_bound() -> None:
    [asked] = execute().calls_of("RequestReview")
    assert asked["Payload"] == {
        "token": TASK_TOKEN,
        "execution_arn": EXECUTION_ARN,
        "kind": "package",
        "stage": None,
        "model": "iris",
        "package": PACKAGE,
        "report": EVALUATION["report"],
        "expires_in": 604800,
    }


def test_the_release_machine_is_told_its_parent_so_that_people_get_one_mail() -> None:
    [started] = execute().calls_of("Release")
    assert started["Name"] == "execution-1"
    assert started["Input"] == {
        "model": "iris",
        "package": PACKAGE,
        "because": "approved",
        "parent": EXECUTION_ARN,
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": EXECUTION_ARN,
    }


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        ("released", "released"),
        ("superseded", "superseded"),
        ("withdrawn", "rejected"),
        ("declined", "rejected"),
        ("expired", "expired"),
        ("kept", "nothing-to-do"),
    ],
)
def test_people_are_told_how_the_release_ended(verdict: str, kind: str) -> None:
    [told] = execute(Release=Return({"Output": {"verdict": verdict}})).calls_of("AnnounceRelease")
    assert (told["Payload"]["kind"], told["Payload"]["detail"]) == (kind, {"verdict": verdict})


def test_who_stopped_a_release_before_a_later_stage_is_told() -> None:
    output = {"verdict": "declined", "stage": "prod", "decision": REJECTED}
    [told] = execute(Release=Return({"Output": output})).calls_of("AnnounceRelease")
    assert told["Payload"]["stage"] == "prod"
    assert told["Payload"]["detail"]["by"] == REJECTED["by"]


@pytest.mark.parametrize(
    ("cause", "review"),
    [
        (json.dumps(REJECTED), REJECTED),
        ("no", {"decision": "rejected", "reason": "no"}),
        (None, {"decision": "rejected"}),
    ],
)
def test_a_rejection_is_announced_and_is_no_failure(cause: str | None, review: dict[str, str]) -> None:
    run = execute(RequestReview=Throw("ReviewRejected", cause))
    assert (run.status, run.visited[-1], "Release" in run.visited) == ("SUCCEEDED", "Rejected", False)
    assert run.calls_of("AnnounceRejected")[0]["Payload"]["detail"] == review


@pytest.mark.parametrize("timeout", ["States.Timeout", "States.HeartbeatTimeout"])
def test_a_review_that_nobody_answers_expires(timeout: str) -> None:
    run = execute(RequestReview=Throw(timeout, None))
    assert (run.status, run.visited[-1], "Release" in run.visited) == ("SUCCEEDED", "Expired", False)
    [closed] = run.calls_of("CloseReview")
    assert closed["Payload"] == {
        "kind": "package",
        "stage": None,
        "package": PACKAGE,
        "execution_arn": EXECUTION_ARN,
    }


@pytest.mark.parametrize(("decision", "end"), [(APPROVED, "Done"), (REJECTED, "Rejected")])
def test_a_decision_of_the_last_moment_counts(decision: dict[str, str], end: str) -> None:
    run = execute(RequestReview=Throw("States.Timeout", None), CloseReview=Return(decision))
    assert (run.status, run.visited[-1]) == ("SUCCEEDED", end)


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": 7}, {}])
def test_a_wrong_input_is_told_and_nothing_is_stopped(machine_input: dict[str, Any]) -> None:
    run = execute(machine_input, PlanTraining=Throw("InvalidRequestError", "image is missing"))
    assert run.visited == ["PlanTraining", "AnnounceFailure", "Failed"]
    assert (run.error, run.cause) == ("InvalidRequestError", "image is missing")
    [told] = run.calls_of("AnnounceFailure")
    assert isinstance(told["Payload"]["model"], str)
    assert told["Payload"]["error"] == {"Error": "InvalidRequestError", "Cause": "image is missing"}


@pytest.mark.parametrize("error", [Throw("States.TaskFailed", FAILED_JOB), Throw("States.Timeout", None)])
@pytest.mark.parametrize("state", [state for state in FALLIBLE if state != "RequestReview"])
def test_a_task_that_fails_or_times_out_ends_in_the_failure_route(state: str, error: Throw) -> None:
    run = execute(entry_for(state), **REACHED[state], **{state: error})
    cause = error.cause or ""
    assert run.visited[-4:] == ["StopTrainingJob", "StopTransformJob", "AnnounceFailure", "Failed"]
    assert (run.status, run.error, run.cause) == ("FAILED", error.error, cause)
    assert run.calls_of("StopTrainingJob") == [{"TrainingJobName": "iris-training-1"}]
    assert run.calls_of("StopTransformJob") == [{"TransformJobName": "iris-transform-1"}]
    [told] = run.calls_of("AnnounceFailure")
    assert (told["Payload"]["kind"], told["Payload"]["error"]) == ("failed", {"Error": error.error, "Cause": cause})


def test_a_review_that_cannot_be_asked_is_a_failure() -> None:
    run = execute(RequestReview=Throw("MailError", "no such identity"))
    assert (run.status, run.error, run.visited[-1]) == ("FAILED", "MailError", "Failed")


@pytest.mark.parametrize("state", ANNOUNCING)
def test_a_result_that_cannot_be_told_shows_as_a_failed_run(state: str) -> None:
    run = execute(IMAGE_INPUT, **ANNOUNCING[state], **{state: Throw("MailError", "refused")})
    assert (run.status, run.error, run.visited[-2:]) == ("FAILED", "MailError", ["AnnounceFailure", "Failed"])


@pytest.mark.parametrize("state", ["StopTrainingJob", "StopTransformJob", "AnnounceFailure"])
def test_the_failure_route_goes_on_where_a_step_of_it_fails_and_ends_with_the_first_error(state: str) -> None:
    run = execute(
        IMAGE_INPUT, **STOPPING, **{state: Throw("SageMaker.SageMakerException", "not in a state to be stopped")}
    )
    assert (run.error, run.cause) == ("States.TaskFailed", FAILED_JOB)
    assert run.visited[-4:] == ["StopTrainingJob", "StopTransformJob", "AnnounceFailure", "Failed"]


@pytest.mark.parametrize(("state", "error"), [(state, error) for state, errors in RETRIED.items() for error in errors])
def test_an_error_that_passes_is_tried_again(state: str, error: str) -> None:
    machine_input = entry_for(state)
    answer = straight(PACKAGE_PLAN if "package" in machine_input else PLAN)[state]
    run = execute(machine_input, **REACHED[state], **{state: [Throw(error), answer]})
    assert len(run.calls_of(state)) == 2
    assert run.waited


def test_every_task_has_a_timeout_and_every_state_says_its_purpose() -> None:
    definition = json.loads(MACHINE.read_text())
    assert definition["TimeoutSeconds"]
    for name, state in definition["States"].items():
        assert state.get("Comment"), name
        assert state["Type"] != "Task" or (state["TimeoutSeconds"] and state["Catch"]), name
        for retrier in state.get("Retry", []):
            assert "States.ALL" not in retrier["ErrorEquals"], name
            assert (retrier["MaxAttempts"] <= 8, retrier["JitterStrategy"]) == (True, "FULL"), name
