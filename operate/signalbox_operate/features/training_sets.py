"""Write a training set: labels with the features of their records as of each label's time."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signalbox_features import history, history_files
from signalbox_features.model import FeatureDefinition
from signalbox_operate.stack import OperateError


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
    count = 0
    with output.open("w", newline="", encoding="utf-8") as kept:
        rows = csv.writer(kept, lineterminator="\n")
        for row in history.as_of(asked, past, names, known_then=wanted.known_then):
            if not count:
                rows.writerow(row)
            rows.writerow("" if value is None else value for value in row.values())
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
