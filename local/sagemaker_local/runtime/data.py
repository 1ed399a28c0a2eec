"""A job's data: down from S3 before its program runs, up to S3 after it.

The semantics of prefixes and manifests are those of the API reference, `S3DataSource` and `TransformS3DataSource`.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

MANIFEST_LIMIT = 16 * 1024 * 1024
"""Bytes of a manifest that are read; AWS's own manifests of millions of keys are not meant for one machine."""

MOST_BYTES = 2 * 1024**3
"""Bytes that one program may leave in a folder: what is in S3 is in the memory of this process."""
_UNREADABLE = (OSError, EOFError, zlib.error)  # the last two: a gzip stream that ends early or is none


@dataclass(frozen=True)
class Source:
    """Where input data are: `kind` is S3Prefix or ManifestFile; `role` is named when they cannot be had."""

    uri: str
    kind: str = "S3Prefix"
    gzip: bool = False
    role: str = ""

    @classmethod
    def of(cls, s3: Mapping[str, Any], *, compression: str = "None", role: str = "") -> Source:
        """Return the source that an S3DataSource, TransformS3DataSource or ProcessingS3Input describes."""
        return cls(s3["S3Uri"], s3.get("S3DataType", "S3Prefix"), compression == "Gzip", role)


@dataclass(frozen=True)
class Item:
    """One input object and its path relative to the source."""

    bucket: str
    key: str
    relative: str

    @property
    def uri(self) -> str:
        """The object's S3 URI."""
        return f"s3://{self.bucket}/{self.key}"


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI.

    Raises:
        ContainerError: it is not an S3 URI.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ContainerError(f"ClientError: {uri!r} is not an S3 URI: write s3://bucket/key")
    return bucket, key


def items(s3: S3Client, source: Source) -> list[Item]:
    """Return the objects of a source in the order of their keys (of the list, for a manifest).

    Raises:
        ContainerError: there are none, they may not be listed, or the kind is not known here.
    """
    match source.kind:
        case "S3Prefix":
            found = list(under(s3, source))
        case "ManifestFile":
            found = _listed(s3, source)
        case _:
            raise ContainerError(f"ClientError: S3DataType {source.kind} is not emulated: use S3Prefix or ManifestFile")
    if not found:
        raise ContainerError(_nothing(source))
    return found


def download(s3: S3Client, source: Source, folder: Path) -> int:
    """Put the objects of a source under `folder` and return how many there are.

    Raises:
        ContainerError: there are none, or one of them cannot be read or written.
    """
    found = items(s3, source)
    folder.mkdir(parents=True, exist_ok=True)
    for item in found:
        target = folder / (item.relative.removesuffix(".gz") if source.gzip else item.relative)
        if not target.resolve().is_relative_to(folder.resolve()):
            raise ContainerError(f"ClientError: Data download failed: the key of {item.uri} leads out of its folder")
        fetch(s3, item, target, source)
    return len(found)


