"""Facts of S3, as plain values: importing them loads nothing of AWS's library."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class StoredObject(NamedTuple):
    """What S3 has under a key now; `version` is None where the bucket keeps none. `size` is in bytes."""

    version: str | None
    etag: str
    size: int
    modified: datetime


class ObjectCopy(NamedTuple):
    """A copy as S3 made it: its URI, and what identifies its content; `version` is None where the bucket keeps none.

    `source_etag` is that of the object that was copied.
    """

    uri: str
    version: str | None
    etag: str
    source_etag: str


class ListedObject(NamedTuple):
    """One object of a listing: its S3 URI, its size in bytes, when it was written, and its etag."""

    uri: str
    size: int
    modified: datetime
    etag: str = ""


def digest(prefix: str, listed: Iterable[ListedObject]) -> str:
    """Return what identifies the objects under `prefix`: the SHA-256 of their names below it, sizes and etags.

    A listing has no versions. An object that is written anew has another etag unless its bytes are the same (S3 API
    reference, Object: the MD5 of the bytes, and under a KMS key another text at each writing).
    """
    from hashlib import sha256  # noqa: PLC0415  # few models are no archive

    lines = sorted(f"{one.uri.removeprefix(prefix)}\t{one.size}\t{one.etag}\n" for one in listed)
    return sha256("".join(lines).encode()).hexdigest()
