"""The events of executions and their steps, in the spelling of pipelines: camelCase members and ISO times."""

from datetime import UTC, datetime
from typing import Any

from sagemaker_local.core.store import Record

EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
STEP_CHANGE = "SageMaker Model Building Pipeline Execution Step Status Change"


def execution_detail(record: Record, previous: str | None) -> dict[str, Any]:
    """Return the detail of an execution's change of status from `previous`; what is not known is left out."""
    return _known(
        {
            "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
            "currentPipelineExecutionStatus": record["PipelineExecutionStatus"],
            "previousPipelineExecutionStatus": previous,
            "executionStartTime": _iso(record["StartTime"]),
            "executionEndTime": _iso(record.get("EndTime")),
            "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
            **_arns(record),
        }
    )


def step_detail(record: Record, step: Record, previous: str | None) -> dict[str, Any]:
    """Return the detail of a step's change of status from `previous`; what is not known is left out."""
    return _known(
        {
            "metadata": camel(step.get("Metadata", {})),
            "stepStartTime": _iso(step["StartTime"]),
            "stepEndTime": _iso(step.get("EndTime")),
            "stepName": step["StepName"],
            "stepType": step["StepType"],
            "previousStepStatus": previous,
            "currentStepStatus": step["StepStatus"],
            "cacheHitResult": camel(step.get("CacheHitResult")),
            "failureReason": step.get("FailureReason"),
            **_arns(record),
        }
    )


def camel(value: Any) -> Any:
    """Return a value with the members of its structures in camelCase."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: camel(item) for name, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def _arns(record: Record) -> dict[str, str]:
    return {"pipelineArn": record["PipelineArn"], "pipelineExecutionArn": record["PipelineExecutionArn"]}


def _known(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if value is not None}


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
