"""Who may come in: what a browser asks for on behalf of another web page is turned away.

A web page cannot read 127.0.0.1 without the cloud's leave, but it can send it requests, from any site that a person on
this machine happens to visit. So the cloud answers on this machine's own names only (a name that somebody else's DNS
points here is a foreign one), takes nothing that a page of another origin sends, and gives no page leave to read
(`access-control-*`). Browsers say where a request comes from and cannot be made to lie (Fetch standard, "Origin" and
"Sec-Fetch-Site"); other programs say nothing, and have to sign.
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NAMES = ("127.0.0.1", "localhost", "::1")
# Names below localhost are this machine's own (RFC 6761): S3 has its buckets there.
_OWN_SUFFIX = ".localhost"
_OF_AWS = ".amazonaws.com"
_ELSEWHERE = ("cross-site", "same-site")
_LEAVE = b"access-control-"


type Headers = list[tuple[bytes, bytes]]


def api_of(headers: Headers, region: str, known: Collection[str]) -> str | None:
    """Return the id of the API that a request names as on AWS, `<id>.execute-api.<region>.amazonaws.com`.

    Only a known one: nobody but AWS can point such a name here, so no web page can ask by it.
    """
    api, _, rest = _name(_read(headers).get("host", "")).partition(".")
    return api if rest == f"execute-api.{region}.amazonaws.com" and api in known else None


def names_aws(headers: Headers) -> bool:
    """Tell whether a request names a host of AWS."""
    return _name(_read(headers).get("host", "")).endswith(_OF_AWS)


def refusal(headers: Headers, *, public: bool, named: bool = False) -> str | None:
    """Return why a request may not come in; None if it may.

    Args:
        headers: The request's, names in lower case.
        public: It asks for what is public on AWS too: who sends it there is for the function behind to judge.
        named: Its host is a name on AWS of something that is here.
    """
    given = _read(headers)
    host = given.get("host", "")
    name = _name(host)
    if not named and name not in _NAMES and not name.endswith(_OWN_SUFFIX):
        return f"the local cloud answers to 127.0.0.1 and localhost only, and {host or 'no host'!r} was asked for"
    origin = given.get("origin")
    if public:
        return None
    if origin is not None and urlsplit(origin).netloc != host:
        return f"a page of {origin} may ask the local cloud for nothing"
    if given.get("sec-fetch-site") in _ELSEWHERE and given.get("sec-fetch-mode") != "navigate":
        return "a page of another site may ask the local cloud for nothing"
    return None


def is_of_a_browser(headers: Headers) -> bool:
    """Tell whether a browser asks, whatever for: git does not say where it comes from."""
    return any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in headers)


def _read(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def without_leave(send: Send) -> Send:
    """Return `send` without the headers that would let pages of other origins read an answer."""

    async def filtered(message: MutableMapping[str, Any]) -> None:
        if "headers" in message:
            kept = [(name, value) for name, value in message["headers"] if not name.lower().startswith(_LEAVE)]
            message = {**message, "headers": kept}
        await send(message)

    return filtered
