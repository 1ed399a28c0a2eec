"""Records of a run as a CSV file: where each row comes from, and its features; the writer and people read it."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING, NamedTuple

from signalbox_features.model import FeaturesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from signalbox_features.model import Value

FILE, LINE = "source_file", "source_line"


class FeatureRecord(NamedTuple):
    """A record of a run: its number, from 1; where it comes from; its features as texts, in the order of the names."""

    number: int
    file: str
    line: str
    cells: Sequence[str]


class RecordsFile:
    """Writes records, one by one."""

    def __init__(self, to: IO[str], names: Sequence[str]) -> None:
        self._rows = csv.writer(to, lineterminator="\n")
        self._rows.writerow([FILE, LINE, *names])

    def add(self, file: str, line: int, values: Sequence[Value]) -> None:
        """Write a record; a missing value is an empty cell."""
        self._rows.writerow([file, line, *values])  # a float is written as its repr, which is read as the same


def read(file: Path) -> tuple[list[str], Iterator[FeatureRecord]]:
    """Return the names of the features of a records file, and its records, which are read as they are asked for.

    Raises:
        FeaturesError: it is no such file.
    """
    with file.open(newline="", encoding="utf-8") as head:
        first = next(csv.reader(head), [])
    if first[:2] != [FILE, LINE]:
        raise FeaturesError(f"{file} has no records of a run: its first columns are {FILE} and {LINE}")
    return first[2:], _records(file)


def _records(file: Path) -> Iterator[FeatureRecord]:
    with file.open(newline="", encoding="utf-8") as content:
        rows = csv.reader(content)
        next(rows)
        for number, row in enumerate(rows, start=1):
            yield FeatureRecord(number, row[0], row[1], row[2:])
