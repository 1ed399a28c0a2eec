"""The Glue table of an offline store is there as Feature Store makes it, and follows the group."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.sagemaker_local.support.service import ROLE, SageMaker, refusal

from sagemaker_local.core.errors import ApiError

STORE: dict[str, Any] = {"S3StorageConfig": {"S3Uri": "s3://f/x/"}}
OWN = {"TableName": "shells", "Catalog": "AwsDataCatalog", "Database": "own"}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service without groups."""
    return SageMaker(tmp_path)


def create(sagemaker: SageMaker, **offline: Any) -> dict[str, Any]:
    """Make the group and return its offline store as described."""
    kinds = {"id": "String", "at": "Fractional", "Rings": "Integral"}
    sagemaker.call(
        "CreateFeatureGroup",
        FeatureGroupName="Sea-shells",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": kind} for name, kind in kinds.items()],
        OfflineStoreConfig={**STORE, **offline},
        RoleArn=ROLE,
    )
    described = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="Sea-shells")
    return dict(described["OfflineStoreConfig"])


def add(sagemaker: SageMaker, name: str, kind: str = "Fractional", **more: Any) -> None:
    added = [{"FeatureName": name, "FeatureType": kind}]
    sagemaker.call("UpdateFeatureGroup", FeatureGroupName="Sea-shells", FeatureAdditions=added, **more)


def test_a_group_with_an_offline_store_gets_a_table_over_its_files(sagemaker: SageMaker) -> None:
    offline = create(sagemaker)

    names = offline["DataCatalogConfig"]
    assert (names["Catalog"], names["Database"]) == ("AwsDataCatalog", "sagemaker_featurestore")
    assert names["TableName"].rpartition("_")[0] == "sea_shells"
    assert names["TableName"].rpartition("_")[2] in offline["S3StorageConfig"]["ResolvedOutputS3Uri"]
    table = sagemaker.glue.databases["sagemaker_featurestore"][names["TableName"]]
    assert {one["Name"]: one["Type"] for one in table["StorageDescriptor"]["Columns"]} == {
        "id": "string",
        "at": "double",
        "rings": "bigint",
        "write_time": "timestamp",
        "api_invocation_time": "timestamp",
        "is_deleted": "boolean",
    }
    assert table["StorageDescriptor"]["Location"] == offline["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert [(one["Name"], one["Type"]) for one in table["PartitionKeys"]] == [
        (name, "string") for name in ("year", "month", "day", "hour")
    ]


def test_the_names_that_a_group_gives_are_those_of_its_table(sagemaker: SageMaker) -> None:
    assert create(sagemaker, DataCatalogConfig=OWN)["DataCatalogConfig"] == OWN
    assert list(sagemaker.glue.databases["own"]) == ["shells"]


def test_a_table_that_is_there_is_not_taken_and_no_group_is_left(sagemaker: SageMaker) -> None:
    sagemaker.glue.databases["own"] = {"shells": {"Name": "shells"}}

    told = refusal(lambda: create(sagemaker, DataCatalogConfig=OWN))

    assert "Glue table shells of database own exists already" in told
    assert sagemaker.glue.databases["own"] == {"shells": {"Name": "shells"}}
    assert sagemaker.call("ListFeatureGroups")["FeatureGroupSummaries"] == []


def test_a_table_in_another_catalog_is_refused(sagemaker: SageMaker) -> None:
    told = refusal(lambda: create(sagemaker, DataCatalogConfig={**OWN, "Catalog": "hive"}))
    assert "DataCatalogConfig.Catalog hive is not here: name AwsDataCatalog" in told


@pytest.mark.parametrize("names", [None, OWN])
def test_no_table_is_made_where_none_is_wanted(sagemaker: SageMaker, names: dict[str, str] | None) -> None:
    given = {"DataCatalogConfig": names} if names else {}

    offline = create(sagemaker, DisableGlueTableCreation=True, **given)

    assert offline.get("DataCatalogConfig") == names
    add(sagemaker, "weight")
    assert sagemaker.glue.databases == {}


