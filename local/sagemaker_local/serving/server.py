"""One model's server: the container's `serve` program in a process of its own, reached on a free port."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import UnfitProgramError, pull
from sagemaker_local.images.container import PORT, Container
from sagemaker_local.runtime import archive, data, namespaces, strays
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.lines import tail
from sagemaker_local.runtime.ports import free_port
from sagemaker_local.runtime.process import SERVING_GRACE, Program, ProgramStartError
from sagemaker_local.runtime.workspace import Workspace, isolated
from sagemaker_local.serving.asking import ask
from sagemaker_local.serving.multi import TARGET, LoadedModels, LoadError, TargetModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

SAFE_PORTS = "9000-9999"
"""Ports that a container may use besides: the range that AWS's own containers are tested with."""
INVOCATION_TIMEOUT = 60.0
"""Seconds a model has for an answer (API reference, InvokeEndpoint)."""
LOAD_TIMEOUT = 60.0
"""Seconds a container has to load one of several models; SageMaker's own figure is not documented."""
PING_TIMEOUT = 2.0
"""Seconds a model has for an answer to /ping (developer guide, "Custom inference code with hosting services")."""
STARTUP_TIMEOUT = 600.0
"""Seconds until the first good /ping, as a bound: AWS gives 8 minutes, and by parameter up to an hour."""
_PING_EVERY = 0.05
_OK = 200


class ServerStartError(Exception):
    """A model's server did not come up."""

    def __init__(self, problem: str, log_tail: str = "") -> None:
        super().__init__(f"{problem}\n{log_tail}".strip())


class ContainerStartError(ServerStartError):
    """A model's server could not even be executed."""


class ServerClosedError(Exception):
    """The server takes no more requests because it is being closed."""

    def __init__(self) -> None:
        super().__init__("the model's server is closed: ask the endpoint for its current one")


