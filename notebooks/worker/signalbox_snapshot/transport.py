"""Requests to AWS over HTTP: signed, repeated with growing pauses where that may help, one connection a thread."""

import hashlib
import http.client
import logging
import random
import threading
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from signalbox_snapshot.connections import Way, failure, refused, way
from signalbox_snapshot.errors import MissingError, RefusedError, StoppedError, UnreachableError
from signalbox_snapshot.refusals import advice, refusal
from signalbox_snapshot.signing import Outgoing, Scope, query_text, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox_snapshot.credentials import Credentials

_LOG = logging.getLogger(__name__)
_LONGEST = 20.0
_LATER = {408, 429, 500, 502, 503, 504}
_PASSING = {"SlowDown", "RequestTimeout", "ThrottlingException", "Throttling", "ConditionalRequestConflict"}
_REGION = "x-amz-bucket-region"
_EXPIRED = {"ExpiredToken", "ExpiredTokenException"}
_EMPTY = hashlib.sha256(b"").hexdigest()


class Call(NamedTuple):
    """What is asked of a service at `endpoint`: `path` is percent-encoded, `digest` the body's SHA-256 where known."""

    method: str
    endpoint: str
    path: str
    scope: Scope
    query: "tuple[tuple[str, str], ...]" = ()
    headers: "Mapping[str, str]" = MappingProxyType({})
    body: "bytes | bytearray" = b""
    digest: str = ""


class Answer(NamedTuple):
    """What a service answered; the names of headers are in small letters."""

    status: int
    headers: "dict[str, str]"
    body: bytes


class Clock:
    """The time as AWS has it, where that is known to be another than the instance's."""

    def __init__(self) -> None:
        self._skew = timedelta()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(timezone.utc) + self._skew

    def set(self, date: str) -> None:
        """Take a date of HTTP for the time."""
        self._skew = parsedate_to_datetime(date) - datetime.now(timezone.utc)
        _LOG.warning("the instance's clock is wrong by %d seconds: that of AWS is used", self._skew.total_seconds())


class Transport:
    """Sends calls, each at most `attempts` times; counts them and the bytes that they moved.

    Any number of threads may send.
    """

    def __init__(self, credentials: "Credentials", clock: Clock, attempts: int = 8, pause: float = 0.2) -> None:
        self.calls = 0
        self.moved = 0
        self.stopped = threading.Event()
        self.attempts = attempts
        self._clock = clock
        self._credentials = credentials
        self._pause = pause
        self._own = threading.local()
        self._lock = threading.Lock()

    def send(self, call: Call) -> Answer:
        """Return a successful answer.

        Raises MissingError at 404, RefusedError at another refusal, UnreachableError where `attempts` were in vain, and
        StoppedError where the worker is to stop.
        """
        reason = ""
        for attempt in range(self.attempts):
            if attempt and self.stopped.wait(self._wait(attempt)):
                break
            try:
                answer = self._once(call)
            except (OSError, http.client.HTTPException) as error:
                self._forget()
                reason = failure(call.endpoint, error)
                continue
            if answer.status < http.client.MULTIPLE_CHOICES:
                return answer
            reason = self._judged(call, answer)
        if self.stopped.is_set():
            raise StoppedError
        raise UnreachableError(
            f"{urlsplit(call.endpoint).netloc} did not answer in {self.attempts} attempts: {reason}",
            "look at the instance's network (a VPC without internet needs an S3 gateway endpoint and one of the "
            "SageMaker API), then start again: the work goes on where it was cut",
        )

    def _wait(self, attempt: int) -> float:
        """Return seconds: twice as many at each attempt, and never the same for two workers."""
        return min(_LONGEST, self._pause * 2.0 ** (attempt - 1)) * (0.5 + random.random())  # noqa: S311 - no secret

    def _judged(self, call: Call, answer: Answer) -> str:
        """Return why the call is worth another attempt; raise where it is not."""
        code, message = refusal(answer.body)
        if answer.status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            raise refused(call.endpoint, f"{answer.status} {http.client.responses[answer.status]}")
        if self._clock_was_wrong(code, message, answer) or code in _PASSING or answer.status in _LATER:
            return f"{answer.status} {code} {message}".strip()
        if code in _EXPIRED:
            self._credentials.expired()
            return code
        where = f"{call.method} {call.path}"
        reason = f"{code or answer.status} at {where}: {message}" if message else f"{code or answer.status} at {where}"
        kind = MissingError if answer.status == http.client.NOT_FOUND else RefusedError
        raise kind(reason, advice(answer.status, code, message), answer.status, code, answer.headers.get(_REGION, ""))

    def _clock_was_wrong(self, code: str, message: str, answer: Answer) -> bool:
        """Whether the refusal is for the time of the request, which is AWS's from now on."""
        date = answer.headers.get("date", "")
        told = (
            code == "RequestTimeTooSkewed" or "Signature expired" in message or "Signature not yet current" in message
        )
        if not (date and told):
            return False
        self._clock.set(date)
        return True

    def _once(self, call: Call) -> Answer:
        host = urlsplit(call.endpoint).netloc
        digest = call.digest or (hashlib.sha256(call.body).hexdigest() if call.body else _EMPTY)
        outgoing = Outgoing(call.method, host, call.path, call.query, call.headers, digest)
        headers = signed(outgoing, self._credentials.keys(), call.scope, self._clock.now())
        target = call.path + ("?" + query_text(call.query) if call.query else "")
        to = self._way(call.endpoint)
        headers = dict(_with_length(call, headers), **to.headers)
        to.connection.request(call.method, to.prefix + target, body=call.body or None, headers=headers)
        response = to.connection.getresponse()
        body = response.read()
        with self._lock:
            self.calls += 1
            self.moved += len(call.body) + len(body)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def _way(self, endpoint: str) -> Way:
        kept: dict[str, Way] = self._own.__dict__.setdefault("kept", {})
        if endpoint not in kept:
            kept[endpoint] = way(endpoint)
        return kept[endpoint]

    def _forget(self) -> None:
        """Close this thread's connections: one that failed answers nothing any more."""
        kept: dict[str, Way] = self._own.__dict__.setdefault("kept", {})
        for one in kept.values():
            one.connection.close()
        kept.clear()


def _with_length(call: Call, headers: "dict[str, str]") -> "dict[str, str]":
    return dict(headers, **{"content-length": str(len(call.body))}) if call.method in {"PUT", "POST"} else headers
