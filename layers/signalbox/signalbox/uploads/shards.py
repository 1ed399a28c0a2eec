"""The waiting uploads of a pipeline, read from all the keys over which `items.waiting_keys` spreads them.

Each read asks every key, 17 in all, whatever waits: that is what taking 16 times as many uploads a second costs a look.
"""

from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

from signalbox.uploads import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox.aws.table import Item, Table
    from signalbox.uploads.model import Upload


def oldest(table: "Table", pipeline: str, most: int | None = None) -> "list[Upload]":
    """Return the waiting uploads, or at most `most` of them, the oldest first."""
    # Twice a shard's share: hardly a shard is asked for a second page, and at most as much is read in vain as is used.
    page = None if most is None else 2 * most // len(items.SHARDS) + 1
    return [items.waiting_in(item) for item in islice(_merged(table, pipeline, page), most)]


def newest(table: "Table", pipeline: str) -> "Upload | None":
    """Return the waiting upload that was recorded last."""
    found = next(_merged(table, pipeline, page=1, newest_first=True), None)
    return items.waiting_in(found) if found else None


def _merged(table: "Table", pipeline: str, page: int | None, *, newest_first: bool = False) -> "Iterator[Item]":
    """Yield what waits by its time, of each key `page` after `page` as it is needed."""
    found = (table.query(pk, newest_first=newest_first, page=page) for pk in items.waiting_keys(pipeline))
    return merge(*found, key=itemgetter("sk"), reverse=newest_first)
