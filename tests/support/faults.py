"""A proxy between AWS's library and a cloud, which loses what a network loses.

Requests go through it as they are. A share of them meets a fault: the connection is reset before the cloud hears of the
request, the service says that it is busy or that it broke, the answer comes too late, or the request is done and its
answer is lost, in whole or in half.
"""

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast
from urllib.parse import urlsplit

type Fault = Literal["drop", "throttle", "refuse", "delay", "lose", "cut"]
FAULTS: tuple[Fault, ...] = ("drop", "throttle", "refuse", "delay", "lose", "cut")
# What these faults do, the cloud has done: only the answer is missing.
DONE: tuple[Fault, ...] = ("lose", "cut")
_PATIENCE = 90
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass
class Weather:
    """Which request meets which fault: `next` ones in their order, then by chance a `share` of all, of the `kinds`.

    `late` is for how many seconds a delayed request is held back before the cloud gets it. `met` counts the faults.
    """

    share: float = 0.0
    kinds: Sequence[Fault] = FAULTS
    late: float = 0.0
    next: list[Fault | None] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(20261120))  # noqa: S311  # no secret
    met: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self) -> Fault | None:
        """Return what happens to the next request."""
        with self._lock:
            if self.next:
                fault = self.next.pop(0)
            else:
                fault = self.chance.choice(self.kinds) if self.chance.random() < self.share else None
            self.met[fault or "none"] += 1
            return fault


class FaultyProxy(ThreadingHTTPServer):
    """The proxy of the cloud at `target` (`http://127.0.0.1:4566`); its own address is `url`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: str, weather: Weather) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.weather = weather
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that have gone: that is what this proxy is for."""


@contextmanager
def faulty_proxy(target: str, weather: Weather) -> Iterator[FaultyProxy]:
    """Give a running proxy."""
    proxy = FaultyProxy(target, weather)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = cast("FaultyProxy", self.server)
        fault = proxy.weather.fault()
        if fault == "drop":
            self._reset()
        elif fault == "throttle":
            # Services that name their operation in a header answer 400 and a code, the others by the status alone.
            status = 400 if "X-Amz-Target" in self.headers else 429
            self._say(status, {"__type": "ThrottlingException", "message": "Rate exceeded"})
        elif fault == "refuse":
            self._say(503, {"__type": "ServiceUnavailable", "message": "try again"})
        else:
            time.sleep(proxy.weather.late if fault == "delay" else 0)
            answer, content = _forwarded(proxy.target, self.command, self.path, dict(self.headers), body)
            if fault == "lose":
                self._reset()
            else:
                self._pass_on(answer, content, whole=fault != "cut")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815  # the server's names

    def _pass_on(self, answer: HTTPResponse, content: bytes, *, whole: bool) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content if whole else content[: len(content) // 2])
        if not whole:
            self._reset()

    def _say(self, status: int, content: Mapping[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Close the connection so that the other side sees a reset, not an end."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Write nothing."""


def _forwarded(
    target: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(target, timeout=_PATIENCE)
    try:
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(method, path, body=body, headers=kept | {"Content-Length": str(len(body))})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
