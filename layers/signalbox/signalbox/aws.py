"""The one boto3 session of a function, and its clients."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from boto3.session import Session

# Adaptive mode paces itself after throttling, which SageMaker does early (1 create call a second).
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=3, read_timeout=60)


@cache
def _session() -> "Session":
    return boto3.session.Session()


@cache
def client(service: str) -> Any:
    """Return the cached client of `service`; a second client of the session costs a tenth of the first."""
    return _session().client(service, config=_CONFIG)  # type: ignore[call-overload]  # the name is a variable here
