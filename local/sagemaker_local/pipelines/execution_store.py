"""One execution as it is kept in the store; every change of a status is sent as an event."""

from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.errors import ApiError, conflict
from sagemaker_local.core.store import Record
from sagemaker_local.pipelines.events import EXECUTION_CHANGE, STEP_CHANGE, execution_detail, step_detail
from sagemaker_local.pipelines.model import Step

EXECUTION = "PipelineExecution"
MOST_REASON = 1300  # PipelineExecutionFailureReason of the API
_MOST_STEP_REASON = 1024  # FailureReason of the API


class ExecutionStore:
    """The stored record of one execution. Steps write it from several threads; one of them changes it at a time."""

    def __init__(self, cloud: Cloud, execution_arn: str) -> None:
        self._cloud = cloud
        self.arn = execution_arn

    def open(self, record: Record) -> None:
        """Keep a new execution; `announce` sends its event."""
        self._cloud.store.create(EXECUTION, self.arn, record)

    def reopen(self, **members: Any) -> str:
        """Let a failed or stopped execution execute again; its steps that succeeded stay. Return its status before.

        Raises:
            ApiError: ConflictException: it is neither failed nor stopped.
        """
        previous = ""

        def change(record: Record) -> None:
            nonlocal previous
            previous = record["PipelineExecutionStatus"]
            if previous not in {"Failed", "Stopped"}:
                raise conflict(f"Only failed or stopped executions can be retried; {self.arn} is {previous}.")
            kept = {name: step for name, step in record["Steps"].items() if step["StepStatus"] == "Succeeded"}
            record.update(PipelineExecutionStatus="Executing", Steps=kept, LastModifiedTime=self._cloud.clock())
            for member in ("EndTime", "FailureReason", "StopToken"):
                record.pop(member, None)
            record.update(members)

        self._cloud.store.change(EXECUTION, self.arn, change)
        return previous

    def announce(self, previous: str | None) -> None:
        """Send the event of the execution's status, which was `previous` before."""
        self._send_execution_event(self.record(), previous)

    def record(self) -> Record:
        """Return a copy of the record."""
        return self._cloud.store.get(EXECUTION, self.arn)

    def stop(self, token: str) -> None:
        """Let the execution be stopping; the same token again changes nothing.

        Raises:
            ApiError: ConflictException: it does not execute.
        """
        known = False

        def change(record: Record) -> None:
            nonlocal known
            known = record.get("StopToken") == token
            if not known and record["PipelineExecutionStatus"] != "Executing":
                raise _not_executing(self.arn, record["PipelineExecutionStatus"])
            if not known:
                now = self._cloud.clock()
                record.update(PipelineExecutionStatus="Stopping", StopToken=token, LastModifiedTime=now)

        record = self._cloud.store.change(EXECUTION, self.arn, change)
        if not known:
            self._send_execution_event(record, "Executing")

    def close(self, failure: str | None) -> None:
        """End the execution: Stopped where that was asked for in time, else Failed or Succeeded."""
        previous = ""

        def change(record: Record) -> None:
            nonlocal previous
            previous = record["PipelineExecutionStatus"]
            now = self._cloud.clock()
            ended = "Stopped" if previous == "Stopping" else "Succeeded" if failure is None else "Failed"
            record.update(PipelineExecutionStatus=ended, EndTime=now, LastModifiedTime=now)
            if ended == "Failed":
                # The API's pattern is one line.
                record["FailureReason"] = " ".join(str(failure).split())[:MOST_REASON]

        self._send_execution_event(self._cloud.store.change(EXECUTION, self.arn, change), previous)

    def begin(self, step: Step) -> None:
        """Let a step be starting."""
        entry = {
            "StepName": step.name,
            "StepType": step.type,
            "StepDisplayName": step.fields.get("DisplayName"),
            "StepDescription": step.fields.get("Description"),
            "StartTime": self._cloud.clock(),
            "StepStatus": "Starting",
            "AttemptCount": 1,
        }
        record = self._cloud.store.change(
            EXECUTION, self.arn, lambda record: record["Steps"].update({step.name: entry})
        )
        self._send_step_event(record, step.name, None)

    def advance(self, name: str, status: str, **members: Any) -> None:
        """Let a step have a status, and set members of it."""
        previous = ""

        def change(record: Record) -> None:
            nonlocal previous
            entry = record["Steps"][name]
            previous = entry["StepStatus"]
            entry.update(members, StepStatus=status)
            if status in {"Succeeded", "Failed", "Stopped"}:
                entry["EndTime"] = self._cloud.clock()
            if entry.get("FailureReason"):
                entry["FailureReason"] = entry["FailureReason"][:_MOST_STEP_REASON]
            record["LastModifiedTime"] = self._cloud.clock()

        record = self._cloud.store.change(EXECUTION, self.arn, change)
        if previous != status:
            self._send_step_event(record, name, previous)

    def _send_execution_event(self, record: Record, previous: str | None) -> None:
        self._send(EXECUTION_CHANGE, record, execution_detail(record, previous))

    def _send_step_event(self, record: Record, name: str, previous: str | None) -> None:
        self._send(STEP_CHANGE, record, step_detail(record, record["Steps"][name], previous))

    def _send(self, detail_type: str, record: Record, detail: dict[str, Any]) -> None:
        self._cloud.events.send(detail_type, [record["PipelineArn"], self.arn], detail)


def _not_executing(arn: str, status: str) -> ApiError:
    return conflict(
        f"Pipeline execution with ARN {arn} status {status}. Only pipelines with Executing status can be stopped."
    )
