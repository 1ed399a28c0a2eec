"""State machines are started once for each name, and tasks that wait are answered once."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.machines import StateMachines, TaskClosedError

RELEASE = "arn:aws:states:us-east-1:123456789012:stateMachine:release"
STARTED: dict[str, Any] = {
    "executionArn": "arn:aws:states:us-east-1:123456789012:execution:release:name",
    "startDate": 0,
}


def machines(**answers: Any) -> tuple[StateMachines, RecordingClient]:
    """Return the state machines over a client that answers so."""
    client: Any = RecordingClient("stepfunctions", answers)
    return StateMachines(client), client


def test_an_execution_is_started_once_per_name() -> None:
    states, client = machines(start_execution=[STARTED, client_error("ExecutionAlreadyExists")])

    assert states.start(RELEASE, "name", {"b": "2", "a": "1"})
    assert not states.start(RELEASE, "name", {"a": "1", "b": "2"})
    first, second = client.requests("StartExecution")
    assert first == second == {"stateMachineArn": RELEASE, "name": "name", "input": '{"a": "1", "b": "2"}'}


@pytest.mark.parametrize(("repetitions", "started"), [(0, False), (1, True)])
def test_a_name_that_is_taken_only_when_a_call_is_repeated_was_taken_by_its_first_try(
    repetitions: int, started: bool
) -> None:
    taken = client_error("ExecutionAlreadyExists")
    taken.response["ResponseMetadata"]["RetryAttempts"] = repetitions
    states, _ = machines(start_execution=taken)

    assert states.start(RELEASE, "name", {}) is started


def test_a_machine_that_does_not_exist_is_a_refusal() -> None:
    states, _ = machines(start_execution=client_error("StateMachineDoesNotExist", "no such machine"))

    with pytest.raises(CallRefusedError, match="states:StartExecution of name was refused: StateMachineDoesNotExist"):
        states.start(RELEASE, "name", {})


@pytest.mark.parametrize(
    "problem", [client_error("ThrottlingException", "slow"), EndpointConnectionError(endpoint_url="https://states")]
)
def test_step_functions_that_cannot_answer_now_is_busy(problem: Exception) -> None:
    states, _ = machines(start_execution=problem, send_task_success=problem, send_task_failure=problem)

    with pytest.raises(ServiceBusyError, match="states:StartExecution of name"):
        states.start(RELEASE, "name", {})
    with pytest.raises(ServiceBusyError, match="states:SendTaskSuccess"):
        states.succeed("token", {})
    with pytest.raises(ServiceBusyError, match="states:SendTaskFailure"):
        states.fail("token", "ReviewRejected", {})


def test_a_waiting_task_is_answered_with_json() -> None:
    states, client = machines()

    states.succeed("token-1", {"decision": "approved"})
    states.fail("token-2", "ReviewRejected", {"reason": "bad"})

    assert client.requests("SendTaskSuccess") == [
        {"taskToken": "token-1", "output": json.dumps({"decision": "approved"})}
    ]
    assert client.requests("SendTaskFailure") == [
        {"taskToken": "token-2", "error": "ReviewRejected", "cause": json.dumps({"reason": "bad"})}
    ]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
def test_a_task_that_waits_no_more_says_so(code: str) -> None:
    states, _ = machines(send_task_success=client_error(code), send_task_failure=client_error(code))

    with pytest.raises(TaskClosedError, match="waits no more"):
        states.succeed("token", {})
    with pytest.raises(TaskClosedError):
        states.fail("token", "ReviewRejected", {})


@pytest.mark.parametrize(
    ("status", "expected"),
    [("RUNNING", True), ("SUCCEEDED", True), ("FAILED", False), ("TIMED_OUT", False), ("ABORTED", False)],
)
def test_an_execution_goes_on_while_it_runs_and_when_it_came_to_its_end(status: str, expected: bool) -> None:
    states, client = machines(describe_execution={"status": status})

    assert states.goes_on(STARTED["executionArn"]) is expected
    assert client.requests("DescribeExecution") == [{"executionArn": STARTED["executionArn"]}]


def test_an_execution_that_nobody_knows_any_more_does_not_go_on() -> None:
    states, _ = machines(describe_execution=client_error("ExecutionDoesNotExist"))
    assert not states.goes_on("arn")

    states, _ = machines(describe_execution=client_error("AccessDeniedException"))
    with pytest.raises(CallRefusedError, match="states:DescribeExecution of arn was refused"):
        states.goes_on("arn")


def test_a_token_that_is_none_is_a_refusal() -> None:
    states, _ = machines(send_task_success=client_error("InvalidToken", "not a token"))

    with pytest.raises(CallRefusedError, match="states:SendTaskSuccess was refused: InvalidToken not a token"):
        states.succeed("token", {})
