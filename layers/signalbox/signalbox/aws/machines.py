"""Step Functions: starting state machines, and answering their tasks that wait with a token."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, translated

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_CLOSED = frozenset({"TaskTimedOut", "TaskDoesNotExist"})
# An execution that failed, was stopped or ran out of time does nothing more with an answer.
_GOING_ON = frozenset({"RUNNING", "SUCCEEDED"})


class TaskClosedError(Exception):
    """The task waits no more: it was answered before, or it timed out, or its execution ended."""

    def __init__(self) -> None:
        super().__init__("the task waits no more: it was answered, or ran out of time, or its execution ended")


class StateMachines:
    """The state machines. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, stepfunctions: "SFNClient | None" = None) -> None:
        self._stepfunctions: SFNClient = stepfunctions or clients.client("stepfunctions")

    def start(self, machine: str, name: str, machine_input: Mapping[str, object]) -> bool:
        """Start an execution; False if one of this name was started before.

        Step Functions keeps a name for 90 days; while the execution runs, the same name and input is no error either. A
        name that is taken when the library repeats the call was taken by its first try, whose answer was lost.
        """
        try:
            with translated(f"states:StartExecution of {name}"):
                self._stepfunctions.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(machine_input, sort_keys=True)
                )
        except CallRefusedError as error:
            if error.code != "ExecutionAlreadyExists":
                raise
            return error.repeated
        return True

    def goes_on(self, execution: str) -> bool:
        """Say whether an execution is at work, or came to its end: False where it failed, was stopped or is unknown."""
        try:
            with translated(f"states:DescribeExecution of {execution}"):
                found = self._stepfunctions.describe_execution(executionArn=execution)
        except CallRefusedError as error:
            if error.code != "ExecutionDoesNotExist":
                raise
            return False
        return found["status"] in _GOING_ON

    def succeed(self, token: str, output: Mapping[str, object]) -> None:
        """Answer a waiting task.

        Raises:
            TaskClosedError: it waits no more.
        """
        with _closed(), translated("states:SendTaskSuccess"):
            self._stepfunctions.send_task_success(taskToken=token, output=json.dumps(output))

    def fail(self, token: str, error: str, cause: Mapping[str, object]) -> None:
        """Fail a waiting task with a named error.

        Raises:
            TaskClosedError: it waits no more.
        """
        with _closed(), translated("states:SendTaskFailure"):
            self._stepfunctions.send_task_failure(taskToken=token, error=error, cause=json.dumps(cause))


@contextmanager
def _closed() -> Iterator[None]:
    try:
        yield
    except CallRefusedError as error:
        if error.code in _CLOSED:
            raise TaskClosedError from error
        raise
