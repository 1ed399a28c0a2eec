"""The runs of every pipeline of a stack: how each stands, what it took, and its steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.aws.table import Table
from signalbox.uploads.model import NO_UPLOADS, Run, Upload
from signalbox.uploads.table import UploadsTable
from signalbox_operate.stack import OperateError, Stack

# The kinds of jobs that a step's metadata may name, which are those that write logs of their own.
JOB_KINDS = ("TrainingJob", "ProcessingJob", "TransformJob")


@dataclass(frozen=True)
class PipelineRun:
    """A run of a pipeline; `uploads` is None where it took none, as one that was started by hand.

    `repeats` is the run whose uploads it is over again, `commit` what was published; "" where no push asked for it.

    `execution` is the ARN of its execution, "" where it has none yet; `since` is in the service's own zone.
    """

    pipeline: str
    name: str
    status: str
    since: datetime
    uploads: int | None = None
    reason: str = ""
    execution: str = ""
    repeats: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Step:
    """A step of a run; `kind` and `job` name the job that it started, "" where it started none."""

    name: str
    status: str
    started: datetime | None
    ended: datetime | None
    kind: str = ""
    job: str = ""
    reason: str = ""


def pipelines(stack: Stack, sagemaker: Any) -> list[str]:
    """Return the SageMaker pipelines whose names begin with the stack's prefix, in the order of their names."""
    prefix = stack.output("Prefix")
    # SageMaker takes no prefix that ends with a hyphen.
    pages = sagemaker.get_paginator("list_pipelines").paginate(
        PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending"
    )
    listed = [str(one["PipelineName"]) for page in pages for one in page["PipelineSummaries"]]
    return [name for name in listed if name.startswith(f"{prefix}-")]


def newest(stack: Stack, sagemaker: Any, dynamodb: Any, most: int) -> list[PipelineRun]:
    """Return the newest runs of all pipelines, at most `most`, the newest first."""
    found = [
        run
        for pipeline in pipelines(stack, sagemaker)
        for run in _of_pipeline(pipeline, _table(stack, pipeline, dynamodb), sagemaker, most)
    ]
    return sorted(found, key=lambda run: run.since, reverse=True)[:most]


def find(asked: str, stack: Stack, sagemaker: Any, dynamodb: Any) -> PipelineRun:
    """Return a run by its name as `newest` has it, or by its execution's display name, id or ARN; the newest such.

    Raises:
        OperateError: no pipeline of the stack has such a run.
    """
    for pipeline in pipelines(stack, sagemaker):
        table = _table(stack, pipeline, dynamodb)
        run = table.find(asked)
        if run is not None and run.execution is None:
            return _unstarted(run, len(table.taken(run)))
        for summary in _executions(pipeline, sagemaker):
            arn = summary["PipelineExecutionArn"]
            if asked in _names(pipeline, summary) or (run is not None and run.execution == arn):
                run = run or table.run_of(arn)
                return _started(pipeline, summary, run, len(table.taken(run)) if run else None)
    raise OperateError(f"there is no run {asked!r}: `signalbox runs` shows the newest ones with their names")


def uploads(run: PipelineRun, stack: Stack, dynamodb: Any) -> Sequence[Upload]:
    """Return what a run took, the oldest first."""
    table = _table(stack, run.pipeline, dynamodb)
    known = table.find(run.name)
    return sorted(table.taken(known), key=lambda upload: upload.recorded_at) if known else ()


def parameters(run: PipelineRun, sagemaker: Any) -> dict[str, str]:
    """Return the parameters that a run was started with."""
    if not run.execution:
        return {}
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(
        PipelineExecutionArn=run.execution
    )
    return {one["Name"]: one["Value"] for page in pages for one in page["PipelineParameters"]}


def steps(run: PipelineRun, sagemaker: Any) -> list[Step]:
    """Return the steps that a run has begun, in the order of their start."""
    if not run.execution:
        return []
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=run.execution, SortOrder="Ascending"
    )
    return [_step(one) for page in pages for one in page["PipelineExecutionSteps"]]


def _step(found: Mapping[str, Any]) -> Step:
    metadata = found.get("Metadata", {})
    kind = next((kind for kind in JOB_KINDS if kind in metadata), "")
    job = str(metadata[kind]["Arn"]).rpartition("/")[2] if kind else ""
    times = (found.get("StartTime"), found.get("EndTime"))
    return Step(found["StepName"], found["StepStatus"], *times, kind, job, found.get("FailureReason", ""))


def _of_pipeline(pipeline: str, table: UploadsTable, sagemaker: Any, most: int) -> Iterator[PipelineRun]:
    """Yield the newest executions of a pipeline, the run that has none yet, and those whose uploads were deleted."""
    recorded = table.newest(most)
    took = {run.execution: (run, number) for run, number in recorded}
    for number, summary in enumerate(_executions(pipeline, sagemaker)):
        if number == most:
            break
        yield _started(pipeline, summary, *took.get(summary["PipelineExecutionArn"], (None, None)))
    for run, number in recorded:
        if run.execution is None and (run.open or run.reason):  # a run without a reason found nothing, and says nothing
            yield _unstarted(run, number)


def _executions(pipeline: str, sagemaker: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the executions of a pipeline, newest first; none where it was deleted in this moment."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        for page in pages:
            yield from page["PipelineExecutionSummaries"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise


def _started(pipeline: str, summary: Mapping[str, Any], run: Run | None, uploads: int | None) -> PipelineRun:
    """Return an execution: of uploads under its run's name, which is unique, else under its pipeline and own name."""
    return PipelineRun(
        pipeline,
        run.id if run else _names(pipeline, summary)[0],
        summary["PipelineExecutionStatus"],
        summary["StartTime"],
        uploads,
        _reason(summary.get("PipelineExecutionFailureReason", ""), run),
        summary["PipelineExecutionArn"],
        *_pushed(run),
    )


def _unstarted(run: Run, uploads: int) -> PipelineRun:
    waits = _reason(f"it waits: {run.waits_for}" if run.waits_for else run.reason or "", run)
    execution = run.execution or ""
    return PipelineRun(run.pipeline, run.id, run.status, run.created_at, uploads, waits, execution, *_pushed(run))


def _reason(said: str, run: Run | None) -> str:
    """Return what is said about a run, and which files of its sets it lacks."""
    return "; ".join(text for text in (said, run.lacks if run else "") if text)


def _pushed(run: Run | None) -> tuple[str, str]:
    """Return which run's uploads a run is over again, and the commit; empty texts where no push asked for it."""
    if run is None:
        return "", ""
    return "" if run.repeats in (None, NO_UPLOADS) else str(run.repeats), run.commit


def _names(pipeline: str, summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an execution may be called, first what it is shown as."""
    arn = str(summary["PipelineExecutionArn"])
    own = arn.rpartition("/")[2]
    display = str(summary.get("PipelineExecutionDisplayName") or own)
    return f"{pipeline}/{display}", f"{pipeline}/{own}", display, own, arn


def _table(stack: Stack, pipeline: str, dynamodb: Any) -> UploadsTable:
    return UploadsTable(Table(stack.output("UploadsTable"), dynamodb), pipeline)
