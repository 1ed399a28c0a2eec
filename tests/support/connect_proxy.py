"""An HTTP proxy on 127.0.0.1 that remembers: it answers CONNECT as the host that is asked for, and passes others on.

Behind every name it has one cloud.
"""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from sagemaker_local import certificates

_CHUNK = 65_536


@dataclass
class Gate:
    """A proxy in front of `cloud`; `asked` are the methods and targets that it was asked for.

    `password` is what it wants to hear ("user:password"), `closed` the status that it answers to everything.
    """

    cloud: str
    tls: ssl.SSLContext
    password: str = ""
    closed: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def gate(cloud: str, authority: Path, name: str, password: str = "", closed: int = 0) -> Iterator[Gate]:
    """Serve a proxy that speaks TLS as `name`, by an authority whose certificate is put into a file."""
    made = Gate(cloud, certificates.context(authority, [name]), password, closed)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.gate = made  # type: ignore[attr-defined]  # what a handler knows of its server
    made.url = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        if self._lets_through():
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with suppress(OSError), self._gate.tls.wrap_socket(self.connection, server_side=True) as client:
                self._join(client, b"")
        self.close_connection = True

    def do_PUT(self) -> None:
        """Pass a request on, as it is but for the name of its host."""
        if self._lets_through():
            parts = urlsplit(self.path)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            kept = "".join(f"{k}: {v}\r\n" for k, v in self.headers.items() if not k.lower().startswith("proxy-"))
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            head = f"{self.command} {path} HTTP/1.1\r\n{kept}Connection: close\r\n\r\n"
            self._join(self.connection, head.encode() + body)
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    @property
    def _gate(self) -> Gate:
        return cast("Gate", self.server.gate)  # type: ignore[attr-defined]  # see gate()

    def _lets_through(self) -> bool:
        gate = self._gate
        gate.asked.append((self.command, self.path))
        wanted = f"Basic {base64.b64encode(gate.password.encode()).decode()}"
        refused = gate.closed or (407 if gate.password and self.headers.get("proxy-authorization") != wanted else 0)
        if refused:
            self.send_response(refused)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return not refused

    def _join(self, client: socket.socket, first: bytes) -> None:
        """Carry bytes between a client and the cloud until one of them ends."""
        parts = urlsplit(self._gate.cloud)
        with socket.create_connection((str(parts.hostname), parts.port or 80)) as there:
            there.sendall(first)
            back = threading.Thread(target=_carry, args=(there, client), daemon=True)
            back.start()
            if not first:
                _carry(client, there)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
