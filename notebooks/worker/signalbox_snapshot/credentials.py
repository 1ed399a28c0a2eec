"""Where the worker's keys come from: the environment, a container's endpoint, or the instance's metadata service."""

import http.client
import json
import os
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from signalbox_snapshot.errors import UnreachableError
from signalbox_snapshot.signing import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

_EARLY = 300
"""Seconds before their end at which keys are fetched anew."""
_CONTAINER = "http://169.254.170.2"
_INSTANCE = "http://169.254.169.254"
_ROLES = "/latest/meta-data/iam/security-credentials/"
_ADVICE = "give the instance a role, and let it reach its metadata service"


class _Lent(NamedTuple):
    """Keys and when they end, in seconds since 1970."""

    keys: Keys
    ends: float


class Credentials:
    """The keys of the moment, fetched anew before they end; any number of threads may ask."""

    def __init__(self, now: "Callable[[], float]" = time.time) -> None:
        self._lent = _Lent(Keys("", "", ""), 0.0)
        self._lock = threading.Lock()
        self._now = now

    def keys(self) -> Keys:
        """Return keys that are valid now; raise UnreachableError where nobody gives any."""
        with self._lock:
            if self._lent.ends - _EARLY <= self._now():
                self._lent = _fetched()
            return self._lent.keys

    def expired(self) -> None:
        """Note that the service no longer takes these keys."""
        with self._lock:
            self._lent = _Lent(self._lent.keys, 0.0)


def _fetched() -> _Lent:
    named = os.environ.get
    if named("AWS_ACCESS_KEY_ID"):
        keys = Keys(os.environ["AWS_ACCESS_KEY_ID"], named("AWS_SECRET_ACCESS_KEY", ""), named("AWS_SESSION_TOKEN", ""))
        return _Lent(keys, float("inf"))
    try:
        whole, relative = named("AWS_CONTAINER_CREDENTIALS_FULL_URI"), named("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        if whole or relative:
            return _lent(_asked("GET", whole or _CONTAINER + str(relative), _authorization()))
        return _of_instance(named("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _INSTANCE)
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise UnreachableError(f"no credentials: {error}", _ADVICE) from error


def _authorization() -> "dict[str, str]":
    file = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if file:
        with open(file, encoding="utf-8") as opened:
            return {"Authorization": opened.read().strip()}
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return {"Authorization": token} if token else {}


def _of_instance(service: str) -> _Lent:
    service = service.rstrip("/")
    try:
        token = _asked("PUT", service + "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "300"})
        headers = {"X-aws-ec2-metadata-token": token.decode()}
    except ValueError:
        # The first version of the service knows no tokens.
        headers = {}
    role = _asked("GET", service + _ROLES, headers).decode().split("\n")[0]
    return _lent(_asked("GET", service + _ROLES + role, headers))


def _asked(method: str, address: str, headers: "dict[str, str]") -> bytes:
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=5)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise ValueError(f"{parts.netloc} answered {answer.status}")
    return body


def _lent(body: bytes) -> _Lent:
    given = json.loads(body.decode())
    ends = datetime.strptime(given["Expiration"][:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()
    return _Lent(Keys(given["AccessKeyId"], given["SecretAccessKey"], given["Token"]), ends)
