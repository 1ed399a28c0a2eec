"""Try a pipeline: put it in place, give it data, follow it to its end, and fetch what it has found."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signalbox_operate.projects import checking, code, pipelines
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.stack import OperateError

_POLL_SECONDS = 0.5
_ENDED = {"Succeeded", "Failed", "Stopped"}
_STEP_ENDED = {"Succeeded", "Failed", "Stopped"}


@dataclass(frozen=True)
class Trial:
    """A trial's wishes: which pipeline, on which files, with which parameters besides the one that takes the files."""

    project: Project
    entry: PipelineEntry
    files: Sequence[Path]
    parameters: Mapping[str, str] = field(default_factory=dict)


def start(trial: Trial, target: Any, session: Any) -> str:
    """Put the pipeline in place and start it; return the execution's ARN.

    Raises:
        OperateError: the project is wrong, or the pipeline takes no files.
    """
    made = checking.check(trial.project, target)
    s3, sagemaker = session.client("s3"), session.client("sagemaker")
    if trial.entry.code is not None:
        code.upload(trial.project.name, code.read(trial.entry.code), target.artifacts_bucket, s3)
    _, partition, _, _, account, _ = target.job_role_arn.split(":", 5)
    for model in trial.project.models:
        group = target.group(model)
        arn = f"arn:{partition}:sagemaker:{target.region}:{account}:model-package-group/{group}"
        pipelines.put_group(group, arn, {}, sagemaker)
    name = target.pipeline(trial.project.name, trial.entry.name)
    pipelines.put(name, target.job_role_arn, made.definitions[trial.entry.name], {}, sagemaker)
    given = {**_uploaded(trial, made, s3), **trial.parameters}
    started = sagemaker.start_pipeline_execution(
        PipelineName=name,
        PipelineParameters=[{"Name": parameter, "Value": value} for parameter, value in given.items()],
    )
    return str(started["PipelineExecutionArn"])


def _uploaded(trial: Trial, made: Checked, s3: Any) -> dict[str, str]:
    """Upload the files, and return the parameter that names them."""
    taken, target = made.inputs[trial.entry.name], made.target
    if taken.parameter is None:
        return {}
    if not trial.files:
        raise OperateError(
            f"the pipeline {trial.entry.name} takes files, and there are none: put some into "
            f"{trial.project.folder / 'data'}, or name them with --data"
        )
    prefix = f"incoming/{trial.project.name}/{time.time_ns()}/"
    for file in trial.files:
        s3.upload_file(str(file), target.data_bucket, f"{prefix}{file.name}")
    place = f"s3://{target.data_bucket}/{prefix}"
    if taken.takes == "url":
        return {taken.parameter: place}
    manifest = json.dumps([{"prefix": place}, *(file.name for file in trial.files)])
    key = f"manifests/{trial.project.name}/{time.time_ns()}.json"
    s3.put_object(Bucket=target.artifacts_bucket, Key=key, Body=manifest.encode())
    return {taken.parameter: target.artifacts(key)}


def follow(arn: str, sagemaker: Any, say: Callable[[str], None]) -> str:
    """Wait for the end of an execution, and say how each step ends; return why it failed, "" where it did not."""
    told: set[str] = set()
    while True:
        run = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = steps_of(arn, sagemaker)
        for step in steps:
            if step["StepStatus"] in _STEP_ENDED and step["StepName"] not in told:
                told.add(step["StepName"])
                say(_told(step))
        if run["PipelineExecutionStatus"] in _ENDED:
            break
        time.sleep(_POLL_SECONDS)
    if run["PipelineExecutionStatus"] == "Succeeded":
        return ""
    reasons = [_reason(step, sagemaker) for step in steps if step["StepStatus"] == "Failed"]
    said = " ".join(filter(None, reasons)) or run.get("FailureReason", "SageMaker does not say why")
    return f"the run {run['PipelineExecutionStatus'].lower()}: {said}"


def _reason(step: Mapping[str, Any], sagemaker: Any) -> str:
    """Return why a step failed: what a processing job's program has said, else what SageMaker says."""
    arn = (step.get("Metadata") or {}).get("ProcessingJob", {}).get("Arn", "")
    job = sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2]) if arn else {}
    said = job.get("ExitMessage") or step.get("FailureReason", "")
    return f"{step['StepName']}: {said}" if said else ""


def steps_of(arn: str, sagemaker: Any) -> list[dict[str, Any]]:
    """Return the steps of an execution, the first one first."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps")
    found = pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending")
    return [step for page in found for step in page["PipelineExecutionSteps"]]


def _told(step: Mapping[str, Any]) -> str:
    took = (step["EndTime"] - step["StartTime"]).total_seconds() if "EndTime" in step and "StartTime" in step else 0
    return f"{step['StepName']} {step['StepStatus'].lower()} ({took:.0f} s)"
