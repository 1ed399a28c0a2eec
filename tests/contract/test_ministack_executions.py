"""What `ministack_executions` closes: how executions end, and what becomes of those who wait for them.

`test_ministack_patches` holds each function to the test that sees its gap in plain ministack.
"""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.test_faults import asked, waiting_machine
from tests.contract.world import World, allow, code, name, until
from tests.sagemaker_local.support.ministack_modules import ministack

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_executions.py, and this test"
STS: Any = importlib.import_module("ministack.services.sts")  # with the environment that `ministack_modules` gave it
ANSWERS: dict[str, Callable[[Any, str], Any]] = {
    "success": lambda states, token: states.send_task_success(taskToken=token, output="{}"),
    "failure": lambda states, token: states.send_task_failure(taskToken=token, error="No", cause="{}"),
    "heartbeat": lambda states, token: states.send_task_heartbeat(taskToken=token),
}


def _refused(world: World, answer: Callable[[Any, str], Any], token: str) -> str:
    """Return the code of the error that an answer is refused with; "" where it is taken."""
    try:
        answer(world.client("stepfunctions"), token)
    except ClientError as error:
        return code(error)
    return ""


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_task_of_an_execution_that_was_stopped_takes_no_answer(
    answer: Callable[[Any, str], Any], plain: World, cloud: World, tmp_path: Path
) -> None:
    def stopped(world: World, folder: Path) -> str:
        folder.mkdir()
        execution, token = asked(world, folder)
        world.client("stepfunctions").stop_execution(executionArn=execution)
        return _refused(world, answer, token)

    assert stopped(plain, tmp_path / "plain") == "", CLOSED
    assert stopped(cloud, tmp_path / "cloud") == "TaskTimedOut"


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_task_whose_time_is_up_takes_no_answer(
    answer: Callable[[Any, str], Any], cloud: World, tmp_path: Path
) -> None:
    execution, token = asked(cloud, tmp_path, TimeoutSeconds=2)
    failed = _end(cloud, execution)

    assert (failed["status"], failed["error"]) == ("FAILED", "States.Timeout")
    assert _refused(cloud, answer, token) == "TaskTimedOut"


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_task_that_was_answered_takes_no_other_answer(
    answer: Callable[[Any, str], Any], cloud: World, tmp_path: Path
) -> None:
    _, token = asked(cloud, tmp_path)

    assert _refused(cloud, ANSWERS["heartbeat"], token) == ""
    assert _refused(cloud, ANSWERS["success"], token) == ""
    assert _refused(cloud, answer, token) == "TaskTimedOut"
    assert _refused(cloud, answer, "nobody's") == "TaskDoesNotExist"


def _ends(world: World, machine: str) -> Callable[[], dict[str, Any]]:
    """Listen to a machine's executions; what is returned waits for the next end, and returns its event's detail."""
    events, sqs = world.client("events"), world.client("sqs")
    queue, rule = sqs.create_queue(QueueName=name("queue"))["QueueUrl"], name("rule")
    ended = ["ABORTED", "FAILED", "SUCCEEDED", "TIMED_OUT"]
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ended}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rsplit('/', maxsplit=1)[-1]}"
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": target}])

    def end() -> dict[str, Any]:
        (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages", []))
        detail: dict[str, Any] = json.loads(message["Body"])["detail"]
        return detail

    return end


def _start(world: World, machine: str) -> str:
    return str(world.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"])


@pytest.mark.parametrize("words", [{"error": "Stopped", "cause": "wrong data"}, {"cause": "wrong data"}, {}])
def test_the_event_of_a_stop_says_the_error_and_the_cause(words: dict[str, str], plain: World, cloud: World) -> None:
    def stopped(world: World) -> dict[str, Any]:
        machine = waiting_machine(world)
        end = _ends(world, machine)
        world.client("stepfunctions").stop_execution(executionArn=_start(world, machine), **words)
        return end()

    assert (stopped(plain)["error"], stopped(plain)["cause"]) == (None, None), CLOSED
    told = stopped(cloud)
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", words.get("error"), words.get("cause"))


def test_an_execution_that_runs_out_of_time_is_told_in_an_event(cloud: World) -> None:
    waiting = {"TimeoutSeconds": 1, "StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    machine = cloud.client("stepfunctions").create_state_machine(
        name=name("machine"), definition=json.dumps(waiting), roleArn=cloud.role(service="states.amazonaws.com")
    )["stateMachineArn"]
    end = _ends(cloud, machine)
    execution = _start(cloud, machine)

    told = end()
    assert (told["status"], told["executionArn"]) == ("TIMED_OUT", execution)


def _nesting(child: str) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": child, "Name": "{% $states.context.Execution.Name %}", "Input": {}},
        "TimeoutSeconds": 60,
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": task}}


def _nested(world: World, child: str, *rights: str) -> tuple[str, str]:
    """Start an execution with another one inside it; return both their ARNs as soon as both run."""
    states = world.client("stepfunctions")
    role = world.role(allow(*(rights or ("*",))), service="states.amazonaws.com")
    machine = states.create_state_machine(name=name("parent"), definition=json.dumps(_nesting(child)), roleArn=role)[
        "stateMachineArn"
    ]
    parent = _start(world, machine)

    _, _, named = parent.rpartition(":")

    def running() -> str | None:
        executions = states.list_executions(stateMachineArn=child)["executions"]
        return next((str(one["executionArn"]) for one in executions if one["name"] == named), None)

    return parent, until(running)


def _end(world: World, execution: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = world.client("stepfunctions").describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return until(ended)


def test_a_failed_nested_execution_is_a_failed_task(plain: World, cloud: World) -> None:
    def nest(world: World) -> dict[str, Any]:
        child = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "ChildError", "Cause": "child"}}}
        machine = world.client("stepfunctions").create_state_machine(
            name=name("child"), definition=json.dumps(child), roleArn=world.role(service="states.amazonaws.com")
        )["stateMachineArn"]
        return world.run_machine(_nesting(machine), allow("*"))

    assert nest(plain)["error"] == "ChildError", CLOSED
    failed = nest(cloud)
    assert failed["error"] == "States.TaskFailed"
    told = json.loads(failed["cause"])
    assert (told["Error"], told["Cause"], told["Status"], told["Input"]) == ("ChildError", "child", "FAILED", "{}")
    assert told["ExecutionArn"].split(":")[6:] == [told["StateMachineArn"].split(":")[6], told["Name"]]
    assert told["StartDate"] <= told["StopDate"]


