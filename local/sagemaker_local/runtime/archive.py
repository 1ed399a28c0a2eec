"""model.tar.gz, output.tar.gz and sourcedir.tar.gz: made alike for alike contents, unpacked with care."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING

from sagemaker_local.runtime.data import Item, Source, check_size, fetch, split
from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client


def pack(folder: Path, archive: Path) -> Path:
    """Write the contents of `folder` to `archive`, at its root, and return it.

    The same files give the same bytes: sorted names, no times, no owners.

    Raises:
        ContainerError: there is more than this cloud keeps.
    """
    check_size(folder)
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as raw,
        # Level 1: models are small, and the time that a better level takes is the job's.
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False, filter=_plain)
    return archive


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = 0
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def unpack(archive: Path, folder: Path, uri: str) -> None:
    """Unpack `archive`, which came from `uri`, into `folder`.

    Raises:
        ContainerError: it is not a gzipped tar, or an entry of it leads out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ContainerError(f"ClientError: {uri} is not a tar.gz archive that can be unpacked: {error}") from error


def fetch_and_unpack(s3: S3Client, uri: str, folder: Path, *, role: str = "") -> None:
    """Download a tar.gz and unpack it into `folder`.

    Raises:
        ContainerError: it is missing, may not be read, or cannot be unpacked.
    """
    bucket, key = split(uri)
    archive = folder.parent / f"{folder.name}.tar.gz"
    fetch(s3, Item(bucket, key, key), archive, Source(uri, role=role))
    unpack(archive, folder, uri)
    archive.unlink()