def fetch(s3: S3Client, item: Item, target: Path, source: Source) -> None:
    """Write one object to `target`, unpacked if its source is compressed.

    Raises:
        ContainerError: it cannot be read or written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as output, _opened(s3, item, source) as body:
            shutil.copyfileobj(body, output)
    except _UNREADABLE as error:
        raise ContainerError(f"ClientError: Data download failed: {item.uri}: {error}") from error


def read(s3: S3Client, item: Item, source: Source) -> bytes:
    """Return the content of one object, unpacked if its source is compressed.

    Raises:
        ContainerError: it cannot be read.
    """
    try:
        with _opened(s3, item, source) as body:
            return body.read()
    except _UNREADABLE as error:
        raise ContainerError(f"ClientError: Data download failed: {item.uri}: {error}") from error


@contextlib.contextmanager
def _opened(s3: S3Client, item: Item, source: Source) -> Iterator[IO[bytes]]:
    try:
        stream: IO[bytes] = s3.get_object(Bucket=item.bucket, Key=item.key)["Body"]  # type: ignore[assignment]  # reads like a file
        with contextlib.closing(stream):
            plain: Any = gzip.GzipFile(fileobj=stream) if source.gzip else stream
            yield plain
    except (ClientError, BotoCoreError) as error:
        raise ContainerError(_refused(source, item.uri, error)) from error


def write(s3: S3Client, body: bytes | IO[bytes], uri: str) -> None:
    """Write an object.

    Raises:
        ContainerError: it may not be written.
    """
    bucket, key = split(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    except (ClientError, BotoCoreError) as error:
        raise ContainerError(f"ClientError: Failed to upload to {uri}: {error}") from error


def upload_file(s3: S3Client, path: Path, uri: str) -> None:
    """Write a file to an S3 URI.

    Raises:
        ContainerError: it may not be written.
    """
    with path.open("rb") as body:
        write(s3, body, uri)


def upload(s3: S3Client, folder: Path, uri: str) -> int:
    """Write every file under `folder` below an S3 prefix and return how many there were.

    Raises:
        ContainerError: one of them may not be written, or is nothing that is kept.
    """
    check_size(folder)
    _check_links(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        upload_file(s3, path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")
    return len(files)


def check_size(folder: Path) -> None:
    """Refuse what a program left if it is more than this cloud keeps, however few of the bytes were written.

    Raises:
        ContainerError: the files are too large.
    """
    size = sum(path.lstat().st_size for path in folder.rglob("*"))
    if size > MOST_BYTES:
        raise ContainerError(
            f"ClientError: the program left {size:,} bytes in {folder.name}/, and this cloud, whose S3 is in memory, "
            f"keeps {MOST_BYTES:,} at most"
        )


def _check_links(folder: Path) -> None:
    """Refuse links that lead out of a folder, or nowhere: what they lead to is not the program's, or would be lost."""
    for path in folder.rglob("*"):
        if path.is_symlink() and not (path.exists() and path.resolve().is_relative_to(folder.resolve())):
            name = path.relative_to(folder)
            raise ContainerError(f"ClientError: the link {name} leads out of its folder: let the program leave a copy")


def under(s3: S3Client, source: Source) -> Iterator[Item]:
    """Yield the objects whose keys start with the prefix; folder markers are not data."""
    bucket, prefix = split(source.uri)
    arguments: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        try:
            page = s3.list_objects_v2(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise ContainerError(_refused(source, source.uri, error)) from error
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if not key.endswith("/"):
                yield Item(bucket, key, _relative(key, prefix))
        if not page.get("IsTruncated"):
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]


def _relative(key: str, prefix: str) -> str:
    """Return the path of a key below its prefix, which may name a folder, an object, or only begin a name."""
    if prefix.endswith("/") or not prefix:
        return key[len(prefix) :]
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _listed(s3: S3Client, source: Source) -> list[Item]:
    """Return the objects of a manifest: a JSON list of `{"prefix": "s3://…/"}` and paths relative to it."""
    bucket, key = split(source.uri)
    try:
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read(MANIFEST_LIMIT)
        head, *paths = json.loads(text)
        prefix_bucket, prefix = split(str(head["prefix"]))
        return [Item(prefix_bucket, f"{prefix}{path}", str(path)) for path in paths]
    except (ClientError, BotoCoreError) as error:
        raise ContainerError(_refused(source, source.uri, error)) from error
    except (ValueError, TypeError, KeyError) as error:
        form = '[{"prefix": "s3://bucket/path/"}, "relative/key", …]'
        raise ContainerError(
            f"ClientError: Data download failed: {source.uri} is not a manifest of the form {form}"
        ) from error


def _nothing(source: Source) -> str:
    bucket, _ = split(source.uri)
    return (
        f'ClientError: Data download failed: No S3 objects found under S3 URL "{source.uri}" given in input data '
        f"source. Please ensure that the bucket exists in the selected region, that objects exist under that S3 "
        f'prefix, and that the role "{source.role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def _refused(source: Source, uri: str, error: Exception) -> str:
    return (
        f'ClientError: Data download failed: Please ensure that the role "{source.role}" exists and that its policies '
        f'allow to read "{uri}". Error message from S3: {error}'
    )
