"""Where an endpoint's requests go: to the current servers and, during an update, by a share to the new ones."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from sagemaker_local.sagemaker.invocations import headers_for
from sagemaker_local.serving import Fleet, FleetClosedError, VariantResponse


class Traffic:
    """The servers behind one endpoint. Thread-safe: any number of threads may ask while one moves the traffic."""

    def __init__(self, current: Fleet, chance: random.Random) -> None:
        self._current = current
        self._new: Fleet | None = None
        self._share = 0.0
        self._closed = False
        self._chance = chance
        self._lock = threading.Lock()

    def shift(self, new: Fleet, share: float) -> None:
        """Send a share (0 to 1) of the requests to new servers."""
        with self._lock:
            self._new, self._share = new, share

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the share of some variants of the current servers."""
        with self._lock:
            self._current.set_weights(weights)

    def give_up(self) -> None:
        """Send everything to the current servers again, and end the new ones."""
        with self._lock:
            new, self._new, self._share = self._new, None, 0.0
        if new is not None:
            new.close()

    def promote(self) -> Fleet:
        """Make the new servers the current ones; return the old ones, which the caller closes."""
        with self._lock:
            if self._new is None:
                raise LookupError("there are no new servers to promote")
            old, self._current, self._new, self._share = self._current, self._new, None, 0.0
        return old

    def ask(self, body: bytes, request: dict[str, Any]) -> VariantResponse:
        """Pass a request of InvokeEndpoint on. Servers that are being closed hand over to their successors.

        Raises:
            FleetClosedError: the endpoint is being deleted.
            UnknownVariantError: TargetVariant names none of the variants.
            InvocationError: the model gave no answer.
        """
        while True:
            fleet = self._choose()
            try:
                return fleet.invoke(
                    body,
                    request.get("ContentType"),
                    request.get("Accept"),
                    target_variant=request.get("TargetVariant"),
                    headers=headers_for(request),
                )
            except FleetClosedError:
                if self._closed:
                    raise

    def _choose(self) -> Fleet:
        with self._lock:
            if self._new is not None and self._chance.random() < self._share:
                return self._new
            return self._current

    def close(self, drain_seconds: float) -> None:
        """Take no more requests; wait for those in flight, at most `drain_seconds`, and end the servers."""
        with self._lock:
            self._closed = True
            fleets = [fleet for fleet in (self._current, self._new) if fleet is not None]
        for fleet in fleets:
            fleet.close(drain_seconds)
