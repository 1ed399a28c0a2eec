"""Tables as text: what the built-in images read and write. Only job and server processes import this."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    type Table = NDArray[np.float32]

LIBSVM = ("text/libsvm", "text/x-libsvm")


class FormatError(Exception):
    """A text is not a table of the expected format."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


def read_csv(text: str, where: str = "payload") -> Table:
    """Return the rows of a CSV without header, shape (rows, columns); an empty field is not a number (NaN).

    Raises:
        FormatError: a field is text, or rows differ in length.
    """
    rows: list[list[float]] = []
    for number, fields in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not any(field.strip() for field in fields):
            continue
        if rows and len(fields) != len(rows[0]):
            raise FormatError(f"{where} line {number}", f"has {len(fields)} columns where the first has {len(rows[0])}")
        rows.append([_number(field, f"{where} line {number}") for field in fields])
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(rows[0]) if rows else 0)


def read_libsvm(text: str, where: str = "payload", *, labelled: bool = True) -> tuple[Table, Table]:
    """Return features, shape (rows, highest index + 1), and labels, shape (rows,), of `label index:value …` lines.

    What a line leaves out is missing (NaN). Without `labelled`, a line may have no label; then it counts as 0.

    Raises:
        FormatError: a line is not of that form.
    """
    labels: list[float] = []
    rows: list[dict[int, float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        place = f"{where} line {number}"
        has_label = ":" not in parts[0]
        if labelled and not has_label:
            raise FormatError(place, "has no label in front of its features")
        labels.append(_number(parts[0], place) if has_label else 0.0)
        rows.append(dict(_entry(part, place) for part in parts[has_label:]))
    width = 1 + max((index for row in rows for index in row), default=-1)
    table = np.full((len(rows), width), np.nan, dtype=np.float32)
    for position, row in enumerate(rows):
        table[position, list(row)] = list(row.values())
    return table, np.asarray(labels, dtype=np.float32)


def _entry(part: str, where: str) -> tuple[int, float]:
    index, colon, value = part.partition(":")
    if not colon or not index.isdigit():
        raise FormatError(where, f"has {part!r} where index:value belongs")
    return int(index), _number(value, where)


def _number(field: str, where: str) -> float:
    if not field.strip():
        return float("nan")
    try:
        return float(field)
    except ValueError as error:
        raise FormatError(where, f"{field[:40]!r} is not a number") from error


def write(predictions: Iterable[Any], accept: str) -> bytes | None:
    """Return predictions as one record each in an `accept` of CSV, JSON or JSON Lines; None for another."""
    values = [value.tolist() if hasattr(value, "tolist") else value for value in predictions]
    match accept:
        case "text/csv":
            output = io.StringIO()
            csv.writer(output, lineterminator="\n").writerows(
                value if isinstance(value, list | tuple) else [value] for value in values
            )
            return output.getvalue().encode()
        case "application/json":
            return json.dumps(values).encode()
        case "application/jsonlines" | "application/x-jsonlines":
            return "".join(f"{json.dumps(value)}\n" for value in values).encode()
        case _:
            return None
