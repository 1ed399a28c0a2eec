"""Training sets as of each label's time: a label sees the features that were known then, and nothing of later.

The newest record is the one of the greatest event time, and of several at that time the one that was written last, as
in the online store (API reference, PutRecord). The same as SQL, over the offline store's table in Athena.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox_features.model import FeaturesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Past(NamedTuple):
    """A record of a feature group: when it was true, when it was written, and whether it says that it is deleted.

    Times are seconds since 1970.
    """

    identifier: str
    event_time: float
    write_time: float
    deleted: bool
    features: Mapping[str, Any]


class Label(NamedTuple):
    """What is to be predicted of a record, and when it was known; `values` are all the cells of its row."""

    identifier: str
    time: float
    values: Mapping[str, Any]


def as_of(
    labels: Iterable[Label], records: Iterable[Past], names: Sequence[str], *, known_then: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield each label's values with the features of its record as of its time, in the labels' order.

    A label whose record was not there yet, or deleted by then, has None for each feature. Labels have no order; the
    records are held in memory.

    Args:
        labels: the labels.
        records: the history of the feature group.
        names: the features that are wanted.
        known_then: leaves out what was written only after a label's time too, such as later corrections; not for a
            history that was loaded at once, of which nothing was known then.

    Raises:
        FeaturesError: a feature that is wanted has the name of a column of the labels.
    """
    history = _ordered(records)
    for label in labels:
        both = [name for name in names if name in label.values]
        if both:
            raise FeaturesError(f"{', '.join(both)} is a column of the labels and a feature: leave the feature out")
        found = _newest(history.get(label.identifier, ([], [])), label.time, known_then=known_then)
        features = found.features if found and not found.deleted else {}
        yield {**label.values, **{name: features.get(name) for name in names}}


def _ordered(records: Iterable[Past]) -> dict[str, tuple[list[float], list[Past]]]:
    by_identifier: dict[str, list[Past]] = {}
    for record in records:
        by_identifier.setdefault(record.identifier, []).append(record)
    history = {}
    for identifier, found in by_identifier.items():
        found.sort(key=lambda record: (record.event_time, record.write_time))
        history[identifier] = ([record.event_time for record in found], found)
    return history


def _newest(history: tuple[list[float], list[Past]], time: float, *, known_then: bool) -> Past | None:
    times, found = history
    for place in range(bisect_right(times, time) - 1, -1, -1):
        if not known_then or found[place].write_time <= time:
            return found[place]
    return None


def sql(
    table: str,
    labels: str,
    names: Sequence[str],
    *,
    identifier: str,
    event_time: str,
    label_time: str,
    iso: bool = False,
    known_then: bool = False,
) -> str:
    """Return a query for Athena that gives what `as_of` does, and the columns `label_number` and `record_age` more.

    Args:
        table: the offline store's table.
        labels: a table with the labels: the column `identifier`, and `label_time` as a timestamp.
        names: the features that are wanted.
        identifier: the feature that identifies a record.
        event_time: the feature with its time.
        label_time: the labels' column with their time.
        iso: the event time is text (ISO 8601), not seconds since 1970.
        known_then: as for `as_of`.

    Raises:
        FeaturesError: a name cannot be one of a table or a column.
    """
    _check_names(table, labels, identifier, event_time, label_time, *names)
    moment = f'from_iso8601_timestamp(f."{event_time}")' if iso else f'from_unixtime(f."{event_time}")'
    then = f'n."{label_time}"'
    conditions = [f'f."{identifier}" = n."{identifier}"', f"{moment} <= {then}"]
    if known_then:
        conditions.append(f"f.write_time <= {then}")
    wanted = "".join(f'        CASE WHEN NOT f.is_deleted THEN f."{name}" END AS "{name}",\n' for name in names)
    joined = "\n        AND ".join(conditions)
    # The numbered labels are named once: Athena reads a WITH anew wherever it stands, and would number them otherwise.
    return (
        "WITH numbered AS (\n"  # noqa: S608  # every name is in quotes, and has none in it
        f'    SELECT *, row_number() OVER () AS label_number FROM "{labels}"\n'
        "), known AS (\n"
        f"    SELECT n.*,\n{wanted}"
        "        row_number() OVER (\n"
        "            PARTITION BY n.label_number\n"
        f"            ORDER BY {moment} DESC, f.write_time DESC\n"
        "        ) AS record_age\n"
        f'    FROM numbered n LEFT JOIN "{table}" f ON {joined}\n'
        ")\n"
        "SELECT * FROM known WHERE record_age = 1 ORDER BY label_number\n"
    )


def sql_of_labels(
    table: str,
    labels: Sequence[Label],
    names: Sequence[str],
    *,
    identifier: str,
    event_time: str,
    iso: bool = False,
    known_then: bool = False,
) -> str:
    """Return a query for Athena with the labels in it, which gives a row for each: its place in `labels`, the features.

    Times are compared as seconds, as `as_of` does: Athena's moments would be rounded to the millisecond.

    Args:
        table: the offline store's table.
        labels: the labels, at least one; a query has up to 262,144 bytes (Athena's quotas).
        names: the features that are wanted, at least one.
        identifier: the feature that identifies a record.
        event_time: the feature with its time.
        iso: the event time is text (ISO 8601), not seconds since 1970.
        known_then: as for `as_of`.

    Raises:
        FeaturesError: a name cannot be one of a table or a column.
    """
    _check_names(table, identifier, event_time, *names)
    moment = f'to_unixtime(from_iso8601_timestamp(f."{event_time}"))' if iso else f'f."{event_time}"'
    asked = ",\n        ".join(
        f"({number}, {_text(label.identifier)}, CAST('{label.time!r}' AS DOUBLE))"
        for number, label in enumerate(labels)
    )
    conditions = [f'CAST(f."{identifier}" AS VARCHAR) = a.label_identifier', f"{moment} <= a.label_time"]
    if known_then:
        conditions.append("to_unixtime(f.write_time) <= a.label_time")
    wanted = "".join(f'        CASE WHEN NOT f.is_deleted THEN f."{name}" END AS "{name}",\n' for name in names)
    joined = "\n        AND ".join(conditions)
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        "WITH asked (label_number, label_identifier, label_time) AS (\n"  # noqa: S608  # names and texts are quoted
        f"    VALUES\n        {asked}\n"
        "), known AS (\n"
        f"    SELECT a.label_number,\n{wanted}"
        "        row_number() OVER (\n"
        "            PARTITION BY a.label_number\n"
        f"            ORDER BY {moment} DESC, f.write_time DESC\n"
        "        ) AS record_age\n"
        f'    FROM asked a LEFT JOIN "{table}" f ON {joined}\n'
        ")\n"
        f"SELECT label_number, {listed} FROM known WHERE record_age = 1 ORDER BY label_number\n"
    )


def _check_names(*names: str) -> None:
    for name in names:
        if not name or '"' in name or not name.isprintable():
            raise FeaturesError(f"{name!r} cannot be the name of a table or a column")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
