"""A batch transform job: the model's own server, fed with the records of the input objects."""

from __future__ import annotations

import json
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import UnknownImageError
from sagemaker_local.jobs import filters, records
from sagemaker_local.jobs.context import Outcome
from sagemaker_local.runtime import data
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.process import SERVING_GRACE
from sagemaker_local.serving.chain import CONTAINERS, start_server
from sagemaker_local.serving.server import (
    STARTUP_TIMEOUT,
    InvocationError,
    ServerClosedError,
    ServerContext,
    ServerStartError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from concurrent.futures import Future

    from sagemaker_local.jobs.context import JobContext, OnStatus
    from sagemaker_local.serving.chain import Server


REASON_LIMIT = 1024
DEFAULT_CONCURRENT = 1
DEFAULT_PAYLOAD_MB = 6
"""Both defaults: API reference, CreateTransformJob (MaxConcurrentTransforms, MaxPayloadInMB)."""
DEFAULT_RETRIES = 3
DEFAULT_TIMEOUT = 600.0
"""Both defaults: API reference, ModelClientConfig."""
_OK = 200
_SERVER_ERROR = 500
_TICK = 0.05


@dataclass(frozen=True)
class TransformSettings:
    """What the job and the container agreed on: the request's word first, then the container's, then the default."""

    concurrent: int
    single: bool
    payload_mb: int
    retries: int
    timeout: float

    @classmethod
    def of(cls, request: Mapping[str, Any], offered: Mapping[str, Any]) -> TransformSettings:
        """Return the settings of a request, with the container's /execution-parameters for what it leaves open."""
        client = request.get("ModelClientConfig", {})
        strategy = request.get("BatchStrategy") or offered.get("BatchStrategy") or "MultiRecord"
        payload = request.get("MaxPayloadInMB", offered.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB))
        return cls(
            # 0 in a request means "as the container says".
            concurrent=request.get("MaxConcurrentTransforms")
            or offered.get("MaxConcurrentTransforms")
            or DEFAULT_CONCURRENT,
            single=strategy.replace("_", "").upper() == "SINGLERECORD",
            payload_mb=payload,
            retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
            timeout=client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT),
        )


class _StoppedError(Exception):
    """The job was stopped between two steps."""


def run_transform(
    request: Mapping[str, Any],
    model: Mapping[str, Any],
    context: JobContext,
    stop: threading.Event,
    on_status: OnStatus,
    *,
    startup_timeout: float = STARTUP_TIMEOUT,
) -> Outcome:
    """Run a transform job: `request` is CreateTransformJob's; `model` is CreateModel's, its package resolved.

    `context.s3` and `context.environment` act with the model's ExecutionRoleArn. Never raises for what data, model or
    permissions cause: that is a Failed outcome with its reason.
    """
    job = _Transform(request, model, context, stop)
    started = datetime.now(UTC)
    try:
        on_status("InProgress", "Starting the model's server")
        job.run(startup_timeout)
        outcome = Outcome("Completed", "Completed", log=job.log, started=started)
    except _StoppedError:
        outcome = Outcome("Stopped", "Stopped", log=job.log, started=started)
    except ServerStartError as error:
        outcome = job.failed(f"AlgorithmError: {error}", started)
    except ContainerError as error:
        outcome = job.failed(str(error), started)
    except (UnknownImageError, records.RecordError, filters.FilterError) as error:
        outcome = job.failed(f"ClientError: {error}", started)
    on_status(outcome.secondary, outcome.failure_reason or "")
    return outcome


