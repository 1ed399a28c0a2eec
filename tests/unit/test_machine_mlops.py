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
    EXPIRED,
    FAILED_JOB,
    IMAGE_INPUT,
    MACHINE,
    PACKAGE,
    PACKAGE_EVALUATION,
    PACKAGE_INPUT,
    PACKAGE_PINNED,
    PACKAGE_PLAN,
    PINNED,
    PLAN,
    REJECTED,
    RELEASED,
    RETRIED,
    SUBSTITUTIONS,
    UNTESTED_EVALUATION,
    UNTESTED_PLAN,
    straight,
)

from signalbox.contracts.reviews import ReviewDecision
from signalbox.releases.model import Place
from signalbox.stages import Rollout, Stage
from signalbox.training.setup import LONGEST_TRAINING

# What leads a run to a task beside the straight way.
TO_CLOSE_REVIEW: dict[str, Mock] = {"RequestReview": Throw("States.Timeout", None)}
TO_FIND_MODEL: dict[str, Mock] = {"CreateModel": Throw("States.Timeout", None)}
TO_STOP: dict[str, Mock] = {"TrainModel": Throw("States.TaskFailed", FAILED_JOB)}
# The tasks after which a failure stops jobs and is told.
FALLIBLE: dict[str, dict[str, Mock]] = {
    "TrainModel": {},
    "PinModel": {},
    "CreateModel": {"FindModel": Throw("SageMaker.SageMakerException", "Could not find model")},
    "TransformTestData": {},
    "EvaluateModel": {},
    "CreateModelPackageGroup": {},
    "RegisterModel": {},
    "AttachEvidence": {},
    "RequestReview": {},
    "CloseReview": TO_CLOSE_REVIEW,
    "Release": {},
}
REACHED = (
    FALLIBLE
    | {"PlanTraining": {}, "FindModel": TO_FIND_MODEL}
    | dict.fromkeys(("StopTrainingJob", "StopTransformJob", "Announce"), TO_STOP)
)

RUNS: list[Run] = []


def execute(machine_input: Mapping[str, Any] = IMAGE_INPUT, **mocks: Any) -> Run:
    """Run the machine with every task succeeding but those named; keep the run for the last test."""
    run = run_machine(MACHINE, SUBSTITUTIONS, machine_input, straight(package="package" in machine_input) | mocks)
    RUNS.append(run)
    return run


def entry_for(state: str) -> Mapping[str, Any]:
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
        "PinModel",
        "ChooseTest",
        "CreateModel",
        "TransformTestData",
        "EvaluateModel",
        "ChooseRecord",
        "CreateModelPackageGroup",
        "RegisterModel",
        "RequestReview",
        "Release",
        "Done",
    ]
    assert run.output == {
        "outcome": "released",
        "model": "iris-decision-tree",
        "package": PACKAGE,
        "detail": RELEASED,
    }
    [planned] = run.calls_of("PlanTraining")
    assert planned["Payload"] == {"execution": "execution-1", "execution_arn": EXECUTION_ARN, "input": IMAGE_INPUT}


def test_a_package_that_is_not_tested_is_kept_and_reviewed_without_a_batch_transform() -> None:
    untested = UNTESTED_PLAN["evaluation"].get("untested")
    run = execute(PACKAGE_INPUT, PlanTraining=Return(UNTESTED_PLAN), EvaluateModel=Return(UNTESTED_EVALUATION))

    assert untested is not None
    assert run.visited[2:8] == [
        "PinModel",
        "ChooseTest",
        "EvaluateModel",
        "ChooseRecord",
        "AttachEvidence",
        "RequestReview",
    ]
    [asked] = run.calls_of("EvaluateModel")
    assert asked["Payload"]["plan"]["untested"] == untested
    assert run.calls_of("AttachEvidence") == [UNTESTED_EVALUATION["record"]]
    assert run.output["outcome"] == "released"


def test_the_requests_are_those_of_the_plan_and_of_the_evaluation() -> None:
    run = execute()
    requests = PLAN["requests"]
    assert run.calls_of("TrainModel") == [requests["training"]]
    [pinned] = run.calls_of("PinModel")
    assert pinned["Payload"] == {"plan": PLAN["pinning"], "model": requests["model"]}
    assert run.calls_of("CreateModel") == [PINNED["model"]]
    assert run.calls_of("TransformTestData") == [requests["transform"]]
    assert run.calls_of("CreateModelPackageGroup") == [requests["group"]]
    assert run.calls_of("RegisterModel") == [EVALUATION["record"]]