@pytest.mark.parametrize("action", ["glue:CreateTable", "glue:CreateDatabase"])
def test_who_may_not_make_the_table_makes_no_group(sagemaker: SageMaker, action: str) -> None:
    sagemaker.access.forbidden.add((action, "*"))

    with pytest.raises(ApiError, match=action):
        create(sagemaker)

    assert sagemaker.call("ListFeatureGroups")["FeatureGroupSummaries"] == []
    sagemaker.access.forbidden.clear()
    create(sagemaker)


def test_a_database_that_is_there_needs_no_right_to_make_one(sagemaker: SageMaker) -> None:
    sagemaker.glue.databases["sagemaker_featurestore"] = {}
    sagemaker.access.forbidden.add(("glue:CreateDatabase", "*"))
    assert create(sagemaker)["DataCatalogConfig"]["Database"] == "sagemaker_featurestore"


def test_iceberg_is_refused_by_name(sagemaker: SageMaker) -> None:
    told = refusal(lambda: create(sagemaker, TableFormat="Iceberg"))
    assert "TableFormat Iceberg" in told.replace("=", " ")


def test_a_feature_that_is_added_is_a_column_of_the_table_and_may_be_written(sagemaker: SageMaker) -> None:
    table = create(sagemaker)["DataCatalogConfig"]["TableName"]

    add(sagemaker, "Weight")

    described = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="Sea-shells")
    assert described["FeatureDefinitions"][-1] == {"FeatureName": "Weight", "FeatureType": "Fractional"}
    assert described["LastUpdateStatus"] == {"Status": "Successful"}
    columns = sagemaker.glue.databases["sagemaker_featurestore"][table]["StorageDescriptor"]["Columns"]
    assert {"Name": "weight", "Type": "double"} in columns
    record = [{"FeatureName": name, "ValueAsString": "1"} for name in ("id", "at", "Weight")]
    sagemaker.rest("PUT", "/FeatureGroup/Sea-shells", json.dumps({"Record": record}).encode())
    (file,) = sagemaker.access.s3.uris("s3://f/")
    assert pq.read_table(io.BytesIO(sagemaker.access.s3.get(file))).to_pylist()[0]["Weight"] == 1.0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("id", "has the features ['id'] already"), ("write_time", "['write_time'] are reserved")],
)
def test_a_feature_that_cannot_be_added_changes_nothing(sagemaker: SageMaker, name: str, sentence: str) -> None:
    create(sagemaker)
    assert sentence in refusal(lambda: add(sagemaker, name))
    assert len(sagemaker.call("DescribeFeatureGroup", FeatureGroupName="Sea-shells")["FeatureDefinitions"]) == 3


def test_what_else_could_be_changed_of_a_group_is_refused_by_name(sagemaker: SageMaker) -> None:
    create(sagemaker)
    told = refusal(lambda: add(sagemaker, "weight", ThroughputConfig={"ThroughputMode": "OnDemand"}))
    assert "ThroughputConfig is not emulated here" in told


def test_records_of_a_group_without_an_online_store_cannot_expire(sagemaker: SageMaker) -> None:
    create(sagemaker)
    lasting = {"TtlDuration": {"Unit": "Days", "Value": 1}}
    assert "has no online store" in refusal(lambda: add(sagemaker, "weight", OnlineStoreConfig=lasting))


def test_a_group_whose_table_is_gone_is_not_changed(sagemaker: SageMaker) -> None:
    create(sagemaker)
    sagemaker.glue.databases.clear()
    assert "Glue table sea_shells_" in refusal(lambda: add(sagemaker, "weight"))
    assert len(sagemaker.call("DescribeFeatureGroup", FeatureGroupName="Sea-shells")["FeatureDefinitions"]) == 3
