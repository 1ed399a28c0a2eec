"""The credentials of a role, and where the programs of a machine ask for them: by HTTP, on a port of 127.0.0.1."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from sagemaker_local.runtime.ports import LOOPBACK

_NAMES = (LOOPBACK, "localhost", "169.254.169.254")
_RENEWED = 0.25  # new credentials are there when so much of the time of the old ones is left
_CLOSING = 0.1  # seconds within which the end is noticed
_NEVER = datetime.min.replace(tzinfo=UTC)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class RoleCredentials:
    """The credentials of a role, renewed before they expire.

    Attributes:
        make: returns new ones, by the names of their variables, that are valid for so many seconds.
        seconds: how long they are.
    """

    make: Callable[[float], Mapping[str, str]]
    seconds: float
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _keys: Mapping[str, str] = field(default_factory=dict)
    _made: datetime = _NEVER
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def document(self) -> str:
        """Return the present ones as AWS's metadata service answers them."""
        with self._lock:
            now = self.clock()
            if now - self._made >= timedelta(seconds=self.seconds * (1 - _RENEWED)):
                self._keys, self._made = self.make(self.seconds), now
            document = {
                "Code": "Success",
                "LastUpdated": self._made.strftime(_TIME),
                "Type": "AWS-HMAC",
                "AccessKeyId": self._keys["AWS_ACCESS_KEY_ID"],
                "SecretAccessKey": self._keys["AWS_SECRET_ACCESS_KEY"],
                "Token": self._keys["AWS_SESSION_TOKEN"],
                "Expiration": (self._made + timedelta(seconds=self.seconds)).strftime(_TIME),
            }
        return json.dumps(document, indent=2)


class PageServer:
    """Answers GET and PUT with status and text, on a free port of 127.0.0.1, until it is closed."""

    def __init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                _send(self, *server.get(urlsplit(self.path).path.rstrip("/"), self.headers))

            def do_PUT(self) -> None:
                _send(self, *server.put(urlsplit(self.path).path.rstrip("/"), self.headers))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        serve = partial(self._server.serve_forever, poll_interval=_CLOSING)
        threading.Thread(target=serve, name="metadata", daemon=True).start()

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    def get(self, _path: str, _headers: Message) -> tuple[int, str]:
        """Return status and text of a GET of a path."""
        return 404, ""

    def put(self, _path: str, _headers: Message) -> tuple[int, str]:
        """Return status and text of a PUT to a path."""
        return 404, ""


def is_own(headers: Message) -> bool:
    """Tell whether a request names this machine: no page of a browser can, whose name leads here."""
    return urlsplit(f"//{headers.get('Host', '')}").hostname in _NAMES


def _send(handler: BaseHTTPRequestHandler, status: int, text: str) -> None:
    body = text.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
