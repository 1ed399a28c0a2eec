"""Labels and a feature group's history as CSV files with a header, as Athena exports them, for training sets."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from signalbox_features.history import Label, Past
from signalbox_features.model import FeaturesError
from signalbox_features.outputs import RESERVED
from signalbox_features.tables import FILE, LINE
from signalbox_features.values import WrongTypeError, moment, reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_TRUE, _FALSE = ("true", "1"), ("false", "0", "")
# What the offline store's table has beside the features: its own columns, and the folders that it is kept in.
_NO_FEATURES = (*RESERVED, FILE, LINE, "year", "month", "day", "hour")


def features(file: Path, keys: Sequence[str]) -> list[str]:
    """Return the features that a history has, but for its keys.

    Raises:
        FeaturesError: it cannot be read.
    """
    return [name for name in _header(file) if name not in (*_NO_FEATURES, *keys)]


def past(file: Path, identifier: str, event_time: str) -> Iterator[Past]:
    """Yield the records of a history; without `write_time` and `is_deleted` each was written at its own time.

    Raises:
        FeaturesError: the identifier or the time is missing, or a time is none.
    """
    for line, row in _rows(file, (identifier, event_time)):
        at = time(row[event_time], f"{file}, line {line}: {event_time}")
        written = row.get("write_time")
        deleted = (row.get("is_deleted") or "").lower()
        if deleted not in (*_TRUE, *_FALSE):
            raise FeaturesError(f"{file}, line {line}: is_deleted is {deleted!r}, wants true or false")
        yield Past(
            row[identifier],
            at,
            time(written, f"{file}, line {line}: write_time") if written else at,
            deleted in _TRUE,
            {name: value or None for name, value in row.items() if name not in _NO_FEATURES},
        )


def labels(file: Path, identifier: str, label_time: str) -> Iterator[Label]:
    """Yield the labels of a file.

    Raises:
        FeaturesError: the identifier or the time is missing, or a time is none.
    """
    for line, row in _rows(file, (identifier, label_time)):
        yield Label(row[identifier], time(row[label_time], f"{file}, line {line}: {label_time}"), row)


def time(text: str, where: str) -> float:
    """Return the seconds since 1970 of a time: such seconds, ISO 8601, or Athena's own form, which is in UTC.

    Raises:
        FeaturesError: it is none of these.
    """
    for given in (text, f"{text.replace(' UTC', '')}Z"):
        try:
            found = moment(given)
        except WrongTypeError:
            continue
        if found is not None:
            return found
    try:
        seconds: Any = reader("number")(text)
    except WrongTypeError:
        seconds = None
    if seconds is None:
        raise FeaturesError(
            f"{where} is {text[:40]!r}, wants seconds since 1970, or a time such as 2026-11-20T10:00:00Z"
        )
    return float(seconds)


def _header(file: Path) -> list[str]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as content:
            return next(csv.reader(content), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FeaturesError(f"{file} cannot be read as CSV: {error}") from error


def _rows(file: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    names = _header(file)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise FeaturesError(f"{file} has no column {', '.join(missing)}: it has {', '.join(names)}")
    with file.open(newline="", encoding="utf-8-sig") as content:
        rows = csv.reader(content)
        next(rows)
        for cells in rows:
            if len(cells) != len(names):
                raise FeaturesError(f"{file}, line {rows.line_num}: the row has {len(cells)} cells, not {len(names)}")
            yield rows.line_num, dict(zip(names, cells))
