"""An S3 that remembers texts in memory and checks every request, for journeys that use `ObjectStore`."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from signalbox.aws.s3 import ObjectStore
from tests.support.botocore_strict import RecordingClient, client_error

WRITTEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
# So few keys on a page that three need a second one.
_PAGE = 2


class RememberedObjects(RecordingClient):
    """Texts by their URIs, all written at `WRITTEN`; a bucket exists while something is in it."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        super().__init__("s3")
        self.texts = dict(texts or {})
        self.content_types: dict[str, str] = {}

    @property
    def store(self) -> ObjectStore:
        """Return the adapter over this client."""
        client: Any = self
        return ObjectStore(client)

    def _list_objects_v2(self, Bucket: str, Prefix: str, ContinuationToken: str = "") -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        home = f"s3://{Bucket}/"
        keys = sorted(uri.removeprefix(home) for uri in self.texts if uri.startswith(home))
        if not keys:
            raise client_error("NoSuchBucket")
        found = [key for key in keys if key.startswith(Prefix) and key > ContinuationToken]
        contents = [
            {"Key": key, "Size": len(self.texts[home + key].encode()), "LastModified": WRITTEN} for key in found[:_PAGE]
        ]
        more = {"NextContinuationToken": found[_PAGE - 1]} if len(found) > _PAGE else {}
        return {"Contents": contents, "IsTruncated": bool(more), **more}

    def _get_object(self, Bucket: str, Key: str, VersionId: str = "") -> dict[str, Any]:  # noqa: N803  # boto3's spelling; each version says the same
        uri = f"s3://{Bucket}/{Key}"
        if uri not in self.texts:
            raise client_error("NoSuchKey")
        body = self.texts[uri].encode()
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentLength": len(body)}

    def _head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        text = self.texts.get(f"s3://{Bucket}/{Key}")
        if text is None:
            raise client_error("404")
        return {"VersionId": "v1", "ETag": '"etag"', "ContentLength": len(text.encode()), "LastModified": WRITTEN}

    def _put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        self.texts[f"s3://{Bucket}/{Key}"] = Body.decode()
        self.content_types[f"s3://{Bucket}/{Key}"] = ContentType
        return {}
