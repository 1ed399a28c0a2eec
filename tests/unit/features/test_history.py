"""A training set has each record as it was at its label's time: nothing of later leaks into it, by Python or by SQL."""

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.support.features import definition

from signalbox_features import history, history_files
from signalbox_features.history import Label, Past
from signalbox_features.model import FeaturesError
from signalbox_operate.features import training_sets
from signalbox_operate.features.training_sets import WantedSet
from signalbox_operate.stack import OperateError

HISTORY = [
    Past("a", 10, 11, False, {"length": 1.0}),
    Past("a", 20, 21, False, {"length": 2.0}),
    Past("a", 20, 95, False, {"length": 2.5}),  # a correction of what was true at 20, written at 95
    Past("a", 30, 31, True, {"length": None}),
    Past("a", 40, 41, False, {"length": 4.0}),
    Past("b", 20, 21, False, {"length": 9.0}),
]


def seen(identifier: str, time: float, *, known_then: bool = False) -> Any:
    label = Label(identifier, time, {"id": identifier, "label": 1})
    (row,) = history.as_of([label], reversed(HISTORY), ["length"], known_then=known_then)
    return row["length"]


@pytest.mark.parametrize(
    ("identifier", "time", "wanted"),
    [
        ("a", 9.9, None),  # not there yet
        ("a", 10, 1.0),  # at the very time
        ("a", 19.9, 1.0),  # never what comes a moment later
        ("a", 20, 2.5),  # of one time, what was written last
        ("a", 30, None),  # deleted
        ("a", 39, None),
        ("a", 1e9, 4.0),
        ("b", 1e9, 9.0),
        ("c", 1e9, None),
    ],
)
def test_a_label_sees_its_record_as_of_its_time(identifier: str, time: float, wanted: float | None) -> None:
    assert seen(identifier, time) == wanted


@pytest.mark.parametrize(("time", "wanted"), [(20, 1.0), (21, 2.0), (29, 2.0), (31, None), (95, 4.0)])
def test_what_was_written_later_is_left_out_where_only_what_was_known_then_counts(
    time: float, wanted: float | None
) -> None:
    assert seen("a", time, known_then=True) == wanted


def test_a_feature_that_gives_the_label_away_a_moment_later_does_not_leak() -> None:
    chance = random.Random(3)  # noqa: S311  # made-up data
    labels = [Label(str(number), 100.0 * number, {"label": chance.random()}) for number in range(1, 200)]
    # Each label is written into its own record right after its time, as a data set that joins by key alone would see.
    leak = [
        Past(label.identifier, label.time + 0.001, label.time, False, {"f": label.values["label"]}) for label in labels
    ]
    clean = [Past(label.identifier, label.time - 5, label.time - 4, False, {"f": "before"}) for label in labels]

    rows = list(history.as_of(labels, [*leak, *clean], ["f"]))

    assert {row["f"] for row in rows} == {"before"}


def of_sql(query: str, labels: list[Label], records: list[Past]) -> list[Any]:
    """Run a query where Athena's functions and tables are made of what sqlite has."""
    with sqlite3.connect(":memory:") as athena:
        athena.create_function("from_unixtime", 1, lambda seconds: seconds)
        athena.execute("CREATE TABLE asked (record_id TEXT, at REAL, label INT)")
        athena.execute(
            "CREATE TABLE shells (record_id TEXT, record_time REAL, write_time REAL, is_deleted BOOLEAN, length REAL)"
        )
        athena.executemany("INSERT INTO asked VALUES (?, ?, ?)", [(one.identifier, one.time, 1) for one in labels])
        athena.executemany(
            "INSERT INTO shells VALUES (?, ?, ?, ?, ?)",
            [(one.identifier, one.event_time, one.write_time, one.deleted, one.features["length"]) for one in records],
        )
        cursor = athena.execute(query)
        column = [name for name, *_ in cursor.description].index("length")
        return [row[column] for row in cursor]


@pytest.mark.parametrize("known_then", [False, True])
def test_the_query_for_athena_gives_what_python_gives(known_then: bool) -> None:
    chance = random.Random(5)  # noqa: S311  # the same
    records = [
        Past(chance.choice("abc"), chance.randrange(50), number, chance.random() < 0.2, {"length": number / 7})
        for number in range(80)
    ]
    labels = [Label(chance.choice("abcd"), chance.randrange(60), {"label": 1}) for _ in range(300)]
    wanted = WantedSet("at", ["length"], known_then)
    query = training_sets.sql(definition(), "shells", "asked", wanted)

    expected = [row["length"] for row in history.as_of(labels, records, ["length"], known_then=known_then)]
    assert of_sql(query, labels, records) == expected
    assert len({value for value in expected if value is not None}) > 10
    assert None in expected


