"""Write a training set: labels with the features of their records as of each label's time."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

from signalbox_features import history, history_files
from signalbox_features.history import Label
from signalbox_features.model import FeatureDefinition, FeaturesError
from signalbox_operate.features import whole_files
from signalbox_operate.features.queries import FeatureTable, QueryDesk
from signalbox_operate.stack import OperateError

LABELS_A_QUERY = 1000
"""How many labels one query has in it; with identifiers of a hundred bytes it stays within Athena's 262,144 bytes."""
_MOST_BYTES = 262_144


@dataclass(frozen=True)
class WantedSet:
    """What a training set has: the labels' column with their time, the features (else all), and what was known then."""

    label_time: str
    features: Sequence[str] = ()
    known_then: bool = False


def write(definition: FeatureDefinition, labels: Path, records: Sequence[Path], wanted: WantedSet, output: Path) -> int:
    """Write the training set of a file of labels and files with a group's history, and return the number of its rows.

    Raises:
        OperateError: no history is given.
        FeaturesError: a file cannot be used, or the output would have a column twice.
    """
    if not records:
        raise OperateError("give the feature group's history with --records, as often as needed, or ask for --sql")
    keys = (definition.identifier.name, definition.event_time.name)
    names = list(wanted.features) or history_files.features(records[0], keys)
    past = (one for file in records for one in history_files.past(file, *keys))
    asked = history_files.labels(labels, keys[0], wanted.label_time)
    return _written(history.as_of(asked, past, names, known_then=wanted.known_then), output)


def ask(
    definition: FeatureDefinition, labels: Path, table: FeatureTable, desk: QueryDesk, wanted: WantedSet, output: Path
) -> int:
    """Write the training set of a file of labels and a group's offline store, and return the number of its rows.

    Raises:
        OperateError: a query failed or would be too long.
        FeaturesError: the file cannot be used, or the output would have a column twice.
    """
    keys = (definition.identifier.name, definition.event_time.name)
    names = list(wanted.features) or [name for name in table.features if name not in keys]
    asked = history_files.labels(labels, keys[0], wanted.label_time)
    parts = (
        _asked(definition, part, table, desk, wanted, names) for part in batched(asked, LABELS_A_QUERY, strict=False)
    )
    return _written((row for part in parts for row in part), output)


def _asked(
    definition: FeatureDefinition,
    labels: Sequence[Label],
    table: FeatureTable,
    desk: QueryDesk,
    wanted: WantedSet,
    names: Sequence[str],
) -> Iterator[dict[str, Any]]:
    both = [name for name in names if name in labels[0].values]
    if both:
        raise FeaturesError(f"{', '.join(both)} is a column of the labels and a feature: leave the feature out")
    text = history.sql_of_labels(
        table.name,
        labels,
        names,
        identifier=definition.identifier.name,
        event_time=definition.event_time.name,
        iso=definition.event_time.form == "iso",
        known_then=wanted.known_then,
    )
    if len(text.encode()) > _MOST_BYTES:
        raise OperateError(
            f"{len(labels):,} labels make a query of more than {_MOST_BYTES:,} bytes, which Athena does not take: load "
            "the labels into a table, and ask for --sql"
        )
    for label, (_, *cells) in zip(labels, desk.ask(text, table.database).rows, strict=True):
        yield {**label.values, **dict(zip(names, cells, strict=True))}


def _written(rows: Iterable[Mapping[str, Any]], output: Path) -> int:
    """Write rows as CSV with a header, and return how many there are."""
    count = 0
    with whole_files.written(output) as kept:
        lines = csv.writer(kept, lineterminator="\n")
        for row in rows:
            if not count:
                lines.writerow(row)
            lines.writerow("" if value is None else value for value in row.values())
            count += 1
    return count


def sql(definition: FeatureDefinition, table: str, labels: str, wanted: WantedSet) -> str:
    """Return the query for Athena that makes the same of the offline store's table.

    Raises:
        OperateError: the features are not named.
    """
    if not wanted.features:
        raise OperateError("name the features with --feature, as often as needed")
    return history.sql(
        table,
        labels,
        wanted.features,
        identifier=definition.identifier.name,
        event_time=definition.event_time.name,
        label_time=wanted.label_time,
        iso=definition.event_time.form == "iso",
        known_then=wanted.known_then,
    )
