"""What ministack does otherwise than AWS when an execution ends: by hand, by time, or inside another one.

Each function names its gap, as in `ministack_patches`, which applies them.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.integrations import Integrations
from sagemaker_local.ministack import TaskError, states

type Request = Mapping[str, Any]

_POLL_SECONDS = 0.1
_asked: dict[str, Mapping[str, Any]] = {}  # the execution of each token that was given out


def close_tasks_that_wait_no_more() -> None:
    """Gap: a task takes an answer after its execution has ended, and a second answer in place of the first.

    AWS refuses both: the task "has already been closed" (Step Functions API reference, SendTaskSuccess).
    """
    with_callback = states._invoke_with_callback

    def callback(resource: str, arguments: dict[str, Any], token: str, state: Mapping[str, Any]) -> Any:
        _asked[token] = states._executions[ministack.running_execution.get()]
        return with_callback(resource, arguments, token, state)

    def waits(token: str) -> bool:
        task = states._task_tokens.get(token)
        return _asked[token]["status"] == "RUNNING" and task is not None and not task["event"].is_set()

    def while_it_waits(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        def answered(request: Request) -> Any:
            token = request.get("taskToken", "")
            if token in _asked and not waits(token):
                message = "Task Timed Out: 'Provided task does not exist anymore'"
                return states.error_response_json("TaskTimedOut", message, 400)
            return answer(request)

        return answered

    states._invoke_with_callback = callback
    states._send_task_success = while_it_waits(states._send_task_success)
    states._send_task_failure = while_it_waits(states._send_task_failure)
    states._send_task_heartbeat = while_it_waits(states._send_task_heartbeat)


def decide_answers_by_their_machine() -> None:
    """Gap: who may answer a task is decided on `*`; AWS lets in who may by the machine's ARN, too (aws-cdk#8486)."""

    def machine(_query: Mapping[str, Any], body: bytes) -> str | None:
        found = _asked.get(json.loads(body or b"{}").get("taskToken", ""))
        return str(found["stateMachineArn"]).split(":", 5)[5] if found else None

    ministack.name_resource("states", machine)


def fail_as_the_state_says() -> None:
    """Gap: a failed execution has an output; a Fail state has an error and a cause that it does not name."""
    fail, of_state = states._fail_execution, states._fail_state_error

    def failed(execution: dict[str, Any], error: str | None, cause: str | None) -> None:
        fail(execution, error, cause)
        execution["output"] = None
        details = execution["events"][-1].get("executionFailedEventDetails", {})
        for name in [name for name, value in details.items() if value is None]:
            del details[name]

    def named(state: Mapping[str, Any], *rest: Any) -> tuple[str | None, ...]:
        found = zip(("Error", "Cause"), of_state(state, *rest), strict=True)
        return tuple(value if name in state or f"{name}Path" in state else None for name, value in found)

    states._fail_execution, states._fail_state_error = failed, named


def say_why_executions_were_stopped() -> None:
    """Gap: the event of an execution that was stopped lacks the error and the cause that it was stopped with.

    AWS gives them (Step Functions Developer Guide, "Execution aborted" among the examples of its events).
    """

    def told(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["Source"] != "aws.states":
            return entry
        detail = json.loads(entry["Detail"])
        if detail["status"] == "ABORTED":
            stopped = states._executions[detail["executionArn"]]
            detail |= {"error": stopped.get("error"), "cause": stopped.get("cause")}
        return {**entry, "Detail": json.dumps(detail)}

    ministack.before_events_of_aws(told)


def run_nested_executions_as_any_other(integrations: Integrations) -> None:
    """Gap: a nested execution runs inside its task, which sees no stop of either, and its events are not sent.

    On AWS it is an execution like any other. Its task fails with States.TaskFailed and its description as the cause,
    and a parent that ends stops it, if its role may (Developer Guide, "Integrating services", Run a Job).
    """

    def run(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        child = _started(resource, arguments)
        parent = states._executions[ministack.running_execution.get()]
        while states._executions[child]["status"] == "RUNNING" and parent["status"] == "RUNNING":
            time.sleep(_POLL_SECONDS)
        if parent["status"] != "RUNNING":
            with suppress(TaskError):
                integrations.stop(child)
        return _nested_end(child, parsed=resource.endswith(":2"))

    states._invoke_nested_start_execution_sync = run


def _started(resource: str, arguments: dict[str, Any]) -> str:
    """Start a nested execution and return its ARN. Raises TaskError with the name that Step Functions gives it."""
    try:
        return str(states._invoke_nested_start_execution(resource, arguments)["ExecutionArn"])
    except TaskError as error:
        raise TaskError(f"StepFunctions.{error.error}Exception", error.cause) from error


def _nested_end(child: str, *, parsed: bool) -> dict[str, Any]:
    """Return the description of an execution that succeeded, with its output parsed. Raises TaskError for any other."""
    _, _, body = states._describe_execution({"executionArn": child})
    described = {name[0].upper() + name[1:]: value for name, value in json.loads(body).items() if value is not None}
    if described["Status"] == "SUCCEEDED":
        return {**described, "Output": json.loads(described["Output"])} if parsed else described
    # Only an execution that succeeded has an output.
    failed = {name: value for name, value in described.items() if not name.startswith("Output")}
    raise TaskError("States.TaskFailed", json.dumps(failed))
