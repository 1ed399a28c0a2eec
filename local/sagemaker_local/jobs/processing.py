"""A processing job, from its request to its outputs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import UnknownImageError, pull
from sagemaker_local.images.container import Container
from sagemaker_local.jobs import causes
from sagemaker_local.jobs.context import Outcome
from sagemaker_local.runtime import data, namespaces, process, strays
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.workspace import Workspace, isolated

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sagemaker_local.images import Image
    from sagemaker_local.jobs.context import JobContext, OnStatus

CANNOT_START = "CannotStartContainerError. Please make sure the container can be run with its ContainerEntrypoint."
REASON_LIMIT = 1024
DEFAULT_LIMIT = 24 * 3600
"""MaxRuntimeInSeconds where a request has none (API reference, ProcessingStoppingCondition)."""


def run_processing(
    request: Mapping[str, Any], context: JobContext, stop: threading.Event, on_status: OnStatus
) -> Outcome:
    """Run a processing job: `request` is CreateProcessingJob's, with "ProcessingJobArn" added.

    A job that is stopped or that runs longer than MaxRuntimeInSeconds ends Stopped and uploads nothing. Never raises
    for what the job's own data, program or permissions cause: that is a Failed outcome with its reason.
    """
    job = _Processing(request, context, stop)
    try:
        outcome = job.run(on_status)
    except (ContainerError, UnknownImageError) as error:
        reason = str(error) if isinstance(error, ContainerError) else f"ClientError: {error}"
        outcome = Outcome("Failed", "Failed", reason[:REASON_LIMIT], exit_message=job.exit_message())
    on_status(outcome.secondary, outcome.failure_reason or "")
    return outcome


class _Processing:
    def __init__(self, request: Mapping[str, Any], context: JobContext, stop: threading.Event) -> None:
        self._request = request
        self._context = context
        self._stop = stop
        self._application: Mapping[str, Any] = request["AppSpecification"]
        self._workspace = Workspace(context.folder / "ml", boxed=namespaces.allowed())
        cluster = request.get("ProcessingResources", {}).get("ClusterConfig", {})
        self._volume = int(cluster.get("VolumeSizeInGB", 0))
        self._alone = bool(request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    def run(self, on_status: OnStatus) -> Outcome:
        on_status("InProgress", "Preparing the instances for processing")
        image = pull(self._application["ImageUri"], self._context.containers)
        self._workspace.create().write_processing_config(self._request)
        inputs = list(self._inputs())
        outputs = list(self._outputs())
        for source, folder in inputs:
            if self._stop.is_set():
                return Outcome("Stopped", "Stopped")
            data.download(self._context.s3, source, folder)
        if self._stop.is_set():
            return Outcome("Stopped", "Stopped")
        started = datetime.now(UTC)
        result = self._process(image)
        return self._finish(result, outputs, started)

    def _inputs(self) -> Iterator[tuple[data.Source, Path]]:
        for item in self._request.get("ProcessingInputs", []):
            if item.get("AppManaged"):
                continue
            s3 = item.get("S3Input")
            if s3 is None:
                raise ContainerError(f"ClientError: input {item['InputName']}: only S3Input is emulated")
            if s3.get("S3InputMode", "File") == "Pipe":
                raise ContainerError(f"ClientError: input {item['InputName']}: Pipe mode is not emulated: use File")
            compression = s3.get("S3CompressionType", "None")
            source = data.Source.of(s3, compression=compression, role=self._request.get("RoleArn", ""))
            yield source, self._place(s3["LocalPath"])

    def _outputs(self) -> Iterator[tuple[Path, str]]:
        for item in self._request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            if item.get("AppManaged"):
                continue
            s3 = item.get("S3Output")
            if s3 is None:
                raise ContainerError(f"ClientError: output {item['OutputName']}: only S3Output is emulated")
            folder = self._place(s3["LocalPath"])
            folder.mkdir(parents=True, exist_ok=True)
            yield folder, s3["S3Uri"]

    def _place(self, path: str) -> Path:
        try:
            return self._workspace.place(path)
        except ValueError as error:
            raise ContainerError(f"ClientError: {error}") from error

    def _process(self, image: Image) -> process.Result:
        stopping = self._request.get("StoppingCondition", {})
        container = Container.of(
            image, self._workspace, self._context.folder, isolated=self._alone, volume=self._volume
        )
        try:
            return process.run(
                self._command(container.placed),
                **container.start(self._environment(container)),
                log=self._context.folder / "log",
                stop=self._stop,
                limit=stopping.get("MaxRuntimeInSeconds", DEFAULT_LIMIT),
                grace=self._context.grace,
                on_line=self._context.on_line,
            )
        except process.ProgramStartError as error:
            raise ContainerError(f"AlgorithmError: {CANNOT_START} {error}") from error

    def _command(self, image: Image) -> list[str]:
        entrypoint = self._application.get("ContainerEntrypoint") or image.entrypoint
        if not entrypoint:
            raise ContainerError("ClientError: an image's own ENTRYPOINT is not emulated: give a ContainerEntrypoint")
        arguments = self._application.get("ContainerArguments", [])
        rewrite = self._workspace.rewrite
        return image.command([rewrite(text) for text in entrypoint], [rewrite(text) for text in arguments])

    def _environment(self, container: Container) -> dict[str, str]:
        job = {
            "PROCESSING_JOB_NAME": self._request["ProcessingJobName"],
            "PROCESSING_JOB_ARN": self._request["ProcessingJobArn"],
        }
        role = isolated(self._context.environment) if self._alone else self._context.environment
        return container.environment(role, job, self._request.get("Environment", {}))

    def _finish(self, result: process.Result, outputs: list[tuple[Path, str]], started: datetime) -> Outcome:
        message = self.exit_message()
        if result.end is not process.End.EXITED:
            return Outcome("Stopped", "Stopped", exit_message=message, log=result.log, started=started)
        if reason := self._failure(result, [folder for folder, _ in outputs], started):
            return Outcome(
                "Failed", "Failed", reason[:REASON_LIMIT], exit_message=message, log=result.log, started=started
            )
        for folder, uri in outputs:
            data.upload(self._context.s3, folder, uri)
        return Outcome("Completed", "Completed", exit_message=message, log=result.log, started=started)

    def _failure(self, result: process.Result, outputs: list[Path], started: datetime) -> str | None:
        work = self._workspace
        if result.exit_code != 0:
            cause = causes.found(work, result.log, self._volume)
            return f"AlgorithmError: {cause}, exit code: {result.exit_code}"
        stray = strays.written(work, started) or strays.nothing_in(work, outputs)
        return f"ClientError: {stray}" if stray else None

    def exit_message(self) -> str | None:
        """Return the text that the program left in /opt/ml/output/message, if it did."""
        return self._workspace.told("message") or None
