"""A few test rows as a person reads them: cell by cell, with the columns' names where they are known."""

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from signalbox import numerals

if TYPE_CHECKING:
    from signalbox.reviews.kept import KeptSample

_CUT = "…"


class Cell(NamedTuple):
    """A value; `number` says whether it is one, which is never broken inside. `name` is "" where none is known."""

    value: str
    number: bool
    name: str = ""

    @property
    def text(self) -> str:
        """Return name and value."""
        return f"{self.name} {self.value}" if self.name else self.value


class ShownSample(NamedTuple):
    """One test row, the true label and the model's answer."""

    cells: tuple[Cell, ...]
    expected: Cell
    predicted: Cell

    @property
    def input(self) -> str:
        """Return the row in one line."""
        named = any(cell.name for cell in self.cells)
        return (", " if named else ",").join(cell.text for cell in self.cells)


def shown(samples: "Sequence[KeptSample]", columns: Sequence[str]) -> tuple[ShownSample, ...]:
    """Return the samples; `columns` are used for rows that have as many cells, or were cut before their end."""
    return tuple(
        ShownSample(_cells(sample["input"], columns), _cell(sample["expected"]), _cell(sample["predicted"]))
        for sample in samples
    )


def _cells(text: str, columns: Sequence[str]) -> tuple[Cell, ...]:
    try:
        values = next(csv.reader([text]), [])
    except csv.Error:  # a row that was cut inside its quotes
        values = [text]
    fits = len(values) == len(columns) or (text.endswith(_CUT) and len(values) < len(columns))
    names = columns if fits else [""] * len(values)
    return tuple(_cell(value, name) for value, name in zip(values, names, strict=False))


def _cell(value: str, name: str = "") -> Cell:
    try:
        numerals.number(value)
    except ValueError:
        return Cell(value, number=False, name=name)
    return Cell(value, number=True, name=name)
