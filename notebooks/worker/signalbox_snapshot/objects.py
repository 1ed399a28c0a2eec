"""The bucket of the snapshots: its objects, by keys below the person's own prefix."""

import hashlib
import http.client
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot.errors import DamagedError, MissingError, RefusedError
from signalbox_snapshot.refusals import text_of
from signalbox_snapshot.signing import Scope, encoded
from signalbox_snapshot.transport import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from signalbox_snapshot.transport import Answer, Transport


class Place(NamedTuple):
    """Where snapshots are: a bucket, whose account has to be `owner`, and a prefix that is empty or ends in a slash."""

    endpoint: str
    region: str
    bucket: str
    owner: str
    prefix: str


class Listed(NamedTuple):
    """An object as a listing has it: its key without the prefix, its bytes, and when it was put (ISO 8601, UTC)."""

    key: str
    size: int
    modified: str


class Objects:
    """Puts, gets and lists objects of one place; refuses, by its owner, a bucket of another account."""

    def __init__(self, transport: "Transport", place: Place) -> None:
        self.place = place
        self._transport = transport

    def address(self, key: str) -> str:
        """Return an object's address, `s3://…`."""
        return f"s3://{self.place.bucket}/{self.place.prefix}{key}"

    def put(self, key: str, body: "bytes | bytearray", digest: str = "") -> None:
        """Put an object whose SHA-256 is `digest`, which S3 holds the body against."""
        self._send("PUT", key, body=body, digest=digest)

    def put_if_absent(self, key: str, body: bytes) -> bool:
        """Put an object unless there is one of that key; say whether it was put.

        A repeat of an own request whose answer was lost finds the object there: the caller reads it to know.
        """
        try:
            self._send("PUT", key, headers={"if-none-match": "*"}, body=body)
        except RefusedError as error:
            if error.status == http.client.PRECONDITION_FAILED:
                return False
            raise
        return True

    def get(self, key: str, start: int = 0, length: int = 0) -> bytes:
        """Return an object's bytes, or `length` of them from `start`; raise MissingError where there is none."""
        headers = {"range": f"bytes={start}-{start + length - 1}"} if length else {}
        try:
            return self._send("GET", key, headers=headers).body
        except RefusedError as error:
            if error.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise DamagedError(f"{self.address(key)} is shorter than the snapshot says", _AGAIN) from error
            if error.status == http.client.FORBIDDEN and not self._is_there(key):
                # So S3 says that a key is not there to whoever may list a prefix, and not the whole bucket.
                raise MissingError(str(error), error.advice, error.status, "NoSuchKey") from error
            raise

    def verified(self, key: str, digest: str) -> bytes:
        """Return an object's bytes; raise DamagedError where their SHA-256 is not `digest`."""
        body = self.get(key)
        if hashlib.sha256(body).hexdigest() != digest:
            raise DamagedError(f"{self.address(key)} is not what was put there", _AGAIN)
        return body

    def list(self, prefix: str, most: int = 1000) -> "Iterator[Listed]":
        """Yield the objects whose keys begin with `prefix`, a page of `most` at a time."""
        query = {"list-type": "2", "prefix": self.place.prefix + prefix, "max-keys": str(most)}
        while True:
            root = ET.fromstring(self._send("GET", None, query=query).body)  # noqa: S314 - the standard library alone
            for element in root.iter():
                if element.tag.split("}")[-1] == "Contents":
                    key = text_of(element, "Key")[len(self.place.prefix) :]
                    yield Listed(key, int(text_of(element, "Size")), text_of(element, "LastModified"))
            if text_of(root, "IsTruncated") != "true":
                return
            query["continuation-token"] = text_of(root, "NextContinuationToken")

    def ask(self) -> None:
        """Ask whether the bucket is there and ours; raise MissingError or RefusedError.

        By a listing of the own prefix, which is what somebody may whose policy grants that prefix alone. A bucket of
        another region tells its region, and is asked there from then on.
        """
        try:
            next(self.list("snapshots/", most=1), None)
        except RefusedError as error:
            here = self.place.region
            if error.region in {"", here}:
                raise
            there = self.place.endpoint.replace(f".{here}.", f".{error.region}.")
            self.place = self.place._replace(region=error.region, endpoint=there)
            next(self.list("snapshots/", most=1), None)

    def is_empty(self) -> bool:
        """Whether nobody has anything in the bucket; raise RefusedError where that may not be known."""
        query = {"list-type": "2", "prefix": "", "max-keys": "1"}
        return b"<Contents>" not in self._send("GET", None, query=query).body

    def _is_there(self, key: str) -> bool:
        return any(listed.key == key for listed in self.list(key, most=1))

    def configure(self, setting: str, body: bytes, headers: "Mapping[str, str]", owned: bool = True) -> None:
        """Put a setting of the bucket, or the bucket itself where `setting` is empty."""
        query = {setting: ""} if setting else {}
        self._send("PUT", None, query=query, headers=headers, body=body, owned=owned)

    def setting(self, name: str) -> bytes:
        """Return a setting of the bucket; raise MissingError where it has none."""
        return self._send("GET", None, query={name: ""}).body

    def _send(
        self,
        method: str,
        key: "str | None",
        query: "Mapping[str, str]" = {},  # noqa: B006 - it is only read
        headers: "Mapping[str, str]" = {},  # noqa: B006 - it is only read
        body: "bytes | bytearray" = b"",
        digest: str = "",
        owned: bool = True,
    ) -> "Answer":
        path = "/" + self.place.bucket + ("" if key is None else "/" + encoded(self.place.prefix + key, "/"))
        owner = {"x-amz-expected-bucket-owner": self.place.owner} if owned and self.place.owner else {}
        scope = Scope(self.place.region, "s3")
        every = dict(headers, **owner)
        return self._transport.send(
            Call(method, self.place.endpoint, path, scope, tuple(query.items()), every, body, digest)
        )


_AGAIN = "restore another snapshot, or restore this one with --partial, which leaves out what is damaged"
