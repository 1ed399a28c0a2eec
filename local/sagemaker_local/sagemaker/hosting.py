"""What serves one endpoint configuration: its servers, their shadows, and the capture of what passes.

Source: API reference, CreateEndpointConfig: a shadow variant gets a copy of the production variant's requests, and its
answers go nowhere but into metrics and captured data; its share is the ratio of the two weights (Developer Guide,
"Shadow variants").
"""

import logging
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sagemaker_local.sagemaker.capture import Capture
from sagemaker_local.sagemaker.invocations import SUCCESS, headers_for
from sagemaker_local.serving import Fleet, FleetClosedError, InvocationError, VariantResponse
from sagemaker_local.serving.server import INVOCATION_TIMEOUT

_LOG = logging.getLogger("sagemaker_local")
_WORKERS = 4


class Hosting:
    """The servers of one configuration. Thread-safe; what is copied and captured is done beside the answers."""

    def __init__(
        self, fleet: Fleet, shadow: Fleet | None = None, capture: Capture | None = None, seed: int = 0
    ) -> None:
        self._fleet = fleet
        self._shadow = shadow
        self._capture = capture
        self._chance = random.Random(seed)  # noqa: S311  # shares traffic, no secret
        self._beside = ThreadPoolExecutor(_WORKERS, thread_name_prefix="beside")

    def invoke(self, request: Mapping[str, Any], timeout: float = INVOCATION_TIMEOUT) -> VariantResponse:
        """Answer a request of InvokeEndpoint.

        Raises:
            UnknownVariantError: TargetVariant names none of the variants.
            FleetClosedError: these servers are being closed.
            InvocationError: the model gave no answer.
        """
        response = self._ask(self._fleet, request, request.get("TargetVariant"), timeout)
        self._keep(request, response)
        if self._shadow is not None and self._chance.random() < self._share():
            self._later(self._copy, request, timeout)
        return response

    @staticmethod
    def _ask(fleet: Fleet, request: Mapping[str, Any], variant: str | None, timeout: float) -> VariantResponse:
        return fleet.invoke(
            request.get("Body", b""),
            request.get("ContentType"),
            request.get("Accept"),
            target_variant=variant,
            headers=headers_for(request),
            timeout=timeout,
        )

    def _share(self) -> float:
        """Return the share of requests that the shadow gets: its weight by that of the production variant."""
        [own], [other] = self._fleet.variants.values(), self._shadow.variants.values() if self._shadow else [0.0]
        return other / own if own else 1.0

    def _copy(self, request: Mapping[str, Any], timeout: float) -> None:
        if self._shadow is None:
            return
        try:
            self._keep(request, self._ask(self._shadow, request, None, timeout))
        except (FleetClosedError, InvocationError) as error:
            _LOG.info("a shadow variant gave no answer: %s", error)

    def _keep(self, request: Mapping[str, Any], response: VariantResponse) -> None:
        if self._capture and response.status in SUCCESS and self._capture.wants():
            self._later(self._capture.keep, request, response)

    def _later(self, work: Any, *arguments: Any) -> None:
        try:
            self._beside.submit(work, *arguments)
        except RuntimeError:
            _LOG.info("servers that are closed copy and capture nothing more")

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the share of some variants, shadows among them."""
        for fleet in (self._fleet, self._shadow):
            if fleet is not None:
                known = fleet.variants
                fleet.set_weights({name: weight for name, weight in weights.items() if name in known})

    def close(self, drain_seconds: float = INVOCATION_TIMEOUT) -> None:
        """Take no more requests; wait for those in flight, at most `drain_seconds`, and end all servers."""
        self._fleet.close(drain_seconds)
        self._beside.shutdown(wait=drain_seconds > 0, cancel_futures=drain_seconds == 0)
        if self._shadow is not None:
            self._shadow.close(drain_seconds)
