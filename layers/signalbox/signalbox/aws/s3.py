"""Objects in S3, named by their URIs (`s3://bucket/key`)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import code_of, none_if_missing, or_none, translated
from signalbox.aws.objects import ListedObject, StoredObject, digest

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class ObjectTooLargeError(Exception):
    """An object is larger than its reader takes."""

    def __init__(self, uri: str, size: int, limit: int) -> None:
        super().__init__(f"{uri} has {size} bytes, and at most {limit} are read: look at what wrote it")


class ObjectStore:
    """All buckets.

    Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does, and ValueError for a URI that
    names no object.
    """

    def __init__(self, s3: "S3Client | None" = None) -> None:
        self._s3: S3Client = s3 or clients.client("s3")

    def text(self, uri: str, limit: int | None = None, version: str | None = None) -> str | None:
        """Return a text object, or None where there is none; bytes that are no UTF-8 become U+FFFD.

        It is what is there now, or with `version` what that version has, for which `s3:GetObjectVersion` is needed.

        Raises:
            ObjectTooLargeError: it has more than `limit` bytes.
        """
        bucket, key = names.bucket_and_key(uri)
        operation, request = f"s3:GetObject of {uri}", {"Bucket": bucket, "Key": key}
        if version is not None:
            request["VersionId"] = version
        answer = or_none(operation, self._s3.get_object, **request)
        if answer is None:
            return None
        if limit is not None and answer["ContentLength"] > limit:
            raise ObjectTooLargeError(uri, answer["ContentLength"], limit)
        with translated(operation):
            body: bytes = answer["Body"].read()  # a connection may break here as well
        return body.decode("utf-8", "replace")

    def lines(self, uri: str) -> Iterator[str]:
        """Return the lines of a text object with their ends, read as they are needed."""
        bucket, key = names.bucket_and_key(uri)
        operation = f"s3:GetObject of {uri}"
        with translated(operation):
            return _lines(self._s3.get_object(Bucket=bucket, Key=key)["Body"], operation)

    def listing(self, uri: str) -> Iterator[ListedObject]:
        """Yield every object under the prefix `uri`, in the order of their keys; nothing if there is no such bucket."""
        bucket, prefix = names.bucket_and_key(uri)
        token: dict[str, str] = {}
        while True:
            request = {"Bucket": bucket, "Prefix": prefix, **token}
            page = or_none(f"s3:ListObjectsV2 of {uri}", self._s3.list_objects_v2, **request)
            if page is None:
                return
            for item in page.get("Contents", []):
                yield _listed(bucket, item)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under a key now, or None if there is nothing.

        S3 says 404 only to those who may list the bucket, and 403 to others: then nobody knows, and it is an error.
        """
        with translated(f"s3:HeadObject of s3://{bucket}/{key}"), none_if_missing():
            answer = self._s3.head_object(Bucket=bucket, Key=key)
            version = answer.get("VersionId")
            return StoredObject(
                version=None if version == "null" else version,  # "null" where versioning is suspended
                etag=answer["ETag"].strip('"'),
                size=answer["ContentLength"],
                modified=answer["LastModified"],
            )
        return None

    def look_under(self, uri: str) -> StoredObject | None:
        """Return what is under a prefix now as if it were one object (see `aws.objects.digest`), None for nothing.

        `size` is that of all together, `modified` when the newest of them was written.
        """
        bucket, prefix = names.bucket_and_key(uri)
        found: list[ListedObject] = []
        with translated(f"s3:ListObjectsV2 of {uri}"), none_if_missing():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found += [_listed(bucket, item) for item in page.get("Contents", [])]
        if not found:
            return None
        size, modified = sum(one.size for one in found), max(one.modified for one in found)
        return StoredObject(None, digest(uri, found), size, modified)

    def write(self, uri: str, text: str, content_type: str) -> None:
        """Write a text object over whatever was there."""
        bucket, key = names.bucket_and_key(uri)
        with translated(f"s3:PutObject of {uri}"):
            self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)

    def create(self, uri: str, text: str, content_type: str) -> bool:
        """Write a text object where nothing is; False where something was, which stays."""
        bucket, key = names.bucket_and_key(uri)
        with translated(f"s3:PutObject of {uri}"):
            try:
                self._s3.put_object(
                    Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type, IfNoneMatch="*"
                )
            except ClientError as error:
                # 409: another one is being written at this moment (S3 API reference, PutObject).
                if code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return False
                raise
        return True


def _listed(bucket: str, item: "ObjectTypeDef") -> ListedObject:
    etag = item.get("ETag", "").strip('"')
    return ListedObject(f"s3://{bucket}/{item['Key']}", item.get("Size", 0), item["LastModified"], etag)


def _lines(body: "StreamingBody", operation: str) -> Iterator[str]:
    with translated(operation):
        for line in body.iter_lines(keepends=True):
            # A byte that is no UTF-8 spoils its own cell, and is the same in every reading.
            yield line.decode("utf-8", "replace")
