"""Facts of S3, as plain values: importing them loads nothing of AWS's library."""

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
    """One object of a listing: its S3 URI, its size in bytes, and when it was written."""

    uri: str
    size: int
    modified: datetime