def test_the_evaluation_is_given_its_plan_and_the_training_that_ended() -> None:
    [evaluated] = execute().calls_of("EvaluateModel")
    assert evaluated["Payload"] == {
        "plan": PLAN["evaluation"],
        "content": PINNED["content"],
        "training": {"job": PLAN["names"]["training"], "seconds": 61},
        "execution_arn": EXECUTION_ARN,
    }


def test_a_training_without_a_known_time_took_none() -> None:
    [evaluated] = execute(TrainModel=Return({})).calls_of("EvaluateModel")
    assert evaluated["Payload"]["training"]["seconds"] == 0


def test_a_registered_package_is_not_trained_and_gets_its_evidence_attached() -> None:
    run = execute(PACKAGE_INPUT)
    assert run.status == "SUCCEEDED"
    assert not {"TrainModel", "CreateModelPackageGroup", "RegisterModel"} & set(run.visited)
    assert run.calls_of("AttachEvidence") == [PACKAGE_EVALUATION["record"]]
    assert run.calls_of("EvaluateModel")[0]["Payload"]["training"] is None
    assert run.calls_of("PinModel")[0]["Payload"]["model"] == PACKAGE_PLAN["requests"]["model"]
    assert run.calls_of("CreateModel") == [PACKAGE_PINNED["model"]]


@pytest.mark.parametrize(
    "lost",
    [Throw("States.Timeout", None), Throw("SageMaker.SageMakerException", "Cannot create already existing model")],
)
def test_a_model_that_was_made_though_its_answer_was_lost_is_found_and_the_run_goes_on(lost: Throw) -> None:
    run = execute(CreateModel=lost)
    assert run.calls_of("FindModel") == [{"ModelName": PLAN["names"]["model"]}]
    assert (run.status, "TransformTestData" in run.visited) == ("SUCCEEDED", True)


def test_a_review_after_a_lost_answer_is_told_as_a_review_and_not_as_a_failure() -> None:
    run = execute(IMAGE_INPUT, **TO_FIND_MODEL, **TO_CLOSE_REVIEW)
    assert (run.status, run.visited[-1]) == ("SUCCEEDED", "Done")
    assert run.calls_of("Announce")[0]["Payload"]["error"] is None


def test_a_model_that_was_not_made_fails_the_run_with_the_first_error() -> None:
    missing = Throw("SageMaker.SageMakerException", "Could not find model")
    run = execute(CreateModel=Throw("States.Timeout", None), FindModel=missing)
    assert (run.error, run.cause) == ("States.Timeout", "")
    assert run.visited[-6:] == ["FindModel", "StopTrainingJob", "StopTransformJob", "Announce", "ChooseEnd", "Failed"]


def test_a_model_that_is_refused_is_not_looked_for() -> None:
    run = execute(CreateModel=Throw("SageMaker.ResourceLimitExceededException", "too many models"))
    assert (run.error, "FindModel" in run.visited) == ("SageMaker.ResourceLimitExceededException", False)


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
        "model": "iris-decision-tree",
        "package": PACKAGE,
        "report": EVALUATION["report"],
        "expires_in": 604800,
    }


def test_the_release_machine_is_started_for_the_approved_package() -> None:
    [started] = execute().calls_of("Release")
    assert started["Name"] == "execution-1"
    assert started["Input"] == {
        "model": "iris-decision-tree",
        "package": PACKAGE,
        "trigger": "approved",
        "report": "s3://artifacts-bucket/evaluations/execution-1/report.json",
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": EXECUTION_ARN,
    }


@pytest.mark.parametrize("verdict", ["released", "superseded", "withdrawn", "declined", "expired", "nothing-to-do"])
def test_a_release_that_ended_well_is_the_outcome_and_is_told_by_the_release_machine(verdict: str) -> None:
    output = {"verdict": verdict, "stage": "prod"}
    run = execute(Release=Return({"Output": output}))
    assert (run.status, run.visited[-2:]) == ("SUCCEEDED", ["Release", "Done"])
    assert (run.output["outcome"], run.output["detail"]) == (verdict, output)
    assert run.calls_of("Announce") == []


