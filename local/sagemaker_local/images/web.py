"""The HTTP side of the built-in model servers: /ping, /execution-parameters and /invocations on HTTP/1.1."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Request:
    """One invocation: the content types as sent, None where the header is missing."""

    body: bytes
    content_type: str | None
    accept: str | None


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"


class RefusedError(Exception):
    """A request gets an answer other than 200; the text is its body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


type Invoke = Callable[[Request], Reply]


def serve(invoke: Invoke, *, execution_parameters: dict[str, object] | None = None) -> None:
    """Answer on 127.0.0.1 at SAGEMAKER_BIND_TO_PORT until SIGTERM.

    Invocations run one at a time, as with one worker: user code need not be thread-safe. /ping always answers.
    """
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT))
    server = make_server(port, invoke, execution_parameters)
    # shutdown() waits for serve_forever() to end, so it cannot be called from the thread that runs it.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever(poll_interval=0.05)


def make_server(port: int, invoke: Invoke, execution_parameters: dict[str, object] | None) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1 that has not begun to answer."""
    lock = threading.Lock()

    class Handler(_Handler):
        def invocation(self, request: Request) -> Reply:
            with lock:
                return invoke(request)

        def parameters(self) -> dict[str, object] | None:
            return execution_parameters

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # a request in flight is answered before the process ends
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5  # idle kept-alive connections must not hold up the end of the process

    def invocation(self, request: Request) -> Reply:
        raise NotImplementedError

    def parameters(self) -> dict[str, object] | None:
        raise NotImplementedError

    def do_GET(self) -> None:
        parameters = self.parameters()
        if self.path == "/ping":
            self._answer(Reply(200))
        elif self.path == "/execution-parameters" and parameters is not None:
            self._answer(Reply(200, json.dumps(parameters).encode(), "application/json"))
        else:
            self._answer(Reply(404, b"not found"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self._answer(Reply(404, b"not found"))
            return
        request = Request(body, self.headers.get("Content-Type"), self.headers.get("Accept"))
        self._answer(self._invoke(request))

    def _invoke(self, request: Request) -> Reply:
        try:
            return self.invocation(request)
        except RefusedError as error:
            return Reply(error.status, str(error).encode())
        except Exception as error:  # noqa: BLE001 (user code may raise anything; the caller gets a 500)
            traceback.print_exc()
            return Reply(500, f"{type(error).__name__}: {error}".encode())

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        # 204 has no body, and by RFC 9110 no Content-Length either.
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.status != HTTPStatus.NO_CONTENT:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Log invocations to standard error; pings would fill the log."""
        if self.path != "/ping":
            sys.stderr.write(f"{self.command} {self.path} {args[1] if len(args) > 1 else format}\n")


def media_type(header: str | None, default: str) -> str:
    """Return the media type of a header in lower case without parameters; `default` if it is missing or */*."""
    plain = (header or "").split(",")[0].split(";")[0].strip().lower()
    return default if plain in ("", "*/*") else plain
