"""The one session of a function, its clients, and what all adapters have to know of the answers.

The clients are those of boto3, made by the library under it: importing boto3 as well would add a tenth to what a cold
start spends on importing, for resources and transfers that nothing here uses.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from botocore.session import Session

# Adaptive mode paces itself after throttling, which SageMaker does early (1 create call a second).
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=3, read_timeout=60)


# SageMaker has a code for what does not exist; its older operations send a ValidationException that says so.
_MISSING = re.compile(r"could not find|cannot find|does not exist|not found", re.IGNORECASE)


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


def says_missing(error: ClientError) -> bool:
    """Say whether SageMaker answers that there is no such thing."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code.startswith("ResourceNotFound") or (code == "ValidationException" and bool(_MISSING.search(message)))
