"""The servers of one endpoint configuration: production variants that share the traffic by weight."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sagemaker_local.serving.chain import start_server
from sagemaker_local.serving.server import (
    INVOCATION_TIMEOUT,
    ContainerStartError,
    InvocationError,
    ServerClosedError,
    ServerStartError,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from sagemaker_local.serving.chain import Server
    from sagemaker_local.serving.server import ServerContext

    type Measure = Callable[[str, Taken], None]


@dataclass(frozen=True)
class Taken:
    """What one invocation came to: the model's status, 500 for none, and how long the model and all else took."""

    status: int
    model_seconds: float
    other_seconds: float


def _nobody(_variant: str, _taken: Taken) -> None:
    """Measure nothing."""


@dataclass(frozen=True)
class Variant:
    """A production variant: its weight, and the ContainerDefinition of its model with what starts it."""

    name: str
    weight: float
    container: Mapping[str, Any]
    context: ServerContext


@dataclass(frozen=True)
class VariantResponse:
    """What a variant answered; headers by lower-case name."""

    variant: str
    status: int
    headers: dict[str, str]
    body: bytes


class UnknownVariantError(Exception):
    """TargetVariant names a variant that the endpoint does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"Variant {name} not found: the endpoint has {', '.join(known)}")


class FleetClosedError(Exception):
    """The fleet takes no more requests: the endpoint has moved to another, or is deleted."""

    def __init__(self) -> None:
        super().__init__("these servers are closed: ask the endpoint for its current ones")


class Fleet:
    """Running servers of all variants. Thread-safe.

    An update is blue/green: start the new fleet, make it the endpoint's current one, close the old one. A thread that
    took hold of the old fleet just before gets `FleetClosedError` and asks again with the current one.
    """

    def __init__(
        self,
        servers: Mapping[str, Server],
        weights: Mapping[str, float],
        rng: random.Random,
        measure: Measure = _nobody,
    ) -> None:
        self._measure = measure
        self._servers = dict(servers)
        self._weights = dict(weights)
        self._rng = rng
        self._lock = threading.Lock()

    @classmethod
    def start(
        cls,
        variants: Sequence[Variant],
        rng: random.Random,
        *,
        stop: threading.Event | None = None,
        measure: Measure = _nobody,
    ) -> Fleet:
        """Start all variants side by side; if one does not come up, none is left running.

        `measure` is told the variant and the status of each answer, 500 where there was none.

        Raises:
            UnknownImageError: no program stands for a variant's image.
            ServerStartError: a variant did not come up; names it in the words of a FailureReason.
        """
        with ThreadPoolExecutor(len(variants)) as pool:
            starting = {
                variant.name: pool.submit(start_server, variant.container, variant.context, stop=stop)
                for variant in variants
            }
        failures = {name: error for name, future in starting.items() if (error := future.exception())}
        servers = {name: future.result() for name, future in starting.items() if name not in failures}
        fleet = cls(servers, {variant.name: variant.weight for variant in variants}, rng, measure)
        if not failures:
            return fleet
        fleet.close(0)
        name, error = next(iter(failures.items()))
        if isinstance(error, ContainerStartError):
            raise ServerStartError(_not_started(name), str(error)) from error
        if isinstance(error, ServerStartError):
            raise ServerStartError(_not_healthy(name), str(error)) from error
        raise error

    @property
    def variants(self) -> dict[str, float]:
        """The variants' names and weights."""
        with self._lock:
            return dict(self._weights)

    @property
    def logs(self) -> dict[str, str]:
        """The path of each variant's log file."""
        return {name: str(server.log) for name, server in self._servers.items()}

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the share of some variants.

        Raises:
            UnknownVariantError: there is no such variant.
        """
        for name in weights:
            self._known(name)
        with self._lock:
            self._weights.update(weights)

    def healthy(self) -> bool:
        """Return whether every server answers /ping."""
        return all(server.healthy() for server in self._servers.values())

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        target_variant: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = INVOCATION_TIMEOUT,
    ) -> VariantResponse:
        """Send one request to the named variant, or to one chosen by weight.

        Raises:
            UnknownVariantError: there is no such variant.
            FleetClosedError: the fleet is being closed.
            InvocationError: the variant did not answer.
        """
        began = time.perf_counter()
        name = target_variant or self._choose()
        self._known(name)
        asked = time.perf_counter()

        def measure(status: int) -> None:
            answered = time.perf_counter()
            self._measure(name, Taken(status, answered - asked, asked - began))

        try:
            answer = self._servers[name].invoke(body, content_type, accept, headers=headers, timeout=timeout)
        except ServerClosedError as error:
            raise FleetClosedError from error
        except InvocationError:
            measure(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise
        measure(answer[0])
        return VariantResponse(name, *answer)

    def close(self, drain_seconds: float = INVOCATION_TIMEOUT) -> None:
        """Wait for requests in flight, at most `drain_seconds`, and end all servers. May be called again."""
        if not self._servers:
            return
        with ThreadPoolExecutor(len(self._servers)) as pool:
            for server in self._servers.values():
                pool.submit(server.close, drain_seconds)

    def _known(self, name: str) -> None:
        if name not in self._servers:
            raise UnknownVariantError(name, sorted(self._servers))

    def _choose(self) -> str:
        weights = self.variants
        if not any(weights.values()):
            # All variants at weight 0 share alike: there is nobody else to ask.
            weights = dict.fromkeys(weights, 1.0)
        return self._rng.choices(list(weights), list(weights.values()))[0]


def _not_started(variant: str) -> str:
    """Return FailureReason's sentence of an endpoint whose variant cannot be executed, as SageMaker words it."""
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant} starts correctly when "
        "invoked with 'docker run <image> serve'."
    )


def _not_healthy(variant: str) -> str:
    """Return FailureReason's sentence of an endpoint whose variant is not healthy, as SageMaker words it."""
    return (
        f"The primary container for production variant {variant} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
