"""Copies of objects in S3, of any size, made by S3 itself."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import or_none, translated
from signalbox.aws.objects import ObjectCopy, digest
from signalbox.aws.s3 import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# One call copies up to 5 GiB, more goes in parts (S3 API reference, CopyObject and UploadPartCopy). Here a part has one
# GiB, so that a call ends long before its time is up.
_PART = 1024**3
# Of a model that is no archive: a few, and some hundred where it is large. More would not be copied in ten minutes.
MOST_OBJECTS = 2_000
_AT_ONCE = 16


class UnfitPrefixError(Exception):
    """What lies under a prefix cannot be kept as one model."""

    def __init__(self, prefix: str, problem: str) -> None:
        super().__init__(f"{prefix} {problem}: register a model whose data are its own folder, and no job writes to")


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
        return self._copy(source, target, found["ETag"], found["ContentLength"]) if found else None

    def copy_under(self, source: str, target: str) -> ObjectCopy | None:
        """Copy the objects under one prefix to another; None where there are none. Etags are digests of a listing.

        Raises:
            UnfitPrefixError: the objects are too many, or are others by now than when they were listed.
        """
        store = ObjectStore(self._s3)
        listed = list(islice(store.listing(source), MOST_OBJECTS + 1))
        if len(listed) > MOST_OBJECTS:
            raise UnfitPrefixError(source, f"holds more than {MOST_OBJECTS:,} objects")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            copies = [
                pool.submit(self._copy, one.uri, f"{target}{one.uri.removeprefix(source)}", f'"{one.etag}"', one.size)
                for one in listed
            ]
        made = {copy.result().uri for copy in copies}
        kept = list(store.listing(target))
        if {one.uri for one in kept} != made:
            raise UnfitPrefixError(source, "was written to while it was copied")
        return ObjectCopy(target, None, digest(target, kept), digest(source, listed)) if listed else None

    def _copy(self, source: str, target: str, etag: str, size: int) -> ObjectCopy:
        place = quote("/".join(names.bucket_and_key(source)))
        with translated(f"s3:CopyObject of {source} to {target}"):
            if size <= self._part:
                return self._whole(place, target, etag)
            return self._in_parts(place, target, etag, size)

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
