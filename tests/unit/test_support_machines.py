"""The harness that the machines' tests stand on."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.machines import EXECUTION_ARN, TASK_TOKEN, MachineTestError, Return, Throw, run_machine, unvisited

CATCH = [{"ErrorEquals": ["States.ALL"], "Assign": {"failure": "{% $states.errorOutput %}"}, "Next": "Failed"}]
NUMBER = "{% $states.context.Execution.Input.number %}"
MACHINE: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "${AskArn}",
                "Payload": {"number": NUMBER},
            },
            "TimeoutSeconds": "{% ${Seconds} %}",
            "Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 30, "MaxAttempts": 2}],
            "Catch": CATCH,
            "Assign": {"answer": "{% $states.result.Payload.answer %}"},
            "Next": "Choose",
        },
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $answer = 'wait' %}", "Next": "Pause"}],
            "Default": "Stop",
        },
        "Pause": {"Type": "Wait", "Seconds": 3600, "Next": "Ask"},
        "Stop": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:stopTrainingJob",
            "Arguments": {"TrainingJobName": "{% $answer %}"},
            "TimeoutSeconds": 60,
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "{% $failure.Error %}", "Cause": "{% $string($failure) %}"},
    },
}
SUBSTITUTIONS = {"AskArn": "arn:aws:lambda:us-east-1:123456789012:function:ask", "Seconds": "60"}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    path = tmp_path / "machine.asl.json"
    path.write_text(json.dumps(MACHINE))
    return path


def test_a_run_records_states_calls_and_waits_without_waiting(machine: Path) -> None:
    mocks: dict[str, Any] = {"Ask": [Return({"answer": "wait"}), Return({"answer": "job-1"})], "Stop": Return({})}
    run = run_machine(machine, SUBSTITUTIONS, {"number": 7}, mocks)
    assert run.status == "SUCCEEDED"
    assert run.visited == ["Ask", "Choose", "Pause", "Ask", "Choose", "Stop", "Done"]
    assert run.calls_of("Stop") == [{"TrainingJobName": "job-1"}]
    assert run.calls_of("Ask")[0] == {"FunctionName": SUBSTITUTIONS["AskArn"], "Payload": {"number": 7}}
    assert run.waited == [3600]


def test_a_caught_timeout_has_no_cause(machine: Path) -> None:
    run = run_machine(machine, SUBSTITUTIONS, {"number": 7}, {"Ask": Throw("States.Timeout", None)})
    assert (run.status, run.error, json.loads(run.cause or "")) == (
        "FAILED",
        "States.Timeout",
        {"Error": "States.Timeout"},
    )


def test_a_runtime_error_is_not_caught_by_all(machine: Path) -> None:
    run = run_machine(machine, SUBSTITUTIONS, {"number": 7}, {"Ask": Throw("States.Runtime", "broken")})
    assert (run.status, run.visited) == ("FAILED", ["Ask"])


def test_unvisited_names_every_state_and_edge_that_no_run_went_through(machine: Path) -> None:
    straight: dict[str, Any] = {"Ask": Return({"answer": "job-1"}), "Stop": Return({})}
    runs = [run_machine(machine, SUBSTITUTIONS, {"number": 7}, straight)]
    left = ["Ask catch 0 -> Failed", "Ask retry 0 Lambda.ServiceException"]
    left += ["Choose choice 0 -> Pause", "Pause", "Pause -> Ask", "Failed"]
    assert unvisited(machine, runs) == left
    mocks: dict[str, Any] = {"Ask": [Throw("Lambda.ServiceException"), Return({"answer": "wait"}), Throw("AskError")]}
    runs.append(run_machine(machine, SUBSTITUTIONS, {"number": 7}, mocks))
    assert unvisited(machine, runs) == []


@pytest.mark.parametrize(
    ("mocks", "problem"),
    [
        ({}, "Ask was called and has no mock"),
        ({"Ask": []}, "once more than it has mocks"),
        ({"Akk": Return({})}, "does not have"),
        ({"Ask": Return({"answer": "under_score"}), "Stop": Return({})}, "does not match"),
        ({"Ask": Return({"answer": "job-1"}), "Stop": Return({"Nope": 1})}, "not an answer"),
    ],
)
def test_a_wrong_mock_or_argument_fails_the_test_and_not_only_the_execution(
    machine: Path, mocks: dict[str, Any], problem: str
) -> None:
    with pytest.raises(MachineTestError, match=problem):
        run_machine(machine, SUBSTITUTIONS, {"number": 7}, mocks)


@pytest.mark.parametrize("substitutions", [{}, SUBSTITUTIONS | {"Other": "x"}])
def test_substitutions_have_to_be_exactly_those_of_the_file(machine: Path, substitutions: dict[str, str]) -> None:
    with pytest.raises(MachineTestError, match="substitutions differ"):
        run_machine(machine, substitutions, {}, {})


def test_a_timeout_that_is_no_whole_number_fails_the_test(machine: Path) -> None:
    with pytest.raises(MachineTestError, match="TimeoutSeconds of Ask"):
        run_machine(machine, SUBSTITUTIONS | {"Seconds": "'soon'"}, {}, {"Ask": Return({})})


def test_a_loop_without_end_is_reported(machine: Path) -> None:
    with pytest.raises(MachineTestError, match="entered 500 states"):
        run_machine(machine, SUBSTITUTIONS, {"number": 7}, {"Ask": Return({"answer": "wait"})})


def test_the_token_and_the_execution_are_known_to_the_test(tmp_path: Path) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": "ask",
            "Payload": {"token": "{% $states.context.Task.Token %}", "execution": "{% $states.context.Execution.Id %}"},
        },
        "End": True,
    }
    path = tmp_path / "machine.asl.json"
    path.write_text(json.dumps({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": state}}))
    run = run_machine(path, {}, {}, {"Ask": Return({"decision": "approved"})})
    assert run.output == {"decision": "approved"}
    assert run.calls_of("Ask")[0]["Payload"] == {"token": TASK_TOKEN, "execution": EXECUTION_ARN}
