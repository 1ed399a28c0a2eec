"""Connections to services: through the proxy that the environment names, as AWS's own tools go, or straight."""

import base64
import http.client
import re
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from signalbox_snapshot.errors import SnapshotError, UnreachableError

_TIMEOUT = 60.0
_LOCAL = "169.254."
"""How the addresses of the metadata service and of a container's credentials begin: no proxy reaches those."""
_ADVICE = (
    "look at HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT) and NO_PROXY where the worker is started, and at what the "
    "proxy lets through"
)


class Proxy(NamedTuple):
    """A proxy, and the header by which it knows who asks."""

    host: str
    port: int
    headers: "dict[str, str]"


class Way(NamedTuple):
    """A connection, what comes before the path of a request on it, and the headers that a proxy wants of each."""

    connection: http.client.HTTPConnection
    prefix: str
    headers: "dict[str, str]"


def proxy(endpoint: str) -> "Proxy | None":
    """Return the proxy to `endpoint` by HTTPS_PROXY, HTTP_PROXY and NO_PROXY; names in small letters go before.

    Raises SnapshotError where what is named is no proxy, without naming it: it may hold a password.
    """
    parts = urlsplit(endpoint)
    named = getproxies().get(parts.scheme)
    if not named or parts.netloc.startswith(_LOCAL) or proxy_bypass(parts.netloc):
        return None
    try:
        given = urlsplit(named if "//" in named else "http://" + named)
        port = given.port or 80
    except ValueError:
        given = urlsplit("")
    if given.scheme != "http" or not given.hostname:
        raise SnapshotError(f"{parts.scheme.upper()}_PROXY names no proxy by http://", _ADVICE)
    who = f"{unquote(given.username)}:{unquote(given.password or '')}" if given.username else ""
    headers = {"Proxy-Authorization": "Basic " + base64.b64encode(who.encode()).decode()} if who else {}
    return Proxy(given.hostname, port, headers)


def way(endpoint: str) -> Way:
    """Return a way to `endpoint`, which is connected at its first request; TLS goes through a proxy unread."""
    parts, through = urlsplit(endpoint), proxy(endpoint)
    to = through or Proxy(str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80), {})
    if parts.scheme != "https":
        prefix = f"http://{parts.netloc}" if through else ""
        return Way(http.client.HTTPConnection(to.host, to.port, timeout=_TIMEOUT), prefix, to.headers)
    made = http.client.HTTPSConnection(to.host, to.port, timeout=_TIMEOUT, context=ssl.create_default_context())
    if through:
        made.set_tunnel(str(parts.hostname), parts.port or 443, through.headers)
    return Way(made, "", {})


def failure(endpoint: str, error: Exception) -> str:
    """Return why a service was not reached; raise UnreachableError where its proxy refuses for good."""
    through = proxy(endpoint)
    said = f"{type(error).__name__} {error}".strip()
    if through is None:
        return said
    answer = re.match(r"Tunnel connection failed: (40[0-7].*)", str(error))
    if answer:
        raise refused(endpoint, answer.group(1)) from error
    return f"{said}, through the proxy {through.host}:{through.port} of the environment"


def refused(endpoint: str, said: str) -> UnreachableError:
    """Return the error that a proxy's refusal is."""
    through = proxy(endpoint)
    name = f"{through.host}:{through.port}" if through else "of the network"
    return UnreachableError(
        f"the proxy {name} does not let the worker through to {urlsplit(endpoint).netloc}: {said}", _ADVICE
    )
