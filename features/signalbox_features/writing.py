"""Records reach the Feature Store: 25 at a time, several calls at once, each record tried again by itself.

Each record's outcome is a line of a file that is named after the records' content. A run that died is run again: what
is written is skipped, and since a record's time is the row's or the upload's, one that was written just before is
written again as the same record.
"""

from __future__ import annotations

import csv
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from signalbox_features import tables
from signalbox_features.model import FeaturesError
from signalbox_features.sources import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from signalbox_features.tables import FeatureRecord

    Batch = Future[list["RecordOutcome"]]

MOST_RECORDS = 25  # of a call (botocore's model of BatchWriteRecord)
TRIES = 8
WORKERS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 20.0  # seconds
_BLOCK = 1024 * 1024
_COLUMNS = ("number", tables.FILE, tables.LINE, "outcome", "tries", "told")
WRITTEN, REFUSED, LEFT = "written", "refused", "left"


class StoreError(FeaturesError):
    """The Feature Store takes no record at all, as where a permission is missing."""


class RecordAnswer(NamedTuple):
    """What the store says of a record: written, or not and why; `again` where that may pass by itself."""

    written: bool
    told: str = ""
    again: bool = False


class RecordWriter(Protocol):
    """Where records go."""

    def write(self, records: Sequence[dict[str, str]]) -> list[RecordAnswer]:
        """Write at most `MOST_RECORDS` records, and return an answer for each.

        Raises:
            StoreError: none is taken, and trying again does not help.
        """


class RecordOutcome(NamedTuple):
    """What became of a record, after how many tries."""

    record: FeatureRecord
    outcome: str
    tries: int
    told: str


class Written(NamedTuple):
    """How many records were written, by this run or an earlier one of it (`before`), refused, or are left."""

    written: int
    before: int
    refused: int
    left: int
    first: str
    file: str


def write(records: Path, store: RecordWriter, pause: Callable[[float], None]) -> Written:
    """Write the records of a file that are not written yet, and each one's outcome beside it.

    Args:
        records: a file of `tables`.
        store: where they go.
        pause: waits for so many seconds.

    Raises:
        StoreError: the store takes no record at all; the outcomes until then are kept.
    """
    names, found = tables.read(records)
    file = records.with_name(f"outcomes-{digest_of(records)[:16]}.csv")
    done = _done(file)
    counts, first = {WRITTEN: 0, REFUSED: 0, LEFT: 0}, ""
    with file.open("a", newline="", encoding="utf-8") as kept:
        lines = csv.writer(kept, lineterminator="\n")
        if not kept.tell():
            lines.writerow(_COLUMNS)
        waiting = (record for record in found if record.number >= len(done) or not done[record.number])
        for batch in _batches(waiting, names, store, pause):
            for one in batch:
                counts[one.outcome] += 1
                if one.outcome != WRITTEN:
                    first = first or f"{one.record.file}, line {one.record.line}: {one.told}"
                lines.writerow([one.record.number, one.record.file, one.record.line, one.outcome, one.tries, one.told])
            kept.flush()  # a process that dies leaves what is known
    return Written(counts[WRITTEN], sum(done), counts[REFUSED], counts[LEFT], first, file.name)


def _done(file: Path) -> bytearray:
    """Return which records an earlier try has written, by their numbers; a line that it broke off is taken away."""
    done = bytearray()
    if not file.exists():
        return done
    with file.open("r+b") as kept:
        _cut(kept)
    with file.open(newline="", encoding="utf-8") as kept_lines:
        for row in csv.reader(kept_lines):
            if row[0].isdigit():
                number = int(row[0])
                done.extend(bytes(max(0, number + 1 - len(done))))
                done[number] = row[3] == WRITTEN
    return done


def _cut(kept: IO[bytes]) -> None:
    end = kept.seek(0, 2)
    while end:
        start = max(0, end - _BLOCK)
        kept.seek(start)
        at = kept.read(end - start).rfind(b"\n")
        if at >= 0:
            kept.truncate(start + at + 1)
            return
        end = start
    kept.truncate(0)


def _batches(
    records: Iterator[FeatureRecord], names: list[str], store: RecordWriter, pause: Callable[[float], None]
) -> Iterator[list[RecordOutcome]]:
    """Yield the outcomes of batches as they come; at most twice as many are under way as there are workers."""
    with ThreadPoolExecutor(WORKERS) as workers:
        under_way: set[Batch] = set()
        more = True
        while more or under_way:
            batch = [record for _, record in zip(range(MOST_RECORDS), records)] if more else []
            more = len(batch) == MOST_RECORDS
            if batch:
                under_way.add(workers.submit(_tried, batch, names, store, pause))
            if under_way and (not more or len(under_way) >= 2 * WORKERS):
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from _ended(ended, under_way)


def _ended(ended: set[Batch], under_way: set[Batch]) -> Iterator[list[RecordOutcome]]:
    """Yield what has ended; where the store takes nothing, what is under way is awaited and told before that."""
    failed = [future for future in ended if future.exception()]
    if failed:
        ended = ended | wait(under_way).done
    yield from (future.result() for future in ended if not future.exception())
    for future in failed:
        future.result()


def _tried(
    batch: list[FeatureRecord], names: list[str], store: RecordWriter, pause: Callable[[float], None]
) -> list[RecordOutcome]:
    """Write a batch, and again what was not taken and may be, with longer and longer pauses."""
    outcomes: list[RecordOutcome] = []
    waiting = batch
    for attempt in range(1, TRIES + 1):
        answers = store.write([_values(record, names) for record in waiting])
        again = []
        for record, answer in zip(waiting, answers):
            if answer.written:
                outcomes.append(RecordOutcome(record, WRITTEN, attempt, ""))
            elif not answer.again:
                outcomes.append(RecordOutcome(record, REFUSED, attempt, answer.told))
            elif attempt == TRIES:
                outcomes.append(RecordOutcome(record, LEFT, attempt, answer.told))
            else:
                again.append(record)
        waiting = again
        if not waiting:
            break
        pause(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
    return outcomes


def _values(record: FeatureRecord, names: list[str]) -> dict[str, str]:
    """Return the features that a record has; one without a value is left out of it."""
    return {name: cell for name, cell in zip(names, record.cells) if cell}