def test_a_release_that_failed_is_told_with_the_description_of_the_nested_execution() -> None:
    cause = json.dumps({"ExecutionArn": "arn:release", "Status": "FAILED", "Error": "VerificationError"})
    run = execute(Release=Throw("States.TaskFailed", cause))
    assert (run.status, run.error, run.cause) == ("FAILED", "States.TaskFailed", cause)
    [told] = run.calls_of("Announce")
    assert told["Payload"]["error"] == {"Error": "States.TaskFailed", "Cause": cause}


@pytest.mark.parametrize("error", ["ReviewRejected", "States.Timeout", "States.HeartbeatTimeout"])
@pytest.mark.parametrize("decision", [REJECTED, EXPIRED])
def test_a_review_that_did_not_approve_is_read_told_and_no_failure(decision: ReviewDecision, error: str) -> None:
    cause = json.dumps({"decision": "said by the cause, which nobody reads"})
    run = execute(RequestReview=Throw(error, cause), CloseReview=Return(decision))
    assert run.visited[-5:] == ["CloseReview", "ChooseDecision", "Announce", "ChooseEnd", "Done"]
    assert run.calls_of("CloseReview")[0]["Payload"] == {
        "execution_arn": EXECUTION_ARN,
        "kind": "package",
        "stage": None,
    }
    assert run.calls_of("Announce")[0]["Payload"] == {
        "model": "iris-decision-tree",
        "package": PACKAGE,
        "execution_arn": EXECUTION_ARN,
        "decision": decision,
        "error": None,
        "release": None,
    }
    assert run.status == "SUCCEEDED"
    assert run.output == {
        "outcome": decision["decision"],
        "model": "iris-decision-tree",
        "package": PACKAGE,
        "detail": decision,
    }


def test_an_approval_of_the_last_moment_counts() -> None:
    run = execute(RequestReview=Throw("States.Timeout", None), CloseReview=Return(APPROVED))
    assert (run.status, run.output["outcome"]) == ("SUCCEEDED", "released")


def test_a_review_that_approved_is_not_told_as_what_ended_the_run() -> None:
    run = execute(IMAGE_INPUT, **TO_CLOSE_REVIEW, CloseReview=Return(APPROVED), Release=Throw("States.TaskFailed"))
    [told] = run.calls_of("Announce")
    assert (told["Payload"]["decision"], told["Payload"]["error"]["Error"]) == (None, "States.TaskFailed")


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": 7}, {}])
def test_a_wrong_input_is_told_and_nothing_is_stopped(machine_input: dict[str, Any]) -> None:
    run = execute(machine_input, PlanTraining=Throw("InvalidRequestError", "image is missing"))
    assert run.visited == ["PlanTraining", "Announce", "ChooseEnd", "Failed"]
    assert (run.error, run.cause) == ("InvalidRequestError", "image is missing")
    [told] = run.calls_of("Announce")
    assert isinstance(told["Payload"].pop("model"), str)
    assert told["Payload"] == {
        "package": None,
        "execution_arn": EXECUTION_ARN,
        "decision": None,
        "error": {"Error": "InvalidRequestError", "Cause": "image is missing"},
        "release": None,
    }


@pytest.mark.parametrize("error", [Throw("States.TaskFailed", FAILED_JOB), Throw("States.Timeout", None)])
@pytest.mark.parametrize("state", [state for state in FALLIBLE if state != "RequestReview"])
def test_a_task_that_fails_or_times_out_ends_in_the_failure_route(state: str, error: Throw) -> None:
    run = execute(entry_for(state), **(REACHED[state] | {state: error}))
    plan = PACKAGE_PLAN if state == "AttachEvidence" else PLAN
    assert run.visited[-5:] == ["StopTrainingJob", "StopTransformJob", "Announce", "ChooseEnd", "Failed"]
    assert (run.status, run.error, run.cause) == ("FAILED", error.error, error.cause or "")
    assert run.calls_of("StopTrainingJob") == [{"TrainingJobName": plan["names"]["training"]}]
    assert run.calls_of("StopTransformJob") == [{"TransformJobName": plan["names"]["transform"]}]
    [told] = run.calls_of("Announce")
    failure = {"Error": error.error} | ({"Cause": error.cause} if error.cause else {})
    assert (told["Payload"]["error"], told["Payload"]["decision"]) == (failure, None)


