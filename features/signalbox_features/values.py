"""A cell becomes a value of its column's type: the same for CSV, Parquet and what a caller sends to a model."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from signalbox_features.model import INTEGER, NUMBER, STRING

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox_features.model import Value

_WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d))?\Z", re.ASCII)
_LONGEST = 40  # characters of a wrong value that are shown
_LARGEST = 2**63  # an Integral feature has 64 bits
LARGEST = 1e100  # sums of squares of so large numbers are still numbers


class WrongTypeError(ValueError):
    """A cell is not of its column's type; the message goes on after the column's name."""

    def __init__(self, given: Any, wanted: str) -> None:
        shown = str(given)
        super().__init__(f"is {shown[:_LONGEST]!r}{'…' if len(shown) > _LONGEST else ''}, wants {wanted}")


def reader(kind: str) -> Callable[[Any], Value]:
    """Return what reads a cell of a type: text of a CSV file, or a value of Parquet or JSON.

    It returns None for an empty cell, and raises WrongTypeError.
    """
    return {STRING: _string, INTEGER: _integer, NUMBER: _number}.get(kind, moment)


def _string(cell: Any) -> Value:
    if cell is None:
        return None
    if isinstance(cell, (dict, list, bytes)):
        raise WrongTypeError(cell, "a text")
    return str(cell).strip() or None


def _number(cell: Any) -> Value:
    if isinstance(cell, str):
        # Python's own float also reads `0.4_5` and digits of other scripts, by which nobody means a number.
        try:
            value = float(cell)
            known = cell.isascii() and "_" not in cell
        except ValueError:
            if not cell.strip():
                return None
            known = False
        if not known:
            raise WrongTypeError(cell.strip(), "a number")
    elif cell is None:
        return None
    elif isinstance(cell, bool) or not hasattr(cell, "__float__"):
        raise WrongTypeError(cell, "a number")
    else:
        value = float(cell)
    if not -LARGEST <= value <= LARGEST:
        raise WrongTypeError(cell, f"a number that is finite, and at most {LARGEST:g}")
    return value


def _integer(cell: Any) -> Value:
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        if not _WHOLE.match(text):
            raise WrongTypeError(text, "a whole number")
        value = int(text.partition(".")[0])
    elif cell is None:
        return None
    elif isinstance(cell, bool) or not hasattr(cell, "__float__") or not float(cell).is_integer():
        raise WrongTypeError(cell, "a whole number")
    else:
        value = int(cell)
    if not -_LARGEST <= value < _LARGEST:
        raise WrongTypeError(cell, "a whole number of 64 bits")
    return value


def moment(cell: Any) -> float | None:
    """Return the seconds since 1970 of a time: ISO 8601 with its zone, or a date, which begins at 00:00 UTC.

    Raises:
        WrongTypeError: it is no time, or has no zone.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    wanted = "a time with its zone, such as 2026-11-20T10:00:00Z, or a date"
    if isinstance(cell, datetime):
        found = cell if cell.tzinfo else cell.replace(tzinfo=timezone.utc)  # Parquet's times without a zone are UTC
    elif isinstance(cell, date):
        found = datetime(cell.year, cell.month, cell.day, tzinfo=timezone.utc)
    elif isinstance(cell, str) and _TIME.match(cell.strip()):
        found = _parsed(cell.strip(), wanted)
    else:
        raise WrongTypeError(cell, wanted)
    return found.timestamp()


def _parsed(text: str, wanted: str) -> datetime:
    text = text[:-1] + "+0000" if text.endswith("Z") else text
    body, zone = (text, "+0000") if len(text) == len("2026-11-20") else _split(text)
    pattern = "%Y-%m-%dT%H:%M:%S.%f%z"
    full = {10: f"{body}T00:00:00.0", 16: f"{body}:00.0", 19: f"{body}.0"}.get(len(body), body)
    try:
        return datetime.strptime(full.replace(" ", "T") + zone, pattern)  # noqa: DTZ007  # the pattern has %z
    except ValueError:
        raise WrongTypeError(text, wanted) from None


def _split(text: str) -> tuple[str, str]:
    at = max(text.rfind("+"), text.rfind("-"))
    return text[:at], text[at:].replace(":", "")


def iso(seconds: float) -> str:
    """Return a time as the Feature Store takes it as text: UTC, to the millisecond."""
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def text(value: Value) -> str:
    """Return a value as it is written into files and the Feature Store: read again, it is the same value."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