class _Transform:
    def __init__(
        self, request: Mapping[str, Any], model: Mapping[str, Any], context: JobContext, stop: threading.Event
    ) -> None:
        self._request = request
        self._model = model
        self._role = model.get("ExecutionRoleArn", "")
        self._context = context
        self._stop = stop
        self.log = context.folder / "server" / "log"

    def failed(self, reason: str, started: datetime) -> Outcome:
        return Outcome("Failed", "Failed", reason[:REASON_LIMIT], log=self.log, started=started)

    def run(self, startup_timeout: float) -> None:
        records.validate(self._request)
        given = self._request["TransformInput"]
        compression = given.get("CompressionType", "None")
        source = data.Source.of(given["DataSource"]["S3DataSource"], compression=compression, role=self._role)
        found = data.items(self._context.s3, source)
        if self._stop.is_set():
            raise _StoppedError
        server = self._serve(startup_timeout)
        try:
            settings = TransformSettings.of(self._request, _offered(server))
            for item in found:
                self._transform(server, settings, item, source)
        finally:
            # A stopped job does not wait for answers that nobody wants any more.
            server.close(0)

    def _serve(self, startup_timeout: float) -> Server:
        context = ServerContext(
            folder=self._context.folder / "server",
            s3=self._context.s3,
            environment=self._context.environment,
            containers=self._context.containers,
            role=self._role,
            startup_timeout=startup_timeout,
            grace=min(self._context.grace, SERVING_GRACE),
        )
        try:
            return start_server(
                container_of(self._model), context, extra=batch_environment(self._request), stop=self._stop
            )
        except ServerStartError:
            if self._stop.is_set():
                raise _StoppedError from None
            raise

    def _transform(self, server: Server, settings: TransformSettings, item: data.Item, source: data.Source) -> None:
        payload = settings.payload_mb * records.MEGABYTE
        plan = records.Plan.of(self._request, single=settings.single, max_payload=payload)
        text = data.read(self._context.s3, item, source)
        try:
            pairs = self._ask(server, settings, list(records.batches(text, plan)), item)
            output = records.assemble(pairs, plan)
        except (records.RecordError, filters.FilterError) as error:
            raise ContainerError(f"ClientError: {item.uri}: {error}") from error
        path = self._request["TransformOutput"]["S3OutputPath"].rstrip("/")
        data.write(self._context.s3, output, f"{path}/{item.relative}.out")

    def _ask(
        self, server: Server, settings: TransformSettings, asked: list[records.Batch], item: data.Item
    ) -> list[tuple[records.Batch, bytes]]:
        """Return each request with its answer, in order; the first failure, or a stop, gives up the others."""
        with ThreadPoolExecutor(settings.concurrent) as pool:
            futures = [pool.submit(self._invoke, server, settings, batch, item) for batch in asked]
            try:
                self._await(futures)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                server.close(0)
                raise
        return [(batch, future.result()) for batch, future in zip(asked, futures, strict=True)]

    def _await(self, futures: list[Future[bytes]]) -> None:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=_TICK, return_when=FIRST_EXCEPTION)
            if self._stop.is_set():
                raise _StoppedError
            for future in done:
                future.result()

    def _invoke(self, server: Server, settings: TransformSettings, batch: records.Batch, item: data.Item) -> bytes:
        content_type = self._request["TransformInput"].get("ContentType")
        accept = self._request["TransformOutput"].get("Accept")
        problem = ""
        for _ in range(settings.retries + 1):
            try:
                status, _, body = server.invoke(batch.body, content_type, accept, timeout=settings.timeout)
            except ServerClosedError:
                raise _StoppedError from None
            except InvocationError as error:
                problem = str(error)
                continue
            if status == _OK:
                return body
            problem = f"Bad HTTP status received from algorithm: {status}: {body.decode(errors='replace')}"
            if status < _SERVER_ERROR:
                break  # the same request gets the same refusal
        raise ContainerError(f"AlgorithmError: {item.uri}: {problem}")


def container_of(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one container of a CreateModel request, or its chain, as `chain.start_server` takes them."""
    containers = [model["PrimaryContainer"]] if "PrimaryContainer" in model else list(model["Containers"])
    container: Mapping[str, Any] = containers[0] if len(containers) == 1 else {CONTAINERS: containers}
    return container


def batch_environment(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the SAGEMAKER_ variables by which a server knows that it works for a batch transform."""
    strategy = "SINGLE_RECORD" if request.get("BatchStrategy") == "SingleRecord" else "MULTI_RECORD"
    return {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": strategy,
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(request.get("MaxConcurrentTransforms") or DEFAULT_CONCURRENT),
        **request.get("Environment", {}),
    }


def _offered(server: Server) -> Mapping[str, Any]:
    """Return the container's /execution-parameters; nothing if it has none."""
    try:
        status, body = server.get("/execution-parameters")
        offered = json.loads(body) if status == _OK else {}
    except (InvocationError, ValueError):
        return {}
    return offered if isinstance(offered, dict) else {}
