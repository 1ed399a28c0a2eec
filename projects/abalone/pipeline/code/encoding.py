"""Read a row of the abalone table and turn it into the numbers that the model sees.

The same code runs where the data is prepared, where the model is tested and where it serves, so a row means the same
in all three. The images bring Python 3.8 at the oldest, so this folder uses nothing newer.
"""

from __future__ import annotations

import math
import re
import statistics
from typing import Any

VERSION = 1
SEXES = ("F", "I", "M")
# Column → the largest value that can be real, in the table's units (lengths: 200 mm, weights: 200 g; abalone.names).
# The largest abalone on record is 31 cm long and weighs a few kilograms.
LIMITS = {
    "Length": 2.0,
    "Diameter": 2.0,
    "Height": 2.0,
    "Whole weight": 20.0,
    "Shucked weight": 20.0,
    "Viscera weight": 20.0,
    "Shell weight": 20.0,
}
COLUMNS = ("Sex", *LIMITS)
MOST_RINGS = 60
# Python's own float and int also read `0.4_5` and digits of other scripts, by which nobody means a number.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|nan|inf)\Z", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+\Z")


class RowError(Exception):
    """A row is not one of the abalone table; the message says which column and what is wrong with it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def read_features(fields: list[str]) -> list[str | float]:
    """Return sex and the seven measures of a row without its label.

    Raises:
        RowError: the row has another number of columns, an unknown sex, or a measure that cannot be real.
    """
    if len(fields) != len(COLUMNS):
        raise RowError(f"has {len(fields)} columns, wants {len(COLUMNS)}: {', '.join(COLUMNS)}")
    sex = fields[0].strip()
    if sex not in SEXES:
        raise RowError(f"Sex is {sex!r}, wants one of {', '.join(SEXES)}")
    return [sex, *(_measure(column, fields[place]) for place, column in enumerate(LIMITS, start=1))]


def _measure(column: str, text: str) -> float:
    if not _NUMBER.match(text.strip()):
        raise RowError(f"{column} is {text.strip()!r}, wants a number")
    value = float(text)
    if not math.isfinite(value) or not 0 <= value <= LIMITS[column]:
        raise RowError(f"{column} is {text.strip()}, wants a number from 0 to {LIMITS[column]:g}")
    return value


def read_rings(text: str) -> int:
    """Return the label.

    Raises:
        RowError: it is not a whole number that can be a number of rings.
    """
    if not _WHOLE.match(text.strip()):
        raise RowError(f"Rings is {text.strip()!r}, wants a whole number")
    rings = int(text)
    if not 1 <= rings <= MOST_RINGS:
        raise RowError(f"Rings is {rings}, wants a whole number from 1 to {MOST_RINGS}")
    return rings


def fit(rows: list[list[str | float]]) -> dict[str, Any]:
    """Return what has to be learnt from the training rows: the median of each measure, for rows that lack it."""
    medians = {}
    for place, column in enumerate(LIMITS, start=1):
        known = [float(row[place]) for row in rows if row[place]]
        medians[column] = statistics.median(known) if known else 0.0
    return {"version": VERSION, "sexes": list(SEXES), "medians": medians}


def encode(features: list[str | float], transform: dict[str, Any]) -> list[float]:
    """Return sex as one column per kind, then the measures; a measure of zero was not taken and becomes the median."""
    medians = transform["medians"]
    measures = [float(features[place]) or medians[column] for place, column in enumerate(LIMITS, start=1)]
    return [1.0 if features[0] == sex else 0.0 for sex in transform["sexes"]] + measures
