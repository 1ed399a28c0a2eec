"""Counts the columns of the test data, and refuses what is no label with features."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from signalbox import csv_rows
from signalbox.numerals import number_or_none
from signalbox.training.model import InvalidRequestError

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem

# A label and at least one feature.
_LEAST_COLUMNS = 2
# Rows that tell a header: a column may miss its value in some. The evaluation looks at all of them.
_LOOKED_AT = 100


def count(files: Iterable[str], lines: Callable[[str], Iterable[str]], problem: "Problem") -> int:
    """Return how many columns the test data have, the label included, by the first row in the files (their URIs).

    Raises:
        InvalidRequestError: there is no row, or the first is a header or has no label and features.
    """
    rows = list(islice(_rows(files, lines), _LOOKED_AT))
    if not rows:
        raise InvalidRequestError("the test data have no rows: upload CSV files, no header, label first")
    place, first = rows[0]
    if len(first) < _LEAST_COLUMNS:
        raise InvalidRequestError(f"{place} has {len(first)} columns: a label and features are needed, label first")
    if _begins_with_header(rows) or (problem == "regression" and number_or_none(first[0]) is None):
        raise InvalidRequestError(
            f"{place} begins with {first[0][:80]!r}. A header? Test data have none, and the label is in the first "
            "column" + (", a number for a regression" if problem == "regression" else "") + ": correct the file"
        )
    return len(first)


def _begins_with_header(rows: Sequence[tuple[str, Sequence[str]]]) -> bool:
    search = csv_rows.HeaderSearch()
    for place, row in rows:
        search.add(place, row, first=place == rows[0][0])
    return search.found(at_the_end=True) is not None


def _rows(files: Iterable[str], lines: Callable[[str], Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
    for uri in files:
        for place, line in csv_rows.numbered(uri, lines(uri)):
            try:
                yield place, csv_rows.cells(line)
            except csv_rows.NotOneRowError as error:
                raise InvalidRequestError(f"{place} {error}: correct the test data") from error
