"""Who is at the migration of an instance: one object, which S3 gives to one person at a time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.notebooks.model import NotebookError
from signalbox_operate.notebooks.snapshots import Shelf

_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_QUIET = timedelta(minutes=3)
"""After this time without a word whoever had it is taken for gone."""


class TakenOverError(NotebookError):
    """Somebody else goes on with the work, so that nothing of it is this command's to be put back."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "somebody else has taken the migration over: see who, then repeat")


@dataclass
class Lease:
    """The right to migrate one instance, or to fill one space; renewed while the work goes on, by S3's clock alone."""

    shelf: Shelf
    instance: str
    by: str
    aim: str
    _tag: str = field(default="", init=False)

    def take(self) -> None:
        """Take it, or take it over from somebody who is silent.

        Raises:
            NotebookError: somebody is at it; the message says who, since when and at what.
        """
        while not self._put(IfNoneMatch="*"):
            found = self._found()
            if found is None:  # it was given back in between
                continue
            document, tag, silent = found
            self._check(document, silent)
            if self._put(IfMatch=tag):
                return

    def renew(self) -> None:
        """Say that the work goes on.

        Raises:
            TakenOverError: somebody has taken it over.
        """
        if not self._put(IfMatch=self._tag):
            self._tag = ""
            raise TakenOverError(self.instance)

    def give_back(self) -> None:
        """End it: whoever comes next begins anew. One that was taken over is left to whoever has it."""
        if not self._tag:
            return
        self.shelf.s3.delete_object(Bucket=self.shelf.bucket, Key=self._key, ExpectedBucketOwner=self.shelf.owner)

    @property
    def _key(self) -> str:
        return self.shelf.key(f"migrations/{self.instance}.json")

    def _check(self, document: Mapping[str, str], silent: timedelta) -> None:
        if silent < _QUIET:
            raise NotebookError(
                self.instance,
                f"{document['by']} is at it ({document['aim']}), and was {silent.seconds} seconds ago: wait for the "
                f"end, or {_QUIET.seconds // 60} minutes after it was broken off, and repeat",
            )
        if document["aim"] != self.aim:
            raise NotebookError(
                self.instance,
                f"{document['by']} began {document['aim']} and did not end it: repeat that first, which goes on where "
                f"it was, or delete s3://{self.shelf.bucket}/{self._key} to give it up",
            )

    def _put(self, **condition: str) -> bool:
        body = json.dumps({"by": self.by, "aim": self.aim}).encode()
        try:
            answer = self.shelf.s3.put_object(
                Bucket=self.shelf.bucket, Key=self._key, Body=body, ExpectedBucketOwner=self.shelf.owner, **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _LOST:
                return False
            if condition.get("IfMatch") and error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return False
            raise
        self._tag = answer["ETag"]
        return True

    def _found(self) -> tuple[dict[str, str], str, timedelta] | None:
        """Return who has it, the object's tag, and for how long there was no word; None where nobody has it."""
        try:
            answer = self.shelf.s3.get_object(
                Bucket=self.shelf.bucket, Key=self._key, ExpectedBucketOwner=self.shelf.owner
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        document: dict[str, str] = json.loads(answer["Body"].read())
        return document, answer["ETag"], _date(answer) - answer["LastModified"]


def _date(answer: Any) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
