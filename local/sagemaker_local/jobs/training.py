"""A training job, from its request to its artifacts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import UnfitProgramError, UnknownImageError, pull
from sagemaker_local.images.container import Container
from sagemaker_local.jobs import causes, metrics
from sagemaker_local.jobs.context import Outcome
from sagemaker_local.runtime import archive, data, namespaces, process, strays
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.workspace import ROOT, Workspace, isolated

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sagemaker_local.images import Image
    from sagemaker_local.jobs.context import JobContext, OnStatus

FAILURE_LIMIT = 1024
"""Characters of the failure file that reach FailureReason (developer guide, "Amazon SageMaker training output")."""
CANNOT_START = "CannotStartContainerError. Please make sure the container can be run with 'docker run <image> train'."
DEFAULT_LIMIT = 24 * 3600
"""MaxRuntimeInSeconds where a request has none (API reference, StoppingCondition)."""


def run_training(
    request: Mapping[str, Any], context: JobContext, stop: threading.Event, on_status: OnStatus
) -> Outcome:
    """Run a training job: `request` is CreateTrainingJob's, with "TrainingJobArn" added.

    Never raises for what the job's own data, program or permissions cause: that is a Failed outcome with its reason.
    """
    try:
        return _Training(request, context, stop, on_status).run()
    except (ContainerError, UnknownImageError) as error:
        reason = str(error) if isinstance(error, ContainerError) else f"ClientError: {error}"
        on_status("Failed", "Training job failed")
        return Outcome("Failed", "Failed", failure_reason=reason[:FAILURE_LIMIT])


class _Training:
    def __init__(
        self, request: Mapping[str, Any], context: JobContext, stop: threading.Event, on_status: OnStatus
    ) -> None:
        self._request = request
        self._context = context
        self._stop = stop
        self._on_status = on_status
        self._algorithm: Mapping[str, Any] = request["AlgorithmSpecification"]
        self._hyperparameters: Mapping[str, str] = request.get("HyperParameters", {})
        self._workspace = Workspace(context.folder / "ml", boxed=namespaces.allowed())
        self._volume = int(request.get("ResourceConfig", {}).get("VolumeSizeInGB", 0))
        self._alone = bool(request.get("EnableNetworkIsolation"))

    def run(self) -> Outcome:
        self._on_status("Starting", "Preparing the instances for training")
        image = self._image()
        self._workspace.create().write_training_config(self._request)
        if self._stop.is_set():
            return self._stopped_early()
        self._on_status("Downloading", "Downloading the training data")
        self._download(image)
        if self._stop.is_set():
            return self._stopped_early()
        self._on_status("Training", "Training image download completed. Training in progress.")
        started = datetime.now(UTC)
        result = self._train(image)
        if result.end is process.End.EXITED and result.exit_code != 0:
            self._on_status("Failed", "Training job failed")
            cause = causes.found(self._workspace, result.log, self._volume)
            reason = failure_reason(self._workspace, result.exit_code, cause)
            return Outcome("Failed", "Failed", failure_reason=reason, log=result.log, started=started)
        self._on_status("Uploading", "Uploading generated training model")
        return self._finish(image, result, started)

    def _image(self) -> Image:
        uri = self._algorithm.get("TrainingImage")
        if uri is None:
            raise ContainerError("ClientError: AlgorithmName is not emulated: give a TrainingImage")
        return pull(uri, self._context.containers)

    def _stopped_early(self) -> Outcome:
        self._on_status("Stopped", "Training job stopped")
        return Outcome("Stopped", "Stopped")

    def _download(self, image: Image) -> None:
        role = self._request.get("RoleArn", "")
        for channel in self._request.get("InputDataConfig", []):
            self._channel(channel, role)
        code = image.code_uri(self._hyperparameters)
        if code and self._alone:
            raise ContainerError(f"AlgorithmError: {code} cannot be fetched: the job runs with network isolation")
        if code:
            archive.fetch_and_unpack(self._context.s3, code, self._workspace.code, role=role)
        if checkpoints := self._request.get("CheckpointConfig"):
            for item in self._earlier_checkpoints(data.Source(checkpoints["S3Uri"], role=role)):
                target = self._checkpoints() / item.relative
                data.fetch(self._context.s3, item, target, data.Source(item.uri, role=role))

    def _channel(self, channel: Mapping[str, Any], role: str) -> None:
        name = channel["ChannelName"]
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise ContainerError(f"ClientError: channel {name}: only S3DataSource is emulated")
        if channel.get("InputMode", self._algorithm["TrainingInputMode"]) == "Pipe":
            raise ContainerError(f"ClientError: channel {name}: Pipe mode is not emulated: use File or FastFile")
        compression = channel.get("CompressionType", "None")
        origin = data.Source.of(source, compression=compression, role=role)
        data.download(self._context.s3, origin, self._workspace.data / name)

    def _checkpoints(self) -> Path:
        """Return the folder that is kept in step with S3.

        Raises:
            ContainerError: it does not lie below /opt/ml.
        """
        path = self._request["CheckpointConfig"].get("LocalPath", f"{ROOT}/checkpoints")
        try:
            folder = self._workspace.place(path)
        except ValueError as error:
            raise ContainerError(f"ClientError: {error}") from error
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _earlier_checkpoints(self, source: data.Source) -> list[data.Item]:
        return list(data.under(self._context.s3, source))

    def _train(self, image: Image) -> process.Result:
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
                on_line=self._listener(image),
            )
        except (process.ProgramStartError, UnfitProgramError) as error:
            raise ContainerError(f"AlgorithmError: {CANNOT_START} {error}") from error

    def _listener(self, image: Image) -> Callable[[str], None] | None:
        """Return what is called with each line, if anybody wants to know: of lines, or of the metrics in them."""
        on_line, on_metrics = self._context.on_line, self._context.on_metrics
        definitions = self._definitions(image)
        if on_metrics is None or not definitions:
            return on_line
        scanner = metrics.Scanner(definitions)

        def hear(line: str) -> None:
            if on_line is not None:
                on_line(line)
            if found := scanner.values(line):
                on_metrics(found)

        return hear

    def _command(self, image: Image) -> list[str]:
        entrypoint = self._algorithm.get("ContainerEntrypoint")
        arguments = [self._workspace.rewrite(text) for text in self._algorithm.get("ContainerArguments", [])]
        if entrypoint:
            return image.command([self._workspace.rewrite(text) for text in entrypoint], arguments)
        return [
            *image.train_command(self._hyperparameters),
            *arguments,
        ]

    def _environment(self, container: Container) -> dict[str, str]:
        job = {
            "TRAINING_JOB_NAME": self._request["TrainingJobName"],
            "TRAINING_JOB_ARN": self._request["TrainingJobArn"],
        }
        role = isolated(self._context.environment) if self._alone else self._context.environment
        own = container.image.environment()
        return container.environment(role, job, self._request.get("Environment", {}), own)

    def _finish(self, image: Image, result: process.Result, started: datetime) -> Outcome:
        """Upload what the program left, also after a stop, and say how the job ended."""
        if result.end is process.End.EXITED:
            warn_of_failure_file(self._workspace, result.log)
            if stray := strays.written(self._workspace, started):
                raise ContainerError(f"ClientError: {stray}")
        artifacts = self._upload()
        found = metrics.final(result.log, self._definitions(image))
        status, secondary, message = _ENDS[result.end]
        self._on_status(secondary, message)
        return Outcome(status, secondary, model_artifacts=artifacts, metrics=found, log=result.log, started=started)

    def _upload(self) -> str:
        config = self._request["OutputDataConfig"]
        target = f"{config['S3OutputPath'].rstrip('/')}/{self._request['TrainingJobName']}/output"
        s3, work = self._context.s3, self._workspace
        if self._request.get("CheckpointConfig"):
            data.upload(s3, self._checkpoints(), self._request["CheckpointConfig"]["S3Uri"])
        if config.get("CompressionType", "GZIP") == "NONE":
            data.upload(s3, work.model, f"{target}/model")
            data.upload(s3, work.output / "data", f"{target}/data")
            return f"{target}/model/"
        folder = self._context.folder
        data.upload_file(s3, archive.pack(work.model, folder / "model.tar.gz"), f"{target}/model.tar.gz")
        if any((work.output / "data").iterdir()):
            packed = archive.pack(work.output / "data", folder / "output.tar.gz")
            data.upload_file(s3, packed, f"{target}/output.tar.gz")
        return f"{target}/model.tar.gz"

    def _definitions(self, image: Image) -> list[dict[str, str]]:
        return [*image.metric_definitions(self._hyperparameters), *self._algorithm.get("MetricDefinitions", [])]


_ENDS = {
    process.End.EXITED: ("Completed", "Completed", "Training job completed"),
    process.End.STOPPED: ("Stopped", "Stopped", "Training job stopped"),
    process.End.TIMED_OUT: ("Stopped", "MaxRuntimeExceeded", "Training job ran longer than its MaxRuntimeInSeconds"),
}


def warn_of_failure_file(workspace: Workspace, log: Path) -> None:
    """Write into the log of a program that exited with 0 that it left a failure file, if it did.

    Its exit code alone decides (Developer Guide, "How Amazon SageMaker AI Signals Algorithm Success and Failure"): the
    job is Completed, has no FailureReason, and the file is uploaded nowhere.
    """
    if text := workspace.told("failure").strip():
        with log.open("a", encoding="utf-8") as stream:
            stream.write(
                f"\nlocal cloud, WARNING: the program left /opt/ml/output/failure and exited with 0: {text!r}. "
                "SageMaker takes such a job as completed and shows the file nowhere: exit with another code to fail.\n"
            )


def failure_reason(workspace: Workspace, exit_code: int, cause: str) -> str:
    """Return FailureReason of a program that ended with `exit_code`: the text of its failure file, if it left one."""
    text = workspace.told("failure").strip() or cause
    # The whole field has 1,024 characters, and the exit code is worth more than the end of a long text.
    tail = f", exit code: {exit_code}"
    return f"AlgorithmError: {text}"[: FAILURE_LIMIT - len(tail)] + tail
