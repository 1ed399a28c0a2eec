"""A host's REST API: JSON over HTTPS, with a time limit, and its refusals in sentences. Nothing is tried twice."""

import functools
import http.client
import json
import math
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any

from signalbox_operate.hosts.model import HostError

_PATIENCE = 30  # seconds
_LARGEST = 4 * 1024 * 1024  # bytes of an answer: a hundred webhooks have less
_LONGEST = 300  # characters of a host's own words
# What an error of a host has beside its words (GitHub, "Troubleshooting the REST API").
_NO_WORDS = frozenset({"documentation_url", "status", "type", "resource", "code", "field"})
_TAKEN = ("already exists", "already been taken")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Let a redirection be an error: the token is for this address, and a POST would not arrive as one."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


@functools.cache  # reading the certificates takes longer than a call
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class Api:
    """The API of a host under an address, as its token is let in; `secret` is where the token was read from."""

    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    secret: str

    def get(self, path: str, needs: str) -> Any:
        """Return what is under a path; None where nothing is. `needs` is what the token has to be allowed.

        Raises:
            HostError: the host refuses, or does not answer.
        """
        return self._call("GET", path, needs, missing=True)

    def delete(self, path: str, needs: str) -> None:
        """Delete what is under a path, if it is there.

        Raises:
            HostError: the host refuses, or does not answer.
        """
        self._call("DELETE", path, needs, missing=True)

    def send(self, method: str, path: str, needs: str, body: Mapping[str, Any]) -> Any:
        """Send a body and return the answer.

        Raises:
            HostError: the host refuses, or does not answer.
        """
        return self._call(method, path, needs, body)

    def _call(
        self, method: str, path: str, needs: str, body: Mapping[str, Any] | None = None, *, missing: bool = False
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"User-Agent": "signalbox", "Content-Type": "application/json", **self.headers}
        address = f"{self.url}{path}"
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310  # choosing.py checks it
        try:
            opener = urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=_certificates()))
            with opener.open(request, timeout=_PATIENCE) as answer:
                text = answer.read(_LARGEST)
                return json.loads(text) if text.strip() else None
        except urllib.error.HTTPError as error:
            if missing and error.code == HTTPStatus.NOT_FOUND:
                return None
            raise HostError(self._refusal(error, f"{method} {path.partition('?')[0]}", needs)) from error
        except ValueError as error:
            raise HostError(f"what answers under {self.url} is not {self.name}'s API: correct the address") from error
        except (OSError, http.client.HTTPException) as error:
            raise HostError(self._unreached(error)) from error

    def _refusal(self, error: urllib.error.HTTPError, call: str, needs: str) -> str:
        words = "; ".join(dict.fromkeys(_words(error)))[:_LONGEST]
        told = f"({call}: {error.code}{f', {words}' if words else ''})"
        seconds = _wait(error.headers, error.code)
        if seconds is not None:
            return f"{self.name} takes no more requests of this token for now: repeat in {seconds:,} seconds {told}"
        return f"{self.name} {self._why(error.code, words, needs)} {told}"

    def _why(self, status: int, words: str, needs: str) -> str:
        """Return what a status of an error says of the host, with the way out."""
        if any(word in words for word in _TAKEN):
            return f"has one of this name already, hidden from this token: choose another name, or give it {needs}"
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            return f"does not allow this token what is asked: give it {needs}"
        if status == HTTPStatus.UNAUTHORIZED:
            return f"does not know the token: it is wrong, or has expired; put another into the secret {self.secret}"
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "is out of order: repeat later"
        if status < HTTPStatus.BAD_REQUEST:
            return "has it under another address by now: name the repository as it is called there"
        return "refuses what is asked"

    def _unreached(self, error: Exception) -> str:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return (
                f"the connection to {self.url} cannot be trusted: set SSL_CERT_FILE to your network's certificates "
                f"({reason})"
            )
        return f"{self.name} does not answer under {self.url}: is there a network, and is the address right? ({reason})"


def _words(error: urllib.error.HTTPError) -> Iterator[str]:
    """Yield the words of an error, however deep they lie; none of a page for people, or of an answer that broke off."""
    try:
        waiting = [json.loads(error.read(_LARGEST))]
    except (ValueError, OSError, http.client.HTTPException):
        return
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, dict):
            waiting += [value for name, value in one.items() if name not in _NO_WORDS]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one


def _wait(headers: Message, status: int) -> int | None:
    """Return for how many seconds a host takes no more requests; None where that is not what it says.

    GitHub says so with 403, too, and by one header or the other (GitHub Docs, "Rate limits for the REST API").
    """
    if status not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return None
    after, left, reset = (
        headers.get(name, "") for name in ("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    )
    if after.isascii() and after.isdigit():
        return int(after)
    if left == "0" and reset.isascii() and reset.isdigit():
        return max(0, math.ceil(int(reset) - time.time()))
    return 60 if status == HTTPStatus.TOO_MANY_REQUESTS else None
