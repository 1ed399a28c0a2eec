"""An inference pipeline: several containers of one model, each asked with the answer of the one before.

Source: Developer Guide, "Inference pipelines in Amazon SageMaker AI" and "Process features with Spark ML and
scikit-learn" ("the output from one container is passed as the input to the next").
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sagemaker_local.serving.multi import TARGET, TargetModelError
from sagemaker_local.serving.server import INVOCATION_TIMEOUT, ModelServer

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from sagemaker_local.serving.server import ServerContext

    type Server = ModelServer | ModelChain

CONTAINERS = "Containers"
ISOLATED = "EnableNetworkIsolation"


def start_server(
    container: Mapping[str, Any],
    context: ServerContext,
    *,
    extra: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> Server:
    """Start a ContainerDefinition, or the chain of those that a mapping has under `Containers`.

    Raises:
        UnknownImageError, ServerStartError: as `ModelServer` does.
    """
    if CONTAINERS not in container:
        return ModelServer(container, context, extra=extra, stop=stop)
    alone = {ISOLATED: bool(container.get(ISOLATED))}
    return ModelChain([{**one, **alone} for one in container[CONTAINERS]], context, extra=extra, stop=stop)


class ModelChain:
    """The running servers of an inference pipeline; thread-safe, and asked as a `ModelServer` is."""

    def __init__(
        self,
        containers: list[Mapping[str, Any]],
        context: ServerContext,
        *,
        extra: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Start one container after the other; if one does not come up, none is left running."""
        self._servers: list[ModelServer] = []
        try:
            for index, container in enumerate(containers):
                # The last one's log stands for the chain's: it gives the answer.
                folder = context.folder if container is containers[-1] else context.folder / f"container-{index + 1}"
                folder.mkdir(parents=True, exist_ok=True)
                own = replace(context, folder=folder)
                self._servers.append(ModelServer(container, own, extra=extra, stop=stop))
        except BaseException:
            self.close(0)
            raise

    @property
    def log(self) -> Path:
        """The path of the last container's log file."""
        return self._servers[-1].log

    def healthy(self) -> bool:
        """Return whether every container answers /ping with 200."""
        return all(server.healthy() for server in self._servers)

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET of the first container, which takes the requests."""
        return self._servers[0].get(path)

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = INVOCATION_TIMEOUT,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the last container's answer, or the first one that is none of status 200.

        What a container answers is the next one's request, with the content type that it says; only the last is told
        what the caller accepts. Raises as `ModelServer.invoke` does.
        """
        if TARGET in (headers or {}):
            raise TargetModelError("TargetModel is for endpoints whose container has the Mode MultiModel.")
        status, answered = int(HTTPStatus.OK), dict[str, str]()
        for server in self._servers:
            last = accept if server is self._servers[-1] else None
            status, answered, body = server.invoke(body, content_type, last, headers=headers, timeout=timeout)
            if status != HTTPStatus.OK:
                break
            content_type = answered.get("content-type", content_type)
        return status, answered, body

    def close(self, drain_seconds: float = INVOCATION_TIMEOUT) -> None:
        """End all servers, the first one first, so that nothing new comes in. May be called again."""
        for server in self._servers:
            server.close(drain_seconds)
