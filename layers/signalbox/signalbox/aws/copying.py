"""Copies of objects in S3, of any size, made by S3 itself."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import or_none, translated
from signalbox.aws.objects import ObjectCopy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# One call copies up to 5 GiB, more goes in parts (S3 API reference, CopyObject and UploadPartCopy). Here a part has one
# GiB, so that a call ends long before its time is up.
_PART = 1024**3


class ObjectCopier:
    """Copies objects. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, s3: "S3Client | None" = None, part: int = _PART) -> None:
        self._s3: S3Client = s3 or clients.client("s3")
        self._part = part

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """Copy the object at one S3 URI to another, over whatever was there; None where there is no such object.

        What is copied is one content: if the object changes meanwhile, S3 refuses.
        """
        bucket, key = names.bucket_and_key(source)
        found = or_none(f"s3:HeadObject of {source}", self._s3.head_object, Bucket=bucket, Key=key)
        if found is None:
            return None
        with translated(f"s3:CopyObject of {source} to {target}"):
            if found["ContentLength"] <= self._part:
                return self._whole(quote(f"{bucket}/{key}"), target, found["ETag"])
            return self._in_parts(quote(f"{bucket}/{key}"), target, found["ETag"], found["ContentLength"])

    def _whole(self, source: str, target: str, etag: str) -> ObjectCopy:
        bucket, key = names.bucket_and_key(target)
        done = self._s3.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource=source,
            CopySourceIfMatch=etag,
            TaggingDirective="REPLACE",  # tags would need rights of their own, and nobody reads them here
        )
        return _copy(target, done.get("VersionId"), done["CopyObjectResult"]["ETag"], etag)

    def _in_parts(self, source: str, target: str, etag: str, size: int) -> ObjectCopy:
        bucket, key = names.bucket_and_key(target)
        upload = self._s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        for number, start in enumerate(range(0, size, self._part), 1):
            part = self._s3.upload_part_copy(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                CopySource=source,
                CopySourceIfMatch=etag,
                CopySourceRange=f"bytes={start}-{min(start + self._part, size) - 1}",
            )
            parts.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
        done = self._s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
        return _copy(target, done.get("VersionId"), done["ETag"], etag)


def _copy(uri: str, version: str | None, etag: str, source: str) -> ObjectCopy:
    return ObjectCopy(uri, version, etag.strip('"'), source.strip('"'))
