"""Do training and test data share rows? By content, whatever their files are called and however their numbers look."""

import csv
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from signalbox.numerals import number_or_none

# More is not compared: reading it would take longer than planning a run may.
MOST_BYTES = 20_000_000
# Rows of small tables are equal by chance: iris has one pair among its 150.
MOST_SHARED = 0.05
_DIGEST = 8


class Overlap(NamedTuple):
    """How many rows training and test data have, and how many of the test rows are training rows too."""

    trained: int
    rows: int
    shared: int

    @property
    def too_large(self) -> bool:
        """Say whether the test would measure what the model has learnt by heart."""
        return self.shared > MOST_SHARED * self.rows


def compare(train: Iterable[str], test: Iterable[str]) -> Overlap:
    """Return how far the lines of the training and of the test data, CSV both, are the same rows."""
    learnt, trained, quoted = set(), 0, False
    for line in train:
        if line.strip():
            learnt.add(digest(line))
            quoted ^= line.count('"') % 2 == 1  # a line break inside quotes ends no row
            trained += not quoted
    found = [digest(line) in learnt for line in test if line.strip()]
    return Overlap(trained, len(found), sum(found))


def digest(line: str) -> bytes:
    """Return what equal rows have in common: cells without the spaces around them, numbers by their value."""
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error:  # the evaluation says what is wrong with it
        cells = [line]
    return hashlib.sha256("\x1f".join(map(_canonical, cells)).encode()).digest()[:_DIGEST]


def _canonical(cell: str) -> str:
    value = number_or_none(cell)
    return cell.strip() if value is None else repr(value)
