"""Uploads that a run went on without, in the uploads table: marked where they are known, and listed by run."""

from datetime import datetime
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.table import PRESENT, Table, delete_request, key, put_request, unchanged, update_request
from signalbox.uploads import items
from signalbox.uploads.model import Run, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from signalbox.aws.table import Value


def writes(table: str, run: Run, upload: Upload, at: datetime) -> "tuple[TransactWriteItemTypeDef, ...]":
    """Return the writes, three in a transaction, by which a run goes on without an upload that is its own."""
    gone: dict[str, Value | None] = {"gone": moments.text_of(at), "expires": moments.expiry(at)}
    listed = {**items.facts_of(upload), "run": run.id, "gone": moments.text_of(at), "expires": moments.expiry(at)}
    return (
        {"Delete": delete_request(table, key(f"run#{run.id}", upload.digest), PRESENT)},
        {"Update": update_request(table, items.upload_key(upload), gone, unchanged({"run": run.id}))},
        {"Put": put_request(table, {**key(f"gone#{run.id}", upload.digest), **listed})},
    )


def of(table: Table, run: Run) -> list[Upload]:
    """Return the uploads that a run went on without."""
    return [items.upload_in(item) for item in table.query(f"gone#{run.id}")]
