# ruff: noqa: N803 (the API writes its parameters so)
"""An S3 that remembers its objects in memory: the calls that jobs make, with S3's own errors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = 2
"""Keys of one page of a listing: so few that every test with three keys goes over two pages."""


class FakeS3:
    """Objects by (bucket, key); a bucket in `denied` answers AccessDenied."""

    def __init__(self, objects: dict[str, bytes | str] | None = None) -> None:
        """Start with `objects` by their URIs."""
        self.objects: dict[tuple[str, str], bytes] = {}
        self.denied: set[str] = set()
        for uri, body in (objects or {}).items():
            self.put(uri, body)

    @property
    def client(self) -> S3Client:
        """This fake as the client that it stands for."""
        return cast("S3Client", self)

    def put(self, uri: str, body: bytes | str) -> None:
        """Store an object under its URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.objects[bucket, key] = body if isinstance(body, bytes) else body.encode()

    def get(self, uri: str) -> bytes:
        """Return an object's content by its URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.objects[bucket, key]

    def uris(self, prefix: str = "s3://") -> list[str]:
        """Return the URIs of all objects that start with `prefix`."""
        uris = (f"s3://{bucket}/{key}" for bucket, key in sorted(self.objects))
        return [uri for uri in uris if uri.startswith(prefix)]

    def list_objects_v2(self, *, Bucket: str, Prefix: str = "", ContinuationToken: str = "") -> dict[str, Any]:
        """List keys, a page at a time."""
        self._allow(Bucket, "ListObjectsV2")
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        rest = [key for key in keys if key > ContinuationToken]
        page = {"Contents": [{"Key": key} for key in rest[:PAGE]], "IsTruncated": len(rest) > PAGE}
        return {**page, "NextContinuationToken": rest[PAGE - 1]} if len(rest) > PAGE else page

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Read an object."""
        self._allow(Bucket, "GetObject")
        if (Bucket, Key) not in self.objects:
            raise _error("NoSuchKey", "The specified key does not exist.", "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: Any) -> dict[str, Any]:
        """Write an object from bytes or a file."""
        self._allow(Bucket, "PutObject")
        self.objects[Bucket, Key] = Body if isinstance(Body, bytes) else Body.read()
        return {}

    def _allow(self, bucket: str, operation: str) -> None:
        if bucket in self.denied:
            raise _error("AccessDenied", "Access Denied", operation)


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
