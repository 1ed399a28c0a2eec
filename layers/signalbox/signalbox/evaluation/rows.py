"""Reads the joined output of a batch transform: CSV, label first, prediction last, features between."""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from signalbox.evaluation.model import EvaluationError, Row

# Label, at least one feature, prediction.
_LEAST_COLUMNS = 3


def read_rows(files: Iterable[tuple[str, Iterable[str]]]) -> Iterator[Row]:
    """Yield the rows of `(uri, lines)` pairs; empty lines are no rows.

    Raises:
        EvaluationError: a row has too few columns or not as many as the first, or an empty label or prediction.
    """
    columns = 0
    for uri, lines in files:
        for place, cells in _cells(uri, lines):
            if not any(cell.strip() for cell in cells):
                continue
            row = _row(cells, place)
            columns = columns or len(cells)
            if len(cells) != columns:
                raise EvaluationError(
                    f"{row.place} has {len(cells)} columns and the first row {columns}: "
                    "the test data or the model's answers do not have one shape; correct them and start again"
                )
            yield row


def _cells(uri: str, lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(lines)
    try:
        for cells in reader:
            yield f"line {reader.line_num} of {uri}", cells
    except csv.Error as error:
        raise EvaluationError(f"line {reader.line_num} of {uri} is not CSV ({error}): look at the test data") from error


def _row(cells: list[str], place: str) -> Row:
    if len(cells) < _LEAST_COLUMNS:
        raise EvaluationError(
            f"{place} has {len(cells)} columns: a label, features and a prediction are needed; "
            "look at the test data and at what the model answers"
        )
    label, prediction = cells[0].strip(), cells[-1].strip()
    if not label:
        raise EvaluationError(f"{place} has no label: put the label first in the test data")
    if not prediction:
        raise EvaluationError(f"{place} has no prediction: the model answered nothing for it; look at its log")
    return Row(label, prediction, tuple(cells[1:-1]), place)


class Spread:
    """Keeps a few rows spread evenly over a stream of unknown length, the same ones for the same stream.

    Every `step`-th row is kept; when twice `limit` rows are kept, every second one is let go and `step` doubles.
    """

    def __init__(self, limit: int) -> None:
        self.limit: Final = limit
        self._step = 1
        self._seen = 0
        self._kept: list[Row] = []

    def add(self, row: Row) -> None:
        """Offer the next row of the stream."""
        if self._seen % self._step == 0:
            self._kept.append(row)
            if len(self._kept) == 2 * self.limit:
                self._kept = self._kept[::2]
                self._step *= 2
        self._seen += 1

    def rows(self, number: int) -> list[Row]:
        """Return at most `number` rows, spread over those that are kept."""
        if len(self._kept) <= number:
            return list(self._kept)
        return [self._kept[index * len(self._kept) // number] for index in range(number)]
