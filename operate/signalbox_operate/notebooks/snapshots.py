"""Snapshots and what workers tell, in the bucket: read with its owner checked, below one person's prefix."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.notebooks.model import Standing, standing
from signalbox_operate.stack import OperateError

_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_MOST_DELETED = 1000  # keys in one request (S3 API reference, DeleteObjects)


@dataclass(frozen=True)
class Totals:
    """What a complete snapshot holds: files, their bytes, and how many were left out."""

    files: int
    size: int
    left_out: int


@dataclass(frozen=True)
class Shelf:
    """The part of a bucket that has one person's snapshots; `prefix` is empty or ends without a slash."""

    s3: Any
    bucket: str
    owner: str
    prefix: str = ""

    def key(self, own: str) -> str:
        """Return a key below the prefix."""
        return f"{self.prefix}/{own}" if self.prefix else own

    def read(self, own: str) -> Any:
        """Return an object of JSON; None where there is none.

        Raises:
            OperateError: it is no JSON.
        """
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=self.key(own), ExpectedBucketOwner=self.owner)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        try:
            return json.loads(answer["Body"].read())
        except ValueError as error:
            raise OperateError(f"s3://{self.bucket}/{self.key(own)} is damaged: {error}") from error

    def standing(self, instance: str, operation: str) -> Standing | None:
        """Return how the last backup or restore of an instance stands; None where there was none."""
        found = self.read(f"status/{instance}/{operation}.json")
        return None if found is None else standing(found)

    def names(self, instance: str = "") -> list[str]:
        """Return the complete snapshots of an instance, or of all, oldest first."""
        begin = self.key("snapshots/" + (f"{instance}_" if instance else ""))
        found = (key.removeprefix(self.key("snapshots/")).split("/") for key in self._keys(begin))
        names = [parts[0] for parts in found if parts[1:] == ["complete.json"]]
        # Another instance's name may go on where this one's ends: its moment has to follow.
        own = [name for name in names if not instance or name.rpartition("_")[0] == instance]
        return sorted(own, key=lambda name: name.rpartition("_")[2])

    def totals(self, snapshot: str) -> Totals:
        """Return what a snapshot holds.

        Raises:
            OperateError: there is no complete snapshot of exactly that name.
        """
        found = self.read(f"snapshots/{snapshot}/complete.json")
        if found is None:
            there = self.names()[-5:]
            others = f"; the newest that are: {', '.join(there)}" if there else ""
            raise OperateError(
                f"there is no complete snapshot {snapshot!r} in s3://{self.bucket}/{self.key('snapshots/')}{others}"
            )
        totals = found["totals"]
        return Totals(totals["files"], totals["bytes"], totals["left_out"])

    def old(self, days: int, now: datetime) -> list[str]:
        """Return the complete snapshots that are older than some days, without the newest of each instance."""
        newest = {name.rpartition("_")[0]: name for name in self.names()}
        return [name for name in self.names() if name not in newest.values() and now - made(name) > timedelta(days)]

    def remove(self, snapshot: str) -> None:
        """Delete what says which files a snapshot has; contents, which others may share, expire by themselves."""
        keys = list(self._keys(self.key(f"snapshots/{snapshot}/")))
        # What says that it is complete goes first: what is left of it, if this is cut, is no snapshot.
        keys.sort(key=lambda key: not key.endswith("/complete.json"))
        for start in range(0, len(keys), _MOST_DELETED):
            gone = [{"Key": key} for key in keys[start : start + _MOST_DELETED]]
            answer = self.s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": gone, "Quiet": True}, ExpectedBucketOwner=self.owner
            )
            for one in answer.get("Errors", ()):
                raise OperateError(f"s3://{self.bucket}/{one['Key']} could not be deleted: {one['Message']}")

    def _keys(self, begin: str) -> Iterator[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=begin, ExpectedBucketOwner=self.owner
        )
        for page in pages:
            yield from (one["Key"] for one in page.get("Contents", ()))


def made(snapshot: str) -> datetime:
    """Return when a snapshot was begun, as its name says; the far past where it says nothing."""
    try:
        return datetime.strptime(snapshot.rpartition("_")[2], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
