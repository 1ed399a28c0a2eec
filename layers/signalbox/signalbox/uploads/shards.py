"""What waits for a pipeline, read from all the keys over which `items.waiting_keys` spreads it.

Each read asks every key, 17 in all, whatever waits: that is what taking 16 times as many uploads a second costs a look.
"""

from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING

from signalbox.uploads import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox.aws.table import Item, Table


def page_of(most: int | None) -> int | None:
    """Return how many items a key is asked for at once where the oldest `most` of all are wanted (None: all of them).

    It is twice a shard's share: hardly a shard is asked for a second page, and no more is read in vain than is used.
    """
    return None if most is None else 2 * most // len(items.SHARDS) + 1


def by_time(table: "Table", pipeline: str, page: int | None, *, newest_first: bool = False) -> "Iterator[Item]":
    """Return the items that wait by their times, of each key `page` after `page` as they are needed."""
    found = (table.query(pk, newest_first=newest_first, page=page) for pk in items.waiting_keys(pipeline))
    return merge(*found, key=itemgetter("sk"), reverse=newest_first)
