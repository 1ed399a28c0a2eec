"""S3 and the tags of SageMaker on 127.0.0.1, as much of them as the worker of notebook instances asks for.

It remembers objects, settings and calls, holds each body against its digest, and loses what a network loses. Buckets of
`others` are another account's.
"""

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.faults import Weather

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_TAG = re.compile(r"[A-Za-z0-9 _.:/=+\-@]{0,256}")


@dataclass(repr=False)
class Kept:
    """An object, and when it was put."""

    body: bytes
    modified: str


@dataclass(repr=False)
class State:
    """What the cloud has, and how it behaves.

    `region` is that of its buckets, `ahead` by how much its clock differs from ours. `at_call` has a call's number or a
    text of its path, what is run when it comes, and whether that is after it was done and before it is answered.
    `bound_to` is the prefix that the role reaches alone, as the template's policy has it: then a key that is not there
    is refused.
    """

    buckets: dict[str, dict[str, Kept]] = field(default_factory=dict)
    settings: dict[str, dict[str, bytes]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    weather: Weather = field(default_factory=Weather)
    region: str = REGION
    ahead: timedelta = timedelta()
    strict_clock: bool = False
    page: int = 1000
    refuse_tags: bool = False
    refuse_puts: tuple[str, str] | None = None
    bound_to: str = ""
    at_call: tuple[int | str, Callable[[], None], bool] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def objects(self, bucket: str = "backups") -> dict[str, bytes]:
        """Return the objects of a bucket."""
        return {key: kept.body for key, kept in self.buckets[bucket].items()}

    def status(self, operation: str, prefix: str = "") -> dict[str, object]:
        """Return a status document of the instance `nb`."""
        return cast(
            "dict[str, object]", json.loads(self.buckets["backups"][f"{prefix}status/nb/{operation}.json"].body)
        )


class _Refused(Exception):  # noqa: N818 - it is an answer here, not an error
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self._handle()

    do_PUT = do_POST = do_HEAD = do_GET  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def _handle(self) -> None:
        state = cast("_Cloud", self.server).state
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = state.weather.fault()
        with state.lock:
            state.calls[self.command] += 1
            number = state.calls.total()
            state.moved += len(body)
        moment = state.at_call
        come = moment and (moment[0] in self.path if isinstance(moment[0], str) else number == moment[0])
        if moment and come and not moment[2]:
            moment[1]()
        if fault == "drop":
            self.close_connection = True
            return
        try:
            if fault in {"throttle", "refuse"}:
                raise _Refused(503, "SlowDown") if fault == "throttle" else _Refused(500, "InternalError")
            self._hold(state, body)
            with state.lock:
                status, answer = self._answer(state, body)
        except _Refused as refusal:
            status, answer = refusal.status, self._told(refusal)
        if moment and come and moment[2]:
            moment[1]()
        if fault == "lose":
            self.close_connection = True
            return
        self._send(state, status, answer, cut=fault == "cut")

    def _send(self, state: State, status: int, answer: bytes, cut: bool) -> None:
        self.send_response_only(status)
        self.send_header("Date", format_datetime(datetime.now(UTC) + state.ahead, usegmt=True))
        if status == 301:
            self.send_header("x-amz-bucket-region", state.region)
        self.send_header("Content-Length", str(len(answer) + (1 if cut else 0)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
        self.wfile.flush()
        self.close_connection = cut or self.close_connection
        with state.lock:
            state.moved += len(answer)

    def _told(self, refusal: _Refused) -> bytes:
        if self.command == "HEAD":
            return b""
        if self.headers.get("x-amz-target"):
            return json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        return f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>".encode()

    def _hold(self, state: State, body: bytes) -> None:
        """Refuse what AWS refuses of any request."""
        assert self.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
        said = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if state.strict_clock and abs(datetime.now(UTC) + state.ahead - said) > timedelta(minutes=15):
            if self.headers.get("x-amz-target"):
                raise _Refused(400, "InvalidSignatureException", "Signature expired: it is too late")
            raise _Refused(403, "RequestTimeTooSkewed", "The difference between the times is too large")
        if not self.headers.get("x-amz-target"):
            assert self.headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()

    def _answer(self, state: State, body: bytes) -> tuple[int, bytes]:
        if self.headers.get("x-amz-target"):
            return 200, self._tags(state, json.loads(body))
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        made = self.command == "PUT" and not key and not query
        self._allow(state, bucket, made)
        if made:
            state.buckets.setdefault(bucket, {})
            return 200, b""
        if not (key or query.get("prefix", "")).startswith(state.bound_to):
            raise _Refused(403, "AccessDenied", "Access Denied")
        if key:
            return self._object(state, bucket, key, body)
        return 200, self._bucket(state, bucket, query, body)

    def _allow(self, state: State, bucket: str, made: bool) -> None:
        if f"/{state.region}/s3/" not in self.headers["authorization"]:
            raise _Refused(301, "PermanentRedirect", "The bucket must be addressed using another endpoint")
        if bucket in state.others:
            raise _Refused(*((409, "BucketAlreadyExists") if made else (403, "AccessDenied", "Access Denied")))
        if not made and bucket not in state.buckets:
            raise _Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        if not made and self.headers.get("x-amz-expected-bucket-owner") != ACCOUNT:
            raise _Refused(403, "AccessDenied", "Access Denied")

    def _object(self, state: State, bucket: str, key: str, body: bytes) -> tuple[int, bytes]:
        held = state.buckets[bucket]
        if self.command == "PUT":
            if state.refuse_puts:
                raise _Refused(403, *state.refuse_puts)
            if self.headers.get("if-none-match") == "*" and key in held:
                raise _Refused(412, "PreconditionFailed")
            held[key] = Kept(body, (datetime.now(UTC) + state.ahead).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            return 200, b""
        if key not in held and state.bound_to:
            raise _Refused(403, "AccessDenied", "Access Denied")
        if key not in held:
            raise _Refused(404, "NoSuchKey", "The specified key does not exist.")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        content = held[key].body
        if found and int(found[1]) >= len(content):
            raise _Refused(416, "InvalidRange")
        return (206, content[int(found[1]) : int(found[2]) + 1]) if found else (200, content)

    def _bucket(self, state: State, bucket: str, query: dict[str, str], body: bytes) -> bytes:
        if self.command == "HEAD":
            return b""
        if "list-type" in query:
            return self._listing(state, bucket, query)
        ((setting, _),) = query.items()
        settings = state.settings.setdefault(bucket, {})
        if self.command == "PUT":
            settings[setting] = body
        elif setting not in settings:
            raise _Refused(404, "NoSuchBucketPolicy")
        return settings.get(setting, b"")

    def _listing(self, state: State, bucket: str, query: dict[str, str]) -> bytes:
        after, most = query.get("continuation-token", ""), min(state.page, int(query["max-keys"]))
        keys = [key for key in sorted(state.buckets[bucket]) if key.startswith(query["prefix"]) and key > after]
        page = keys[:most]
        told = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{state.buckets[bucket][key].modified}</LastModified>"
            f"<Size>{len(state.buckets[bucket][key].body)}</Size></Contents>"
            for key in page
        )
        more = len(keys) > most
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        flag = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return f"<ListBucketResult {_NAMESPACE}>{flag}{token}{told}</ListBucketResult>".encode()

    def _tags(self, state: State, request: dict[str, object]) -> bytes:
        if self.headers["x-amz-target"] == "SageMaker.AddTags":
            if state.refuse_tags:
                raise _Refused(400, "AccessDeniedException", "User is not authorized to perform: sagemaker:AddTags")
            for tag in cast("list[dict[str, str]]", request["Tags"]):
                assert _TAG.fullmatch(tag["Value"]), tag
                state.tags[tag["Key"]] = tag["Value"]
                state.told.append(tag["Value"])
            return b"{}"
        names = sorted(state.tags)
        start = int(str(request.get("NextToken", 0)))
        page = [{"Key": name, "Value": state.tags[name]} for name in names[start : start + 2]]
        more = {"NextToken": str(start + 2)} if start + 2 < len(names) else {}
        return json.dumps({"Tags": page, **more}).encode()


class _Cloud(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: State) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a worker that was killed in the middle of a request."""


@contextmanager
def cloud(state: State) -> Iterator[str]:
    """Serve the state; yield the address."""
    server = _Cloud(state)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
