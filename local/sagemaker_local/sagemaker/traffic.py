"""Where an endpoint's requests go: to the current servers and, during an update, by a share to the new ones."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from sagemaker_local.sagemaker.hosting import Hosting
from sagemaker_local.serving import FleetClosedError, VariantResponse
from sagemaker_local.serving.server import INVOCATION_TIMEOUT


class Traffic:
    """The servers behind one endpoint. Thread-safe: any number of threads may ask while one moves the traffic."""

    def __init__(self, current: Hosting, chance: random.Random) -> None:
        self._current = current
        self._new: Hosting | None = None
        self._share = 0.0
        self._closed = False
        self._chance = chance
        self._lock = threading.Lock()

    def shift(self, new: Hosting, share: float) -> None:
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

    def promote(self) -> Hosting:
        """Make the new servers the current ones; return the old ones, which the caller closes."""
        with self._lock:
            if self._new is None:
                raise LookupError("there are no new servers to promote")
            old, self._current, self._new, self._share = self._current, self._new, None, 0.0
        return old

    def ask(self, request: Mapping[str, Any], timeout: float = INVOCATION_TIMEOUT) -> VariantResponse:
        """Pass a request of InvokeEndpoint on. Servers that are being closed hand over to their successors.

        Raises:
            FleetClosedError: the endpoint is being deleted.
            UnknownVariantError: TargetVariant names none of the variants.
            InvocationError: the model gave no answer.
        """
        while True:
            try:
                return self._choose().invoke(request, timeout)
            except FleetClosedError:
                if self._closed:
                    raise

    def _choose(self) -> Hosting:
        with self._lock:
            if self._new is not None and self._chance.random() < self._share:
                return self._new
            return self._current

    def close(self, drain_seconds: float) -> None:
        """Take no more requests; wait for those in flight, at most `drain_seconds`, and end the servers."""
        with self._lock:
            self._closed = True
            hostings = [hosting for hosting in (self._current, self._new) if hosting is not None]
        for hosting in hostings:
            hosting.close(drain_seconds)
