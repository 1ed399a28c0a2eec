"""The instance metadata service of a notebook instance: its role's credentials, its region, its identity.

Paths, headers and statuses: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and
"Retrieve security credentials from instance metadata". On AWS it answers on 169.254.169.254; here on a port of
127.0.0.1, which AWS_EC2_METADATA_SERVICE_ENDPOINT names.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from sagemaker_local.runtime.ports import LOOPBACK

LONGEST_TOKEN = 21_600
"""Seconds that a token of version 2 is valid at most."""
_TOKEN, _TTL = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
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
        """Return the present ones as the metadata service answers them."""
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


@dataclass(frozen=True)
class InstanceFacts:
    """What an instance may know of itself."""

    account: str
    region: str
    instance_type: str
    role: str
    needs_token: bool
    instance_id: str = field(default_factory=lambda: f"i-{secrets.token_hex(9)[:17]}")

    def pages(self, credentials: RoleCredentials) -> dict[str, Callable[[], str]]:
        """Return the text of each path, made when it is asked for."""
        role, zone = self.role.rpartition("/")[2], f"{self.region}a"
        identity = {
            "accountId": self.account,
            "availabilityZone": zone,
            "instanceId": self.instance_id,
            "instanceType": self.instance_type.removeprefix("ml."),
            "region": self.region,
        }
        found: dict[str, Callable[[], str]] = {
            "/latest/meta-data/iam/security-credentials": lambda: role,
            f"/latest/meta-data/iam/security-credentials/{role}": credentials.document,
            "/latest/meta-data/placement/region": lambda: self.region,
            "/latest/meta-data/placement/availability-zone": lambda: zone,
            "/latest/meta-data/instance-id": lambda: self.instance_id,
            "/latest/dynamic/instance-identity/document": lambda: json.dumps(identity, indent=2),
        }
        return found


class MetadataService:
    """Answers on a free port of 127.0.0.1 until it is closed."""

    def __init__(self, facts: InstanceFacts, credentials: RoleCredentials) -> None:
        self._facts = facts
        self._pages = facts.pages(credentials)
        self._tokens: dict[str, float] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, text = service.get(self.path, self.headers)
                service.send(self, status, text)

            def do_PUT(self) -> None:
                status, text = service.put(self.path, self.headers)
                service.send(self, status, text)

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

    def put(self, path: str, headers: Message) -> tuple[int, str]:
        """Return status and text of a PUT: a token. A proxy gets none, nor a page that goes by another host's name."""
        if path.rstrip("/") != "/latest/api/token":
            return 404, ""
        if "X-Forwarded-For" in headers or not _is_own(headers):
            return 403, ""
        wanted = headers.get(_TTL, "")
        if not wanted.isdecimal() or not 1 <= int(wanted) <= LONGEST_TOKEN:
            return 400, ""
        token = secrets.token_urlsafe(40)
        self._tokens[token] = time.monotonic() + int(wanted)
        return 200, token

    def get(self, path: str, headers: Message) -> tuple[int, str]:
        """Return status and text of a GET."""
        token = headers.get(_TOKEN)
        if not _is_own(headers):
            return 403, ""
        if token is None and self._facts.needs_token:
            return 401, ""
        if token is not None and self._tokens.get(token, 0.0) < time.monotonic():
            return 401, ""
        page = self._pages.get(urlsplit(path).path.rstrip("/"))
        return (200, page()) if page else (404, "")

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, status: int, text: str) -> None:
        """Answer one request."""
        body = text.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def _is_own(headers: Message) -> bool:
    """Tell whether a request names this machine: no page of a browser can, whose name leads here."""
    return urlsplit(f"//{headers.get('Host', '')}").hostname in _NAMES
