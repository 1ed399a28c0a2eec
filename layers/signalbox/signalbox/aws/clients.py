"""The one session of a function, and its clients.

The clients are those of boto3, made by the library under it: importing boto3 as well would add a tenth to what a cold
start spends on importing, for resources and transfers that nothing here uses.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.session import Session

# Adaptive mode paces itself after throttling, which SageMaker does early (1 create call a second).
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=3, read_timeout=60)


class _Client:
    """A client that is made at its first call: an event pays only for the services that it needs."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = _session().create_client(self._service, config=_CONFIG)
        return getattr(self._made, name)


@cache
def _session() -> "Session":
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """Return the cached client of `service`; a second client of the session costs a tenth of the first."""
    return _Client(service)
