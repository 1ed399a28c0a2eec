"""What jobs have written into CloudWatch Logs: those of a pipeline's run, of a training, or one job by its name."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws.errors import code_of
from signalbox.training import rules
from signalbox_operate import runs
from signalbox_operate.stack import OperateError, Stack

_POLL_SECONDS = 2.0
# CloudWatch takes events in a moment after they were written, and lists them a few seconds later than that.
_LATE_MILLISECONDS = 30_000
_ACTIVE = frozenset({"Executing", "Stopping", "InProgress", "RUNNING"})
# The steps of a training that start jobs (see `training.rules`).
_STEPS = (("TrainingJob", "training"), ("TransformJob", "transform"))
_MISSING = frozenset({"ValidationException", "ResourceNotFound"})
# How a job is described, by its kind: the operation, and the member with its name.
_DESCRIBED = {
    "TrainingJob": ("describe_training_job", "TrainingJobName"),
    "ProcessingJob": ("describe_processing_job", "ProcessingJobName"),
    "TransformJob": ("describe_transform_job", "TransformJobName"),
}


@dataclass(frozen=True)
class Job:
    """A job; SageMaker keeps the logs of each kind in a group of its own, under streams that begin with its name."""

    kind: str
    name: str

    @property
    def group(self) -> str:
        """Return the log group (Developer Guide, "Log groups and streams that SageMaker AI sends to CloudWatch")."""
        return f"/aws/sagemaker/{self.kind}s"


@dataclass(frozen=True)
class Line:
    """A line of a job's log."""

    job: str
    at: datetime
    text: str


@dataclass
class Tail:
    """Reads what is new in the logs of jobs."""

    logs: Any
    _seen: set[str] = field(default_factory=set)
    _since: dict[Job, int] = field(default_factory=dict)

    def new(self, job: Job) -> Iterator[Line]:
        """Yield the lines that were not there before; none where the job has written nothing."""
        start = max(self._since.get(job, 0) - _LATE_MILLISECONDS, 0)
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=job.group, logStreamNamePrefix=f"{job.name}/", startTime=start
        )
        try:
            for page in pages:
                for event in page["events"]:
                    if event["eventId"] not in self._seen:
                        self._seen.add(event["eventId"])
                        self._since[job] = max(self._since.get(job, 0), event["timestamp"])
                        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                        yield Line(job.name, at, event["message"].rstrip("\n"))
        except ClientError as error:
            # The group is made by the first job of its kind that writes.
            if code_of(error) != "ResourceNotFoundException":
                raise


type Look = Callable[[], tuple[Sequence[Job], bool]]


def look(asked: str, stack: Stack, client: Callable[[str], Any]) -> Look:
    """Return what finds the jobs of a run, a training or a job, and says whether more may come.

    Raises:
        OperateError: there is nothing of that name.
    """
    sagemaker = client("sagemaker")
    job = _job(asked, sagemaker)
    if job is not None:
        return lambda: ([job], _described(job, sagemaker)[1] in _ACTIVE)
    execution = _execution(asked, stack, client("stepfunctions"))
    if execution:
        prefix = stack.output("Prefix")
        return lambda: _of_execution(execution, prefix, client("stepfunctions"))
    try:
        run = runs.find(asked, stack, sagemaker, client("dynamodb"))
    except OperateError as error:
        raise OperateError(
            f"there is no run, training or job {asked!r}: `signalbox runs` and `signalbox status` show what there is"
        ) from error
    if not run.execution:
        raise OperateError(f"run {run.name} has not started, so no job of it has written anything ({run.status})")
    named: dict[Job, Job] = {}
    return lambda: _of_run(run, named, sagemaker)


def read(look: Look, logs: Any, *, follow: bool, sleep: Callable[[float], None] = time.sleep) -> Iterator[Line]:
    """Yield the lines of jobs as `look` finds them, job after job; where it follows, until all have ended."""
    tail = Tail(logs)
    last = not follow
    while True:
        jobs, active = look()  # asked before the logs are read: what ended before has written all it ever will
        for job in jobs:
            yield from tail.new(job)
        if last:
            return
        last = not active  # and once more, for what CloudWatch lists late
        sleep(_POLL_SECONDS)


def _of_run(run: runs.PipelineRun, named: dict[Job, Job], sagemaker: Any) -> tuple[Sequence[Job], bool]:
    """Return a run's jobs; their steps name them in lower case, and `named` remembers how they were described."""
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=run.execution)
    for step in runs.steps(run, sagemaker):
        job = Job(step.kind, step.job)
        if step.job and job not in named:
            named[job] = Job(step.kind, _described(job, sagemaker)[0] or step.job)
    return list(named.values()), found["PipelineExecutionStatus"] in _ACTIVE


def _execution(asked: str, stack: Stack, stepfunctions: Any) -> str:
    """Return the ARN of the training and review of that name (or ARN); "" where there is none."""
    start = f"{stack.output('MlopsMachineArn').replace(':stateMachine:', ':execution:')}:"
    arn = asked if asked.startswith(start) else f"{start}{asked}"
    try:
        stepfunctions.describe_execution(executionArn=arn)
    except ClientError as error:
        if code_of(error) not in {"ExecutionDoesNotExist", "InvalidArn", "ValidationException"}:
            raise
        return ""
    return arn


def _of_execution(arn: str, prefix: str, stepfunctions: Any) -> tuple[Sequence[Job], bool]:
    """Return the jobs of a training, which are named after its execution: one that was not started has no logs.

    Raises:
        OperateError: its input is none that starts jobs.
    """
    found = stepfunctions.describe_execution(executionArn=arn)
    model = rules.model_named(prefix, json.loads(found["input"]))
    if model is None:
        raise OperateError(f"{found['name']} started no jobs: its input names no model")
    group = names.package_group(prefix, model)
    jobs = [Job(kind, names.job(group, found["name"], step)) for kind, step in _STEPS]
    return jobs, found["status"] in _ACTIVE


def _job(asked: str, sagemaker: Any) -> Job | None:
    """Return the job of that name, or ARN, of whichever kind it is."""
    for kind in _DESCRIBED:
        name, _ = _described(Job(kind, asked.rpartition("/")[2]), sagemaker)
        if name:
            return Job(kind, name)
    return None


def _described(job: Job, sagemaker: Any) -> tuple[str, str]:
    """Return a job's name and status, two empty texts where there is none of this name.

    SageMaker finds a job by its name in any case; its ARN has it in lower case, its log streams as it was given.
    """
    operation, member = _DESCRIBED[job.kind]
    try:
        found = getattr(sagemaker, operation)(**{member: job.name})
    except ClientError as error:
        if code_of(error) not in _MISSING:
            raise
        return "", ""
    return str(found.get(member) or job.name), str(found[f"{job.kind}Status"])
