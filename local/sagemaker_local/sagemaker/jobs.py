"""Training, processing and transform jobs: kept as resources, run as programs, sent as events."""

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_local import images
from sagemaker_local.core.cloud import Call, Cloud, Handler, short_name
from sagemaker_local.core.errors import invalid
from sagemaker_local.core.resources import PROCESSING, TRAINING, TRANSFORM, ResourceKind, Resources
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import NoRecordError
from sagemaker_local.jobs.context import JobContext, Outcome
from sagemaker_local.jobs.filters import FilterError
from sagemaker_local.jobs.limits import check_times
from sagemaker_local.jobs.processing import run_processing
from sagemaker_local.jobs.records import RecordError, validate
from sagemaker_local.jobs.training import DEFAULT_LIMIT, run_training
from sagemaker_local.jobs.transform import run_transform
from sagemaker_local.runtime.data import Source, items
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.sagemaker.logs import LogStream, Place
from sagemaker_local.sagemaker.metrics import TrainingMetrics
from sagemaker_local.sagemaker.models import Models

type JobRunner = Callable[[dict[str, Any], JobContext, threading.Event, Callable[[str, str], None]], Outcome]
_RUNNING = "InProgress"
_LOG = logging.getLogger("sagemaker_local")


@dataclass
class Jobs:
    """The three kinds of jobs."""

    cloud: Cloud
    resources: Resources
    models: Models
    _stops: dict[str, threading.Event] = field(default_factory=dict)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        handlers: dict[str, Handler] = {
            "CreateTrainingJob": self.create_training,
            "CreateProcessingJob": self.create_processing,
            "CreateTransformJob": self.create_transform,
        }
        for kind in (TRAINING, PROCESSING, TRANSFORM):
            handlers |= self._generic(kind)
        return handlers

    def _generic(self, kind: ResourceKind) -> dict[str, Handler]:
        return {
            f"Describe{kind.name}": lambda call: self.resources.describe(kind, call.request[kind.name_field]),
            f"List{kind.name}s": lambda call: self.resources.list(kind, f"List{kind.name}s", call.request),
            f"Stop{kind.name}": lambda call: self.stop(kind, call.request[kind.name_field]),
        }

    def create_training(self, call: Call) -> dict[str, Any]:
        """Start a training job of an image that exists."""
        request = call.request
        for member in ("AlgorithmSpecification", "ResourceConfig"):  # the model leaves them open, for serverless jobs
            if member not in request:
                raise invalid(f"{member} is required for a training job on instances.")
        request.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_LIMIT})
        check_times(request)
        # Describe and the events have the key of the output, if only an empty text.
        request["OutputDataConfig"].setdefault("KmsKeyId", "")
        self._image(request["AlgorithmSpecification"].get("TrainingImage", ""))
        return self._start(
            TRAINING, call, request["RoleArn"], run_training, self._training_data, SecondaryStatus="Starting"
        )

    def _training_data(self, request: dict[str, Any]) -> None:
        """Refuse a channel without data: SageMaker looks before it starts a training job, as the job's role."""
        s3: Any = self.cloud.access.client("s3", request["RoleArn"], request["TrainingJobName"])
        for channel in request.get("InputDataConfig", []):
            source = channel["DataSource"].get("S3DataSource", {})
            if source.get("S3DataType") == "S3Prefix":
                try:
                    items(s3, Source.of(source, role=request["RoleArn"]))
                except ContainerError as error:
                    raise invalid(str(error).removeprefix("ClientError: Data download failed: ")) from error

    def create_processing(self, call: Call) -> dict[str, Any]:
        """Start a processing job."""
        check_times(call.request)
        self._image(call.request["AppSpecification"]["ImageUri"])
        return self._start(PROCESSING, call, call.request["RoleArn"], run_processing)

    def create_transform(self, call: Call) -> dict[str, Any]:
        """Start a batch transform of a model that exists; it works under the model's role."""
        call.request["TransformOutput"].setdefault("KmsKeyId", "")
        try:
            validate(call.request)
        except (RecordError, FilterError) as error:
            raise invalid(f"{error}.") from error
        model, instances = call.request["ModelName"], call.request["TransformResources"]["InstanceType"]
        container, role = self.models.container(model)
        if container.get("Mode") == "MultiModel":
            raise invalid(f"Model {model} is of several models: batch transform takes one that is of one.")
        self.models.check_instances(model, "Transform", instances)

        def run(request: dict[str, Any], context: JobContext, stop: threading.Event, on_status: Any) -> Outcome:
            return run_transform(request, {"PrimaryContainer": container}, context, stop, on_status)

        return self._start(TRANSFORM, call, role, run, passes_role=False)

    def stop(self, kind: ResourceKind, name: str) -> dict[str, Any]:
        """Ask a running job to stop.

        Raises:
            ApiError: there is no such job, or it has ended.
        """
        status = str(kind.status)

        def begin(job: dict[str, Any]) -> None:  # alone with the record: the job may be ending at this moment
            if job[status] != _RUNNING:
                raise invalid(f"The request was rejected because the job is in status {job[status]}.")
            job |= {status: "Stopping", "LastModifiedTime": self.cloud.clock()}

        try:
            job = self.cloud.store.change(kind.name, short_name(name), begin)
        except NoRecordError:
            raise self.resources.missing(kind, name) from None
        self._send_event(kind, job)
        self._stops[job[kind.arn_field]].set()
        return {}

    def _image(self, uri: str) -> None:
        try:
            images.pull(uri, self.cloud.containers, self.cloud.region)
        except images.UnknownImageError as error:
            raise invalid(f"Cannot find the requested image {uri}. {error}") from error

    def _start(
        self,
        kind: ResourceKind,
        call: Call,
        role: str,
        run: JobRunner,
        check: Callable[[dict[str, Any]], None] = lambda _: None,
        *,
        passes_role: bool = True,
        **members: Any,
    ) -> dict[str, Any]:
        name = call.request[kind.name_field]
        arn = self.resources.arn(kind, name)
        tag_at_creation(self.cloud, call, arn)
        if passes_role:
            pass_role(self.cloud, call, role)
        check(call.request)
        status = {str(kind.status): _RUNNING, **members}
        job = self.resources.create(kind, call.request, **status)
        self._stops[arn] = threading.Event()
        self._send_event(kind, job)
        self.cloud.work(lambda: self._work(kind, name, job, role, run), f"{kind.path}-{name}")
        return {kind.arn_field: arn}

    def _work(self, kind: ResourceKind, name: str, job: dict[str, Any], role: str, run: JobRunner) -> None:
        try:
            outcome = self._run(kind, name, job, role, run)
        except Exception as error:  # noqa: BLE001  # whatever it is: the job must not stay InProgress for ever
            _LOG.exception("job %s failed unexpectedly", name)
            outcome = Outcome("Failed", "Failed", f"InternalServerError: {error!r}"[:1024])
        self._send_event(kind, self.resources.update(kind, name, **_ending(kind, outcome)))

    def _run(self, kind: ResourceKind, name: str, job: dict[str, Any], role: str, run: JobRunner) -> Outcome:
        # The folder may outlive this process, and another one may have had a job of that name.
        folder = self.cloud.folder / "jobs" / kind.path / f"{name}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        s3: Any = self.cloud.access.client("s3", role, name, _output_key(job))
        metrics = TrainingMetrics(self.cloud.access.client("cloudwatch", role, name), name)
        environment = self.cloud.access.environment(role, name)
        context = JobContext(folder, s3, environment, self.cloud.containers, on_metrics=metrics.take)

        def on_status(secondary: str, message: str) -> None:
            if kind is TRAINING:
                self._move(name, secondary, message)

        written = folder / "server" / "log" if kind is TRANSFORM else folder / "log"
        place = Place.of_job(kind.name, name, self.cloud.clock())
        stream = LogStream(self.cloud.access.client("logs", role, name), place, written)
        with contextlib.closing(stream), contextlib.closing(metrics):
            return run(job, context, self._stops[job[kind.arn_field]], on_status)

    def _move(self, name: str, secondary: str, message: str) -> None:
        now = self.cloud.clock()

        def change(job: dict[str, Any]) -> None:
            moves = job.setdefault("SecondaryStatusTransitions", [])
            if moves:
                moves[-1].setdefault("EndTime", now)
            moves.append({"Status": secondary, "StartTime": now, "StatusMessage": message})
            job["SecondaryStatus"] = secondary

        self.cloud.store.change(TRAINING.name, name, change)

    def _send_event(self, kind: ResourceKind, job: dict[str, Any]) -> None:
        """Send the job's state as SageMaker does: the members of its description, times in epoch milliseconds."""
        shape = service_model("sagemaker").operation_model(f"Describe{kind.name}").output_shape
        detail = milliseconds({**project(shape, job), "Tags": tag_map(job)})
        title = kind.path.replace("-", " ").title()
        self.cloud.events.send(f"SageMaker {title} State Change", [job[kind.arn_field]], detail)