def test_the_output_of_a_nested_execution_is_that_of_its_task(cloud: World) -> None:
    child = {"StartAt": "Yes", "States": {"Yes": {"Type": "Pass", "Result": {"n": 1}, "End": True}}}
    machine = cloud.client("stepfunctions").create_state_machine(
        name=name("child"), definition=json.dumps(child), roleArn=cloud.role(service="states.amazonaws.com")
    )["stateMachineArn"]

    output = json.loads(cloud.run_machine(_nesting(machine), allow("*"))["output"])

    assert (output["Status"], output["Output"], output["Input"]) == ("SUCCEEDED", {"n": 1}, "{}")
    assert output["ExecutionArn"].rsplit(":", 1)[-1] == output["Name"]


def test_a_name_that_a_nested_execution_has_used_is_refused(cloud: World) -> None:
    machine = waiting_machine(cloud)
    cloud.client("stepfunctions").stop_execution(
        executionArn=cloud.client("stepfunctions").start_execution(stateMachineArn=machine, name="n")["executionArn"]
    )
    nesting = _nesting(machine)
    nesting["States"]["Only"]["Arguments"]["Name"] = "n"

    assert cloud.run_machine(nesting, allow("*"))["error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_a_nested_execution_that_is_stopped_while_it_waits_for_a_token_fails_its_task_and_is_told(
    cloud: World, tmp_path: Path
) -> None:
    execution, _ = asked(cloud, tmp_path)
    machine = cloud.client("stepfunctions").describe_execution(executionArn=execution)["stateMachineArn"]
    (tmp_path / "token").unlink()
    parent, child = _nested(cloud, machine)
    until((tmp_path / "token").exists)
    end = _ends(cloud, machine)

    cloud.client("stepfunctions").stop_execution(executionArn=child, error="Stopped", cause="wrong data")

    failed = _end(cloud, parent)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    told = json.loads(failed["cause"])
    assert (told["ExecutionArn"], told["Status"], told["Error"], told["Cause"]) == (
        child,
        "ABORTED",
        "Stopped",
        "wrong data",
    )
    event = end()
    assert (event["executionArn"], event["status"], event["cause"]) == (child, "ABORTED", "wrong data")


@pytest.mark.parametrize(("rights", "then"), [(("*",), "ABORTED"), (("states:StartExecution", "events:*"), "RUNNING")])
def test_a_parent_that_is_stopped_stops_what_is_nested_in_it_if_its_role_may(
    rights: tuple[str, ...], then: str, cloud: World
) -> None:
    parent, child = _nested(cloud, waiting_machine(cloud), *rights)

    cloud.client("stepfunctions").stop_execution(executionArn=parent)

    states = cloud.client("stepfunctions")

    def looked() -> bool:
        history = states.get_execution_history(executionArn=parent)["events"]
        return any(event["type"] == "TaskFailed" for event in history)

    until(looked)
    assert states.describe_execution(executionArn=child)["status"] == then


class _BeginsAnother(dict[str, Any]):
    """A session; while it is looked at, another one begins."""

    def get(self, key: str, default: Any = None) -> Any:
        STS._sessions[name("key")] = {}
        return super().get(key, default)


def test_a_session_may_begin_while_ended_ones_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STS, "_sessions", {"first": _BeginsAnother(), "ended": {"Expiration": 1}})
    monkeypatch.setattr(STS, "_evict_expired_sessions", STS._evict_expired_sessions)
    with pytest.raises(RuntimeError, match="changed size during iteration"):  # CLOSED
        STS.register_session("mine", {})

    ministack.look_through_a_copy_of_sessions()
    STS.register_session("mine", {})

    assert {"first", "mine"} <= STS._sessions.keys()
    assert "ended" not in STS._sessions
