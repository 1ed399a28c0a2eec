"""The one session of a function, and its clients.

The clients are those of boto3, made by the library under it: importing boto3 as well would add a tenth to what a cold
start spends on importing, for resources and transfers that nothing here uses.
"""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.session import Session

# Every service but a model answers within a second or two. A connection that says nothing for this long is lost, and
# two such losses leave a function of 30 seconds the time for a third attempt.
_READ_SECONDS, _CONNECT_SECONDS = 10, 3
_ATTEMPTS = 6
_making = Lock()  # a session makes one client at a time; a client may be called by many threads


class _Client:
    """A client that is made at its first call: an event pays only for the services that it needs."""

    def __init__(self, service: str, config: Config) -> None:
        self._service = service
        self._config = config
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            with _making:
                self._made = self._made or _session().create_client(self._service, config=self._config)
        return getattr(self._made, name)


@cache
def _session() -> "Session":
    return botocore.session.get_session()


@cache
def client(service: str, *, read_seconds: int = _READ_SECONDS, attempts: int = _ATTEMPTS) -> Any:
    """Return the cached client of `service`; a second client of the session costs a tenth of the first.

    It tries each call `attempts` times, and waits `read_seconds` for an answer. Where it tries more than once, it paces
    itself after throttling, which SageMaker does early (1 create call a second).
    """
    config = Config(
        retries={"mode": "adaptive" if attempts > 1 else "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
    )
    return _Client(service, config)