def test_the_query_reads_times_that_are_text_as_such() -> None:
    made = definition(event_time={"name": "t", "as": "iso"})
    query = training_sets.sql(made, "shells", "asked", WantedSet("at", ["length"]))
    assert 'from_iso8601_timestamp(f."t") <= n."at"' in query


@pytest.mark.parametrize("name", ['a"b', "", "a\nb"])
def test_a_name_that_could_be_more_than_a_name_is_no_part_of_a_query(name: str) -> None:
    with pytest.raises(FeaturesError, match="cannot be the name of a table or a column"):
        training_sets.sql(definition(), name, "asked", WantedSet("at", ["length"]))


def test_a_query_for_no_feature_is_refused() -> None:
    with pytest.raises(OperateError, match="name the features with --feature"):
        training_sets.sql(definition(), "shells", "asked", WantedSet("at"))


def test_files_as_athena_exports_them_become_a_training_set(tmp_path: Path) -> None:
    labels, records = tmp_path / "labels.csv", tmp_path / "history.csv"
    labels.write_text("record_id,at,rings\na,2026-11-27T12:00:00Z,7\nb,1795780800,8\nc,2026-11-27,9\n")
    records.write_text(
        "record_id,record_time,length,write_time,is_deleted,year\n"
        "a,1795780799.5,1.5,2026-11-27 12:00:01.000,false,2026\n"
        "a,1795780801,2.5,2026-11-27 12:00:01.000 UTC,false,2026\n"
        "b,1795780800,3.5,2026-11-27 12:00:00.000,true,2026\n"
    )
    count = training_sets.write(definition(), labels, [records], WantedSet("at"), tmp_path / "training.csv")

    assert count == 3
    assert (tmp_path / "training.csv").read_text() == (
        "record_id,at,rings,length\na,2026-11-27T12:00:00Z,7,1.5\nb,1795780800,8,\nc,2026-11-27,9,\n"
    )
    training_sets.write(definition(), labels, [records], WantedSet("at", known_then=True), tmp_path / "training.csv")
    assert "a,2026-11-27T12:00:00Z,7,\n" in (tmp_path / "training.csv").read_text()


@pytest.mark.parametrize(
    ("labels", "records", "told"),
    [
        ("id,at\na,1\n", "record_id,record_time\n", r"labels.csv has no column record_id: it has id, at"),
        ("record_id,at\na,noon\n", "record_id,record_time\n", r"labels.csv, line 2: at is 'noon', wants seconds"),
        ("record_id,at\na,1\n", "record_id,f\n", r"history.csv has no column record_time"),
        (
            "record_id,at\na,1\n",
            "record_id,record_time,is_deleted\na,1,no\n",
            r"history.csv, line 2: is_deleted is 'no'",
        ),
        ("record_id,at\na,1\n", "record_id,record_time\na,1,2\n", r"history.csv, line 2: the row has 3 cells, not 2"),
        ("record_id,at,f\na,1,2\n", "record_id,record_time,f\na,1,2\n", r"f is a column of the labels and a feature"),
    ],
)
def test_a_file_that_is_no_label_or_history_is_named_with_its_line(
    tmp_path: Path, labels: str, records: str, told: str
) -> None:
    (tmp_path / "labels.csv").write_text(labels)
    (tmp_path / "history.csv").write_text(records)
    with pytest.raises(FeaturesError, match=told):
        training_sets.write(
            definition(), tmp_path / "labels.csv", [tmp_path / "history.csv"], WantedSet("at"), tmp_path / "t.csv"
        )


def test_without_a_history_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OperateError, match="give the feature group's history with --records"):
        training_sets.write(definition(), tmp_path / "l.csv", [], WantedSet("at"), tmp_path / "t.csv")


def test_records_of_a_run_are_a_history(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text("source_file,source_line,record_id,record_time,length\na.csv,2,a,5.5,1.5\n")
    assert history_files.features(tmp_path / "records.csv", ("record_id", "record_time")) == ["length"]
    (found,) = history_files.past(tmp_path / "records.csv", "record_id", "record_time")
    assert (found.event_time, found.write_time, found.deleted, found.features["length"]) == (5.5, 5.5, False, "1.5")
