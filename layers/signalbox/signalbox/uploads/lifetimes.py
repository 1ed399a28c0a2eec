"""Nothing in the uploads table stays for ever: what no run needs any more has an `expires`, and DynamoDB deletes it.

Never what waits, what an open run has, or what a push would run again: the last good run with uploads of its own.
"""

from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.table import PRESENT, Item, Table, key, unchanged, update_request
from signalbox.uploads import items, remaining
from signalbox.uploads.model import SUCCEEDED, Run
from signalbox.uploads.ports import RunLifetimes, UploadStore
from signalbox.uploads.remaining import MillisecondsLeft

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_CHUNK = 49  # a transaction has 100 items: 2 for each upload


def end(
    run: Run, status: str, store: UploadStore, lifetimes: RunLifetimes, at: datetime, left: MillisecondsLeft
) -> None:
    """Let expire what is needed no more when a run ends with a status: itself, or the good run whose place it takes.

    To be called before the status is written, so that whoever comes after a death does it again.

    Raises:
        RunPostponedError: the function's time is nearly over.
    """
    if status != SUCCEEDED or not store.taken(run):
        lifetimes.expire(run, at, left)
        return
    before = store.last_with_uploads()
    if before is not None and before.status == SUCCEEDED:
        lifetimes.expire(before, at, left)


def outdated(
    table: Table, pipeline: str, commit: str, number: int, at: datetime
) -> "tuple[TransactWriteItemTypeDef, ...]":
    """Return the write by which the change that a push asked for before another one is forgotten some day."""
    found = next(table.query(f"repeat#{pipeline}", "wish", most=1), None)
    earlier = (str(found["commit"]), int(found.get("number", 0))) if found else (commit, number)
    if earlier == (commit, number) or not earlier[1]:  # of versions before, which wrote no number
        return ()
    changes = {"expires": moments.expiry(at)}
    return ({"Update": update_request(table.name, items.commit_key(pipeline, *earlier), changes)},)


class ItemLifetimes:
    """The lifetimes of runs in the uploads table. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def expire(self, run: Run, at: datetime, left: MillisecondsLeft) -> None:
        """Let a run and its uploads expire, `moments.KEPT` after `at`; each upload only as long as it is this run's.

        Safe to repeat: what has its `expires` is passed over.

        Raises:
            RunPostponedError: the function's time is nearly over.
        """
        changes = {"expires": moments.expiry(at)}
        lasting = [item for item in self._table.query(f"run#{run.id}") if "expires" not in item]
        for chunk in batched(lasting, _CHUNK, strict=False):
            remaining.check(left, "what the run before it needs no more is marked")
            if self._table.transact(*(write for one in chunk for write in self._writes(run, one, changes))):
                continue
            for one in chunk:  # one of them waits again, or is another run's by now
                if not self._table.transact(*self._writes(run, one, changes)):
                    self._table.update(key(str(one["pk"]), str(one["sk"])), changes, PRESENT)
        self._table.update(items.run_key(run), changes, PRESENT)

    def _writes(self, run: Run, item: Item, changes: dict[str, int]) -> "tuple[TransactWriteItemTypeDef, ...]":
        name, upload = self._table.name, items.upload_in(item)
        return (
            {"Update": update_request(name, key(str(item["pk"]), str(item["sk"])), changes, PRESENT)},
            {"Update": update_request(name, items.upload_key(upload), changes, unchanged({"run": run.id}))},
        )
