"""What a cell is: missing, a number, a date."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice

# Texts that stand for a missing value; the seed's rows.py has the same.
MISSING = frozenset(("", "?", "na", "n/a", "nan", "null", "none", "#n/a", "-", "."))
# Of a label: `none` may be a class.
NO_LABEL = MISSING - {"none", "-", "."}
_NUMBER = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?\.?[0-9]*([eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+")
_LOOKED_AT = 2000
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y")
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M:%SZ", "T%H:%M:%S.%fZ", "T%H:%M:%S%z", " %H:%M:%S.%f")


def is_missing(cell: str) -> bool:
    """Say whether a cell stands for a missing value."""
    return cell.lower() in MISSING


def number(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell is, with thousands separated or not; None where it is none."""
    text = cell.translate(str.maketrans(".,", ",.")) if decimal == "," else cell
    if not text or not _NUMBER.fullmatch(text):
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:  # a lone sign or point
        return None


def share_of_numbers(cells: Iterable[str], decimal: str = ".") -> float:
    """Return which share of the cells that are not missing are numbers; 0 where all are missing."""
    known = [cell for cell in cells if not is_missing(cell)]
    return sum(number(cell, decimal) is not None for cell in known) / len(known) if known else 0.0


def decimal(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    """Return what stands before the fractions of the table's numbers: a comma only where it separates no columns."""
    if delimiter == ",":
        return "."
    cells = [cell for row in islice(rows, _LOOKED_AT) for cell in row]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    points = sum("." in cell and number(cell) is not None for cell in cells)
    return "," if commas > points else "."


def date_formats(cells: Collection[str]) -> list[str]:
    """Return the formats that all of these different cells are dates in: two where day and month can be either."""
    found = []
    for day in (*_DATES, *_DAY_FIRST, *_MONTH_FIRST):
        for time in _TIMES:
            if all(_is_date(cell, day + time) for cell in cells):
                found.append(day + time)
                break
    return found


def is_day_first(written: str) -> bool:
    """Say whether a format of dates has the day before the month, with a sign between that others write reversed."""
    return written.startswith(_DAY_FIRST)


def _is_date(cell: str, written: str) -> bool:
    try:
        datetime.strptime(cell, written)  # noqa: DTZ007  # only whether it is one
    except ValueError:
        return False
    return True
