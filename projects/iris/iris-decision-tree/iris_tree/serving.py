"""Answer with the tree: `serve` of the container.

`GET /ping` says that the model is loaded; `POST /invocations` takes CSV rows without label, and answers with one label
a line.
"""

import csv
import logging
import os
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import joblib  # type: ignore[import-untyped]  # ships no types

from iris_tree.contract import ContainerError, Folders, read_row
from iris_tree.training import MODEL_FILE

CONTENT_TYPE = "text/csv"
BODY_LIMIT = 6 * 1024 * 1024  # bytes that SageMaker sends at most
NOBODY = 65534  # user and group `nobody` of Debian
DRAIN_SECONDS = 25.0  # SageMaker kills 30 seconds after it asked to stop
logger = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """The model's server; it knows how many requests it is answering."""

    daemon_threads = True  # a caller who keeps a connection open does not keep the server alive

    def __init__(self, address: tuple[str, int], model: Any) -> None:
        super().__init__(address, Handler)
        self.model = model
        self.busy = 0
        self.idle = threading.Condition()

    def count(self, change: int) -> None:
        """Count a request that begins or ends."""
        with self.idle:
            self.busy += change
            self.idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until no request is being answered; False if that took longer than `seconds`."""
        with self.idle:
            return self.idle.wait_for(lambda: self.busy == 0, seconds)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # small answers would wait for the caller's acknowledgement
    timeout = 60
    counted = False

    def do_GET(self) -> None:
        """Answer the health check."""
        self._answer(HTTPStatus.OK if self.path == "/ping" else HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Answer a prediction."""
        # Read first, whatever it is: what is left of a body would be taken for the connection's next request.
        given = self.headers.get("Content-Length", "")
        length = int(given) if given.isdigit() else BODY_LIMIT + 1
        self.close_connection = length > BODY_LIMIT
        body = None if self.close_connection else self.rfile.read(length)
        self._answer(*self._respond(body))

    def parse_request(self) -> bool:
        """Read a request's head. It counts as being answered from here on, before its caller is told to go on."""
        self.counted = True
        self.server.count(1)
        return super().parse_request()

    def handle_one_request(self) -> None:
        """Wait for a request and answer it; a connection that only waits keeps no server from stopping."""
        try:
            super().handle_one_request()
        finally:
            if self.counted:
                self.counted = False
                self.server.count(-1)

    def _respond(self, body: bytes | None) -> tuple[HTTPStatus, str]:
        if self.path != "/invocations":
            return HTTPStatus.NOT_FOUND, f"no such path: {self.path}\n"
        if body is None:
            return HTTPStatus.CONTENT_TOO_LARGE, f"the body has no stated length, or more than {BODY_LIMIT} bytes\n"
        kind = self.headers.get("Content-Type", "")
        if kind.partition(";")[0].strip().lower() != CONTENT_TYPE:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content type {kind!r} is not taken: send {CONTENT_TYPE}\n"
        try:
            return HTTPStatus.OK, "".join(f"{label}\n" for label in self.server.model.predict(_rows(body)))
        except ContainerError as error:
            return HTTPStatus.BAD_REQUEST, f"{error}\n"

    def _answer(self, status: HTTPStatus, text: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE if status == HTTPStatus.OK else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log what went wrong only: SageMaker asks for /ping every few seconds."""
        if isinstance(code, int) and code >= HTTPStatus.BAD_REQUEST:
            logger.info("%s answered %s (%s)", self.path, code, size)


def _rows(body: bytes) -> list[list[float]]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ContainerError("the body is not UTF-8 text") from None
    numbered = enumerate(csv.reader(text.splitlines()), start=1)
    rows = [read_row(fields, f"row {number}") for number, fields in numbered if fields]
    if not rows:
        raise ContainerError("the body has no rows")
    return rows


def _drop_root() -> None:
    """Go on as an ordinary user: SageMaker starts a container as root, and what answers requests need not be."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def main() -> int:
    """Serve until SIGTERM; requests that are being answered are finished."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    path = Folders.of_environment().model / MODEL_FILE
    if not path.exists():
        logger.error("no model: %s is missing", path)
        return 1
    in_container = "SAGEMAKER_BASE_DIR" not in os.environ
    # In a container SageMaker asks from outside; anywhere else only this machine may.
    host = "0.0.0.0" if in_container else "127.0.0.1"  # noqa: S104  # see above
    server = Server((host, int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), joblib.load(path))
    if in_container and os.geteuid() == 0:
        _drop_root()
    # shutdown() waits for the loop that this very thread runs, so another thread has to call it.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    logger.info("serving on port %d", server.server_port)
    server.serve_forever(poll_interval=0.1)
    drained = server.drain(DRAIN_SECONDS)
    server.server_close()
    return 0 if drained else 1