def _output_key(job: dict[str, Any]) -> str:
    """Return the KMS key that a job's request names for its outputs; empty for the account's own."""
    configs = (job.get(name, {}) for name in ("OutputDataConfig", "ProcessingOutputConfig", "TransformOutput"))
    return next((str(config["KmsKeyId"]) for config in configs if config.get("KmsKeyId")), "")


def _ending(kind: ResourceKind, outcome: Outcome) -> dict[str, Any]:
    prefix = kind.name.removesuffix("Job")
    members: dict[str, Any] = {
        str(kind.status): outcome.status,
        f"{prefix}StartTime": outcome.started,
        f"{prefix}EndTime": outcome.ended,
        "FailureReason": outcome.failure_reason,
    }
    if kind is TRAINING:
        seconds = int((outcome.ended - outcome.started).total_seconds()) if outcome.started else 0
        members |= {
            "SecondaryStatus": outcome.secondary,
            "TrainingTimeInSeconds": max(seconds, 1),
            "BillableTimeInSeconds": max(seconds, 1),
            "FinalMetricDataList": outcome.metrics or None,
        }
        if outcome.model_artifacts:
            members["ModelArtifacts"] = {"S3ModelArtifacts": outcome.model_artifacts}
    if kind is PROCESSING:
        members["ExitMessage"] = outcome.exit_message
    return {name: value for name, value in members.items() if value is not None}


def milliseconds(value: Any) -> Any:
    """Return `value` with its times as epoch milliseconds, as SageMaker's events about jobs and endpoints have them."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: milliseconds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [milliseconds(item) for item in value]
    return value


def tag_map(record: dict[str, Any]) -> dict[str, str]:
    """Return a record's tags as events have them: one map."""
    return {tag["Key"]: tag["Value"] for tag in record.get("Tags", [])}