def test_a_review_that_cannot_be_asked_is_a_failure() -> None:
    run = execute(RequestReview=Throw("MailError", "no such identity"))
    assert (run.status, run.error, run.visited[-1]) == ("FAILED", "MailError", "Failed")


def test_a_result_that_cannot_be_told_shows_as_a_failed_run() -> None:
    run = execute(IMAGE_INPUT, **TO_CLOSE_REVIEW, Announce=Throw("MailError", "refused"))
    assert (run.status, run.error, run.cause) == ("FAILED", "MailError", "refused")
    assert run.visited[-2:] == ["Announce", "Failed"]


@pytest.mark.parametrize("state", ["StopTrainingJob", "StopTransformJob", "Announce"])
def test_the_failure_route_goes_on_where_a_step_of_it_fails_and_ends_with_the_first_error(state: str) -> None:
    refused = Throw("SageMaker.SageMakerException", "not in a state to be stopped")
    run = execute(IMAGE_INPUT, **TO_STOP, **{state: refused})
    assert (run.error, run.cause) == ("States.TaskFailed", FAILED_JOB)
    route = ["StopTrainingJob", "StopTransformJob", "Announce"]
    assert [name for name in run.visited if name in route] == route
    assert run.visited[-1] == "Failed"


@pytest.mark.parametrize(("state", "error"), [(state, error) for state, errors in RETRIED.items() for error in errors])
def test_an_error_that_passes_is_tried_again(state: str, error: str) -> None:
    machine_input = entry_for(state)
    answer = straight(package="package" in machine_input)[state]
    run = execute(machine_input, **(REACHED[state] | {state: [Throw(error), answer]}))
    assert len(run.calls_of(state)) == 2
    assert run.waited


DAY = 86_400
LONGEST_REVIEW = 30 * DAY  # the parameter ReviewSeconds, and a stage's `review_seconds`
YEAR = 365 * DAY  # no execution is older (Step Functions quotas)


def test_no_run_is_ended_by_the_time_of_the_whole_machine_which_nobody_would_be_told_of() -> None:
    definition = json.loads(MACHINE.read_text())
    tasks = {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}
    longest = {"RequestReview": LONGEST_REVIEW, "TrainModel": LONGEST_TRAINING + 3_600}
    seconds = {name: longest.get(name) or state["TimeoutSeconds"] for name, state in tasks.items()}
    # What is tried again is refused at once, but for what a timeout ended.
    timed_out = {name: 1 + most_timeouts(state) for name, state in tasks.items()}

    assert sum(seconds[name] * timed_out[name] for name in tasks) <= definition["TimeoutSeconds"] <= YEAR


def most_timeouts(state: dict[str, Any]) -> int:
    """Return how often a task is tried again after its own timeout."""
    return max(
        (rule["MaxAttempts"] for rule in state.get("Retry", []) if "States.Timeout" in rule["ErrorEquals"]), default=0
    )


def test_a_release_has_the_time_for_a_long_review_of_every_stage() -> None:
    release = json.loads(MACHINE.read_text())["States"]["Release"]["TimeoutSeconds"]
    machine = json.loads((MACHINE.parent / "release.asl.json").read_text())["TimeoutSeconds"]
    slowest = Stage("prod", "ml.m5.large", 100, rollout=Rollout("linear", 10, 3_600), review_seconds=LONGEST_REVIEW)
    longest = 10 * (slowest.review_seconds + Place(slowest, "endpoint").patience_seconds)

    assert longest <= release <= machine <= YEAR


def test_every_task_has_a_timeout_and_every_state_says_its_purpose() -> None:
    definition = json.loads(MACHINE.read_text())
    assert definition["TimeoutSeconds"]
    for name, state in definition["States"].items():
        assert state.get("Comment"), name
        assert state["Type"] != "Task" or (state["TimeoutSeconds"] and state["Catch"]), name
        for retrier in state.get("Retry", []):
            assert "States.ALL" not in retrier["ErrorEquals"], name
            assert (retrier["MaxAttempts"] <= 8, retrier["JitterStrategy"]) == (True, "FULL"), name
