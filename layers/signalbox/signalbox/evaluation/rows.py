"""Reads the joined output of a batch transform: CSV, the columns of the test data (label first), then the answer."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from signalbox import csv_rows
from signalbox.evaluation.model import EvaluationError, Row

_SHOWN = 80


def read_rows(files: Iterable[str], lines: Callable[[str], Iterable[str]], columns: int) -> Iterator[Row]:
    """Yield the rows of the files (their URIs), each with `columns` of test data; blank lines are no rows.

    Raises:
        EvaluationError: a line is no row of this shape, is a header, or has an empty label or answer.
    """
    search = csv_rows.HeaderSearch()
    for uri in files:
        first = True
        for place, line in csv_rows.numbered(uri, lines(uri)):
            row = _row(line, columns, place, first=first)
            search.add(place, (row.label, *row.features), first=first)
            _refuse(search.found())
            first = False
            yield row
    _refuse(search.found(at_the_end=True))


def _refuse(header: tuple[str, Sequence[str]] | None) -> None:
    if header:
        place, cells = header
        raise EvaluationError(f"{place} begins with {cells[0][:_SHOWN]!r}: a header? Test data have none")


def _row(line: str, columns: int, place: str, *, first: bool) -> Row:
    try:
        cells = csv_rows.cells(line)
    except csv_rows.NotOneRowError as error:
        raise EvaluationError(f"{place} {error}: look at the test data and at what the model answers") from error
    label, answer = cells[0].strip(), cells[columns:]
    if len(answer) > 1:
        raise EvaluationError(
            f"{place}: the model answered {csv_rows.text_of(answer)[:_SHOWN]!r} behind the {columns} columns of the "
            "test data: it has to answer one value a row, a number or the label, as CSV without a header"
        )
    if not answer:
        raise EvaluationError(
            f"{place} has {len(cells)} columns, and {columns} of the test data and an answer are needed: "
            "the test data do not have one shape, or the model answered nothing"
        )
    if not label:
        raise EvaluationError(f"{place} has no label: put the label first in the test data")
    if not answer[0].strip():
        raise EvaluationError(f"{place} has no prediction: the model answered nothing for it; look at its log")
    return Row(label, answer[0].strip(), tuple(cells[1:columns]), place, first)


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
