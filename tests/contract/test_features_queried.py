"""A training set of the offline store, by Athena on the local cloud, is what Python makes of the same history."""

import random
from pathlib import Path
from typing import Any

import pytest

from signalbox_features import history, history_files
from signalbox_features.history import Past
from signalbox_operate.features import queries, training_sets
from signalbox_operate.features.queries import QueryDesk
from signalbox_operate.features.training_sets import WantedSet
from tests.contract.world import World, allow, name
from tests.support.features import definition

NOW = 1_795_780_800.0


class Store:
    """A feature group on the cloud, and what was written into it."""

    def __init__(self, cloud: World) -> None:
        self.group, self.bucket, self.cloud = name("shells"), cloud.bucket(), cloud
        kinds = {"record_id": "String", "record_time": "Fractional", "length": "Fractional"}
        cloud.client("sagemaker").create_feature_group(
            FeatureGroupName=self.group,
            RecordIdentifierFeatureName="record_id",
            EventTimeFeatureName="record_time",
            FeatureDefinitions=[{"FeatureName": one, "FeatureType": kind} for one, kind in kinds.items()],
            OnlineStoreConfig={"EnableOnlineStore": True},
            OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{self.bucket}/f"}},
            RoleArn=cloud.role(allow("s3:*")),
        )
        self.records = cloud.client("sagemaker-featurestore-runtime")
        self.past: list[Past] = []

    def put(self, identifier: str, at: float, length: float) -> None:
        """Write a record."""
        values = {"record_id": identifier, "record_time": repr(at), "length": repr(length)}
        record = [{"FeatureName": one, "ValueAsString": value} for one, value in values.items()]
        self.records.put_record(FeatureGroupName=self.group, Record=record)
        self.past.append(Past(identifier, at, float(len(self.past)), False, {"length": length}))

    def delete(self, identifier: str, at: float) -> None:
        """Delete a record softly."""
        self.records.delete_record(
            FeatureGroupName=self.group, RecordIdentifierValueAsString=identifier, EventTime=repr(at)
        )
        self.past.append(Past(identifier, at, float(len(self.past)), True, {}))

    @property
    def desk(self) -> QueryDesk:
        """Return where the store is asked."""
        return QueryDesk(
            self.cloud.client("athena"), self.cloud.client("s3"), f"s3://{self.bucket}/queries/", pause=lambda _: None
        )


@pytest.fixture(scope="module")
def store(cloud: World) -> Store:
    """A history with corrections, deletions, and for each label what gives it away a moment later."""
    made, chance = Store(cloud), random.Random(7)  # noqa: S311  # made-up data
    for number in range(40):
        identifier, at = f"it's {number % 5}", NOW + chance.randrange(20)
        if number % 9 == 8:
            made.delete(identifier, at)
        else:
            made.put(identifier, at, number / 7)
    for number in range(5):
        made.put(f"it's {number}", NOW + 10.0004, 1000.0)  # the labels are of 10.0, less than a millisecond before
    return made


def labels_of(folder: Path) -> Path:
    file = folder / "labels.csv"
    rows = [
        f"it's {number % 6},{NOW + second!r},{number}" for number in range(6) for second in (0.0, 5.5, 10.0, 10.0005)
    ]
    file.write_text("record_id,at,rings\n" + "\n".join(rows) + "\n")
    return file


def test_a_training_set_by_athena_is_that_by_python_and_nothing_of_later_leaks(store: Store, tmp_path: Path) -> None:
    labels, made = labels_of(tmp_path), definition()
    table = queries.table_of(store.group, store.cloud.client("sagemaker"))

    count = training_sets.ask(made, labels, table, store.desk, WantedSet("at"), tmp_path / "set.csv")

    asked = list(history_files.labels(labels, "record_id", "at"))
    wanted = list(history.as_of(asked, store.past, ["length"]))
    header, *rows = (line.split(",") for line in (tmp_path / "set.csv").read_text().splitlines())
    assert (count, header) == (24, ["record_id", "at", "rings", "length"])
    found = [float(row[3]) if row[3] else None for row in rows]
    assert found == [row["length"] for row in wanted]
    assert {None, 1000.0} <= set(found)
    assert 1000.0 not in [value for value, row in zip(found, rows, strict=True) if float(row[1]) == NOW + 10]


def test_what_was_written_after_the_labels_is_left_out_where_only_what_was_known_counts(
    store: Store, tmp_path: Path
) -> None:
    table = queries.table_of(store.group, store.cloud.client("sagemaker"))
    # The store was written today: after the first label, before the second, which is of the year 5138.
    (tmp_path / "labels.csv").write_text("record_id,at\nb,30\nb,99999999999\n")
    store.put("b", 20.0, 5.0)

    wanted = WantedSet("at", ["length"], known_then=True)
    training_sets.ask(definition(), tmp_path / "labels.csv", table, store.desk, wanted, tmp_path / "set.csv")

    assert (tmp_path / "set.csv").read_text().splitlines()[1:] == ["b,30,", "b,99999999999,5.0"]


def test_a_notebook_asks_the_store_by_the_groups_name(store: Store) -> None:
    class Session:
        """A boto3 session of the cloud, with a stack."""

        def client(self, service: str) -> Any:
            """Return a client, or the stack."""
            return self if service == "cloudformation" else store.cloud.client(service)

        def describe_stacks(self, **_: str) -> dict[str, Any]:
            """Describe a stack with the store's bucket."""
            outputs = [{"OutputKey": "ArtifactsBucket", "OutputValue": store.bucket}]
            return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}

    query = "SELECT record_id, length, is_deleted, write_time FROM {table} ORDER BY write_time"
    frame = queries.query(query, store.group, session=Session())

    assert len(frame) == len(store.past)
    kinds = [str(kind) for kind in frame.dtypes]
    assert kinds[:3] == ["string", "float64", "boolean"]
    assert kinds[3].startswith("datetime64")
    assert int(frame["is_deleted"].sum()) == sum(one.deleted for one in store.past)
    assert frame["length"].max() == 1000.0