class InvocationError(Exception):
    """The model gave no answer at all: it took too long, or its process is gone."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


@dataclass(frozen=True)
class ServerContext:
    """What a model's server needs besides its container definition.

    Attributes:
        folder: an empty folder of the server's own; it is removed by `close`.
        s3: a client that acts with the model's execution role.
        environment: that role's credentials, region and AWS_ENDPOINT_URL.
        containers: the folder of the images that the project brings itself.
        role: the execution role's ARN, named when the model's data cannot be read.
        startup_timeout: seconds until /ping has to be good.
        grace: seconds between SIGTERM and SIGKILL.
        follow: called with the path of the server's log when it starts; what it returns is called when it has ended.
    """

    folder: Path
    s3: S3Client
    environment: Mapping[str, str]
    containers: Path
    role: str = ""
    startup_timeout: float = STARTUP_TIMEOUT
    grace: float = SERVING_GRACE
    follow: Callable[[Path], Callable[[], None]] = lambda _: lambda: None


class ModelServer:
    """A running model server. Thread-safe: any number of threads may invoke, and one may close."""

    def __init__(
        self,
        container: Mapping[str, Any],
        context: ServerContext,
        *,
        extra: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Start a ContainerDefinition (Image, ModelDataUrl or ModelDataSource, Environment) and wait for /ping.

        `extra` goes into the environment before the container's own; setting `stop` gives the start up.

        Raises:
            UnknownImageError: no program stands for the image.
            ServerStartError: the model's data cannot be had, the program died, or /ping was not good in time.
        """
        self._context = context
        self._workspace = Workspace(context.folder / "ml", boxed=namespaces.allowed())
        self._idle = threading.Condition()
        self._in_flight = 0
        self._closing = False
        self.log = context.folder / "log"
        self._port = PORT if self._workspace.boxed else free_port()
        self._models: LoadedModels | None = None
        self._program = self._start(container, extra or {})
        self._unfollow = context.follow(self.log)
        try:
            self._wait_for_ping(stop or threading.Event())
        except BaseException:
            self._program.terminate(min(context.grace, 1.0))
            self._unfollow()
            raise

    def _start(self, container: Mapping[str, Any], extra: Mapping[str, str]) -> Program:
        image = pull(container["Image"], self._context.containers)
        settings = {**extra, **container.get("Environment", {})}
        if container.get("Mode") == "MultiModel":
            settings["SAGEMAKER_MULTI_MODEL"] = "true"
        self._workspace.create()
        try:
            self._fetch_model(container)
            alone = bool(container.get("EnableNetworkIsolation"))
            if code := image.code_uri(settings):
                self._fetch_code(code, alone=alone)
                settings["SAGEMAKER_SUBMIT_DIRECTORY"] = self._workspace.seen(self._workspace.code)
            boxed = Container.of(image, self._workspace, self._context.folder, isolated=alone, serves=True)
            environment = self._environment(settings, boxed, alone=alone)
            return Program(boxed.placed.serve_command(settings), log=self.log, **boxed.start(environment))
        except (ProgramStartError, UnfitProgramError) as error:
            raise ContainerStartError(str(error)) from error
        except ContainerError as error:
            raise ServerStartError(str(error)) from error

    def _environment(self, settings: Mapping[str, str], container: Container, *, alone: bool) -> dict[str, str]:
        ports = {"SAGEMAKER_BIND_TO_PORT": str(self._port), "SAGEMAKER_SAFE_PORT_RANGE": SAFE_PORTS}
        role = isolated(self._context.environment) if alone else self._context.environment
        return container.environment(role, settings, ports, container.image.environment())

    def _fetch_code(self, uri: str, *, alone: bool) -> None:
        """Put the user's code where the program looks for it; its container fetches it, which needs a network."""
        if alone:
            raise ContainerError(f"{uri} cannot be fetched: the model runs with network isolation")
        archive.fetch_and_unpack(self._context.s3, uri, self._workspace.code, role=self._context.role)

    def _fetch_model(self, container: Mapping[str, Any]) -> None:
        """Put the model's data under model/: an archive unpacked, or the objects under a prefix as they are."""
        if container.get("Mode") == "MultiModel":
            place, seen = self._workspace.base / "models", self._workspace.seen
            url, role = container["ModelDataUrl"], self._context.role
            self._models = LoadedModels(self._context.s3, url, role, place, seen, self._send)
            return
        source = container.get("ModelDataSource", {}).get("S3DataSource")
        uri = container.get("ModelDataUrl") or (source or {}).get("S3Uri")
        if uri is None:
            return
        if source and source.get("CompressionType") == "None":
            data.download(self._context.s3, data.Source(uri, role=self._context.role), self._workspace.model)
        else:
            archive.fetch_and_unpack(self._context.s3, uri, self._workspace.model, role=self._context.role)

    def _wait_for_ping(self, stop: threading.Event) -> None:
        deadline = time.monotonic() + self._context.startup_timeout
        while time.monotonic() < deadline:
            if not self._program.running():
                code = self._program.finish()
                stray = strays.in_log(self._workspace, self.log)
                raise ServerStartError(
                    f"the server ended with exit code {code} before it answered /ping{f': {stray}' if stray else ''}",
                    tail(self.log),
                )
            if self._ping():
                return
            if stop.wait(_PING_EVERY):
                raise ServerStartError("the start was given up")
        problem = f"the server did not answer /ping with 200 within {self._context.startup_timeout:g} s"
        raise ServerStartError(f"{problem}{self._elsewhere()}", tail(self.log))

    def _elsewhere(self) -> str:
        """Return where the program listens instead of where it is asked, as a part of a sentence."""
        found = self._program.listens_on()
        if not self._workspace.boxed or any(one.endswith(f":{self._port}") for one in found):
            return ""
        return f": it listens on {' and '.join(found) or 'no port'}, and has to listen on port {self._port}"

    def _ping(self) -> bool:
        try:
            return self._request("GET", "/ping", timeout=PING_TIMEOUT)[0] == _OK
        except (OSError, http.client.HTTPException):
            return False

    def healthy(self) -> bool:
        """Return whether the process runs and answers /ping with 200."""
        return self._program.running() and self._ping()

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET, such as of /execution-parameters.

        Raises:
            InvocationError: there was no answer.
        """
        try:
            status, _, body = self._request("GET", path, timeout=PING_TIMEOUT)
        except (OSError, http.client.HTTPException) as error:
            raise InvocationError(f"GET {path}: no answer: {error}") from error
        return status, body

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = INVOCATION_TIMEOUT,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the model's answer to POST /invocations: status, headers by lower-case name, body.

        Raises:
            ServerClosedError: the server is being closed.
            TargetModelError: there is no such target model, or it has to be named and is not.
            InvocationError: the model did not answer within `timeout` seconds, or its process is gone.
        """
        named = {"Content-Type": content_type, "Accept": accept}
        sent = {**(headers or {}), **{name: value for name, value in named.items() if value is not None}}
        with self._counted():
            try:
                return self._request("POST", self._path(sent), body=body, headers=sent, timeout=timeout)
            except LoadError as error:
                return error.answer
            except TimeoutError as error:
                raise InvocationError(f"the model did not answer within {timeout:g} s") from error
            except (OSError, http.client.HTTPException) as error:
                raise InvocationError(f"the model's server gave no answer: {error!r}") from error

    def _path(self, headers: Mapping[str, str]) -> str:
        if self._models is not None:
            return self._models.path(headers)
        if TARGET in headers:
            raise TargetModelError("TargetModel is for endpoints whose container has the Mode MultiModel.")
        return "/invocations"

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        return self._request(
            method, path, body=body, headers={"Content-Type": "application/json"}, timeout=LOAD_TIMEOUT
        )

    def _request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        return ask(self._program, self._port, method, path, body, headers or {}, timeout)

    @contextlib.contextmanager
    def _counted(self) -> Any:
        with self._idle:
            if self._closing:
                raise ServerClosedError
            self._in_flight += 1
        try:
            yield
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    def close(self, drain_seconds: float = INVOCATION_TIMEOUT) -> None:
        """Refuse new requests, wait for those in flight, then end the process and remove its folder.

        May be called again; requests that are not answered after `drain_seconds` are cut off.
        """
        with self._idle:
            self._closing = True
            self._idle.wait_for(lambda: self._in_flight == 0, timeout=drain_seconds)
        self._program.terminate(self._context.grace)
        self._unfollow()
        shutil.rmtree(self._workspace.base, ignore_errors=True)
