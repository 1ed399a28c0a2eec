"""A pipeline's code folder in the artifacts bucket: under a digest of its content, file by file, and packed.

Safe to repeat, and to break off anywhere: the same files have the same keys and bytes, and no pipeline names them
before all of them are there.
"""

import gzip
import hashlib
import io
import json
import mimetypes
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signalbox_operate.stack import OperateError

_DIGEST = 16
_MOST_BYTES = 100 * 1024 * 1024
_LEFT_OUT = {"__pycache__", "node_modules"}


def read(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths in it, without hidden ones and what Python makes of them.

    Raises:
        OperateError: there are none, one leads out of the folder, or they are too large.
    """
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if _wanted(path, folder)}
    if not found:
        raise OperateError(f"there is no file in {folder}: a pipeline's code is a folder with its programs")
    outside = [name for name, path in found.items() if not path.resolve().is_relative_to(folder.resolve())]
    if outside:
        raise OperateError(f"{outside[0]} in {folder} is a link that leads out of it: copy the file there")
    size = sum(path.stat().st_size for path in found.values())
    if size > _MOST_BYTES:
        raise OperateError(f"{folder} has {size:,} bytes, more than {_MOST_BYTES:,}: code has no data in its folder")
    return {name: path.read_bytes() for name, path in found.items()}


def _wanted(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return path.is_file() and not any(part.startswith(".") or part in _LEFT_OUT for part in parts)


def digest(files: Mapping[str, bytes]) -> str:
    """Return a short digest of names and contents."""
    listed = [[name, hashlib.sha256(files[name]).hexdigest()] for name in sorted(files)]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:_DIGEST]


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the files as a tar.gz; the same files give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)  # time, user and group stay zero
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(plain.getvalue(), mtime=0)


def key(project: str, files: Mapping[str, bytes]) -> str:
    """Return the key prefix that files of a project lie under: the same files, the same prefix."""
    return f"code/{project}/{digest(files)}"


def upload(project: str, files: Mapping[str, bytes], bucket: str, s3: Any) -> None:
    """Upload a pipeline's files: one by one for processing, and packed for training."""
    place = key(project, files)
    for name, content in files.items():
        kind = "text/x-python" if name.endswith(".py") else mimetypes.guess_type(name)[0] or "application/octet-stream"
        s3.put_object(Bucket=bucket, Key=f"{place}/code/{name}", Body=content, ContentType=kind)
    s3.put_object(Bucket=bucket, Key=f"{place}/sourcedir.tar.gz", Body=pack(files), ContentType="application/gzip")
