"""Signature Version 4 of AWS, for requests whose body is in memory."""

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_ALGORITHM = "AWS4-HMAC-SHA256"
_ONCE_ENCODED = "s3"
"""The one service whose path is not encoded a second time for the signature."""


class Keys(NamedTuple):
    """Credentials; `token` is empty for a user's own keys."""

    key: str
    secret: str
    token: str


class Scope(NamedTuple):
    """Where and for what a signature holds."""

    region: str
    service: str


class Outgoing(NamedTuple):
    """A request: `path` is percent-encoded already, `query` is not; `digest` is the body's SHA-256 in hex."""

    method: str
    host: str
    path: str
    query: "tuple[tuple[str, str], ...]"
    headers: "Mapping[str, str]"
    digest: str


def encoded(text: str, safe: str = "") -> str:
    """Return `text` percent-encoded as the signature asks: all but letters, digits and `-_.~`."""
    return quote(text, safe=safe + "~")


def query_text(query: "tuple[tuple[str, str], ...]") -> str:
    """Return the query as it is sent and signed: sorted and percent-encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted((encoded(k), encoded(v)) for k, v in query))


def signed(request: Outgoing, keys: Keys, scope: Scope, now: "datetime") -> "dict[str, str]":
    """Return the headers of `request` with its signature at `now`, which is in UTC."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {name.lower(): " ".join(value.split()) for name, value in request.headers.items()}
    headers.update({"host": request.host, "x-amz-date": moment})
    if scope.service == _ONCE_ENCODED:
        headers["x-amz-content-sha256"] = request.digest
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    path = request.path if scope.service == _ONCE_ENCODED else encoded(request.path, "/")
    lines = [request.method, path, query_text(request.query)]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers)]
    lines += ["", names, request.digest]
    credential = "/".join([moment[:8], scope.region, scope.service, "aws4_request"])
    text = "\n".join([_ALGORITHM, moment, credential, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    signature = hmac.new(_signing_key(keys.secret, credential), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={keys.key}/{credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _signing_key(secret: str, credential: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in credential.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
