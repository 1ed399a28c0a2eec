"""The Feature Store: what a group may be, the newest record online, every record offline, batches and deletions."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.sagemaker_local.support.service import PREFIX, ROLE, SageMaker, refusal

from sagemaker_local.sagemaker import offline as offline_files
from sagemaker_local.sagemaker.features import moment

KINDS = {"id": "String", "at": "Fractional", "rings": "Integral", "weight": "Fractional"}
BOTH = {
    "OnlineStoreConfig": {"EnableOnlineStore": True},
    "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://f/x/"}},
}


def group(**more: Any) -> dict[str, Any]:
    kinds = more.pop("kinds", KINDS)
    request = {
        "FeatureGroupName": "g",
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [{"FeatureName": name, "FeatureType": kind} for name, kind in kinds.items()],
        "RoleArn": ROLE,
        **BOTH,
        **more,
    }
    return {key: value for key, value in request.items() if value is not None}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with a group `g` that has both stores."""
    made = SageMaker(tmp_path)
    made.call("CreateFeatureGroup", **group())
    return made


def record(**values: Any) -> list[dict[str, Any]]:
    return [{"FeatureName": name, "ValueAsString": str(value)} for name, value in values.items()]


def put(sagemaker: SageMaker, name: str = "g", targets: list[str] | None = None, **values: Any) -> None:
    body = {"Record": record(**values), **({"TargetStores": targets} if targets else {})}
    sagemaker.rest("PUT", f"/FeatureGroup/{name}", json.dumps(body).encode())


def get(sagemaker: SageMaker, identifier: str, name: str = "g", **more: str) -> dict[str, str]:
    answer = sagemaker.rest("GET", f"/FeatureGroup/{name}", b"", RecordIdentifierValueAsString=identifier, **more)
    return {item["FeatureName"]: item["ValueAsString"] for item in answer.get("Record", [])}


def delete(sagemaker: SageMaker, identifier: str, at: str, **more: str) -> None:
    sagemaker.rest("DELETE", "/FeatureGroup/g", b"", RecordIdentifierValueAsString=identifier, EventTime=at, **more)


def offline(sagemaker: SageMaker) -> list[dict[str, Any]]:
    s3 = sagemaker.access.s3
    return [row for uri in s3.uris("s3://f/") for row in pq.read_table(io.BytesIO(s3.get(uri))).to_pylist()]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"RecordIdentifierFeatureName": "none"}, "RecordIdentifierFeatureName 'none' is not among"),
        ({"EventTimeFeatureName": "rings"}, "has to be Fractional (epoch seconds) or String"),
        ({"kinds": {**KINDS, "write_time": "String"}}, "['write_time'] are reserved"),
        ({"FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}] * 2}, "name a feature twice"),
        ({"RoleArn": None}, "RoleArn is required"),
        ({"OnlineStoreConfig": None, "OfflineStoreConfig": None}, "an online store, an offline store, or both"),
    ],
)
def test_a_group_that_could_not_work_is_refused(sagemaker: SageMaker, change: Any, sentence: str) -> None:
    refused = sagemaker.refused("CreateFeatureGroup", **group(FeatureGroupName="h", **change))
    assert refused.startswith("ValidationException")
    assert sentence in refused


def test_a_group_with_an_offline_store_is_refused_where_nothing_can_write_its_files(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_files, "find_spec", lambda _: None)
    refused = refusal(lambda: sagemaker.call("CreateFeatureGroup", **group(FeatureGroupName="h")))
    assert refused.startswith("ValidationException: An offline store needs the Python package pyarrow")
    sagemaker.call("CreateFeatureGroup", **group(FeatureGroupName="h", OfflineStoreConfig=None))


def test_a_group_is_described_listed_told_and_deleted(sagemaker: SageMaker) -> None:
    found = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="g")
    assert (found["FeatureGroupStatus"], found["OfflineStoreStatus"]) == ("Created", {"Status": "Active"})
    place = found["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert place.startswith("s3://f/x/123456789012/sagemaker/us-east-1/offline-store/g-")
    assert sagemaker.events.details("Feature Group")[0]["FeatureGroupStatus"] == "Active"
    assert sagemaker.call("ListFeatureGroups", FeatureGroupStatusEquals="Created")["FeatureGroupSummaries"]
    assert sagemaker.refused("CreateFeatureGroup", **group()).startswith("ResourceInUse")

    put(sagemaker, id="a", at=1)
    sagemaker.call("DeleteFeatureGroup", FeatureGroupName="g")
    assert sagemaker.refused("DescribeFeatureGroup", FeatureGroupName="g").startswith("ResourceNotFound")
    sagemaker.call("CreateFeatureGroup", **group())
    assert get(sagemaker, "a") == {}


def test_the_greatest_event_time_is_kept_online_and_everything_offline(sagemaker: SageMaker) -> None:
    for at, rings in ((200, 9), (100, 8), (200, 10)):
        put(sagemaker, id="a", at=at, rings=rings)

    assert get(sagemaker, "a") == {"id": "a", "at": "200", "rings": "10"}
    assert get(sagemaker, "a", f"{PREFIX}feature-group/g", FeatureName="rings,none") == {"rings": "10"}
    rows = offline(sagemaker)
    assert sorted(row["rings"] for row in rows) == [8, 9, 10]
    assert {(row["weight"], row["is_deleted"]) for row in rows} == {(None, False)}
    assert all(
        "/data/year=1970/month=01/day=01/hour=00/19700101T000" in uri for uri in sagemaker.access.s3.uris("s3://f/")
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"id": "a"}, "no value for at"),
        ({"at": 1}, "no value for id"),
        ({"id": "a", "at": 1, "other": 1}, "feature other is not in the feature group g"),
        ({"id": "a", "at": 1, "rings": "1.5"}, "'1.5' of feature rings is not Integral"),
        ({"id": "a", "at": 1, "weight": "heavy"}, "is not Fractional"),
        ({"id": "a", "at": "yesterday"}, "is not Fractional"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_and_not_written(
    sagemaker: SageMaker, values: dict[str, Any], sentence: str
) -> None:
    refused = refusal(lambda: put(sagemaker, **values))
    assert refused.startswith("ValidationError")
    assert sentence in refused
    assert offline(sagemaker) == []


def test_a_feature_that_is_named_twice_is_refused(sagemaker: SageMaker) -> None:
    body = json.dumps({"Record": record(id="a", at=1) * 2}).encode()
    assert "named twice" in refusal(lambda: sagemaker.rest("PUT", "/FeatureGroup/g", body))


def test_a_record_goes_to_the_stores_that_are_asked_for_and_there(sagemaker: SageMaker) -> None:
    put(sagemaker, targets=["OfflineStore"], id="off", at=1)
    put(sagemaker, targets=["OnlineStore"], id="on", at=1)
    assert (get(sagemaker, "off"), get(sagemaker, "on")["id"], len(offline(sagemaker))) == ({}, "on", 1)

    sagemaker.call("CreateFeatureGroup", **group(FeatureGroupName="only-offline", OnlineStoreConfig=None))
    put(sagemaker, "only-offline", id="a", at=1)
    assert "has no online store" in refusal(lambda: get(sagemaker, "a", "only-offline"))
    assert "has no OnlineStore" in refusal(lambda: put(sagemaker, "only-offline", ["OnlineStore"], id="a", at=1))
    online = {"FeatureGroupName": "only-online", "OfflineStoreConfig": None, "RoleArn": None}
    sagemaker.call("CreateFeatureGroup", **group(**online))
    put(sagemaker, "only-online", id="a", at=1)
    assert len(offline(sagemaker)) == 2


def test_a_softly_deleted_record_comes_back_with_a_later_one(sagemaker: SageMaker) -> None:
    put(sagemaker, id="a", at=100, rings=1)
    delete(sagemaker, "a", "50")
    assert get(sagemaker, "a")["rings"] == "1"
    delete(sagemaker, "a", "150")
    assert get(sagemaker, "a") == {}
    put(sagemaker, id="a", at=120, rings=2)
    assert get(sagemaker, "a") == {}
    put(sagemaker, id="a", at=200, rings=3)
    assert get(sagemaker, "a")["rings"] == "3"
    assert [row["is_deleted"] for row in offline(sagemaker)].count(True) == 2


def test_a_hard_deletion_forgets_even_the_time(sagemaker: SageMaker) -> None:
    put(sagemaker, id="a", at=100, rings=1)
    delete(sagemaker, "a", "150", DeletionMode="HardDelete", TargetStores="OnlineStore")
    put(sagemaker, id="a", at=120, rings=2)
    assert get(sagemaker, "a")["rings"] == "2"
    assert len(offline(sagemaker)) == 2
    delete(sagemaker, "a", "150", TargetStores="OfflineStore")
    assert get(sagemaker, "a")["rings"] == "2"
    assert "is not an event time" in refusal(lambda: delete(sagemaker, "a", "2026-11-20T10:00:00Z"))


def test_a_batch_writes_the_good_records_and_answers_for_the_others(sagemaker: SageMaker) -> None:
    entries = [
        {"FeatureGroupName": "g", "Record": record(id="a", at=1)},
        {"FeatureGroupName": "g", "Record": record(id="b")},
        {"FeatureGroupName": "none", "Record": record(id="c", at=1)},
    ]
    errors = sagemaker.rest("POST", "/BatchWriteRecord", json.dumps({"Entries": entries}).encode())["Errors"]
    assert [(item["Entry"], item["ErrorCode"]) for item in errors] == [
        (entries[1], "ValidationError"),
        (entries[2], "ResourceNotFound"),
    ]
    assert get(sagemaker, "a")


def test_a_batch_reads_what_there_is_and_answers_for_unknown_groups(sagemaker: SageMaker) -> None:
    put(sagemaker, id="a", at=1, rings=5)
    wanted = [
        {"FeatureGroupName": "g", "RecordIdentifiersValueAsString": ["a", "z"], "FeatureNames": ["rings"]},
        {"FeatureGroupName": "none", "RecordIdentifiersValueAsString": ["a"]},
    ]
    answer = sagemaker.rest("POST", "/BatchGetRecord", json.dumps({"Identifiers": wanted}).encode())
    (found,) = answer["Records"]
    assert (found["RecordIdentifierValueAsString"], found["Record"]) == ("a", record(rings=5))
    assert [error["ErrorCode"] for error in answer["Errors"]] == ["ResourceNotFound"]
    assert ("sagemaker:BatchGetRecord", f"{PREFIX}feature-group/none") in sagemaker.access.asked


def test_records_of_a_batch_share_a_file_of_the_offline_store_for_each_hour(sagemaker: SageMaker) -> None:
    entries = [{"FeatureGroupName": "g", "Record": record(id=at, at=at)} for at in (1, 2, 3601)]
    assert sagemaker.rest("POST", "/BatchWriteRecord", json.dumps({"Entries": entries}).encode())["Errors"] == []
    assert len(list(sagemaker.access.s3.uris("s3://f/"))) == 2
    assert sorted(row["id"] for row in offline(sagemaker)) == ["1", "2", "3601"]


def test_a_group_takes_further_features_and_none_that_it_has(sagemaker: SageMaker) -> None:
    put(sagemaker, id="a", at=1, rings=5)
    further = [{"FeatureName": "height", "FeatureType": "Fractional"}]
    sagemaker.call("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=further)
    put(sagemaker, id="b", at=2, height="0.1")

    found = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="g")
    assert (found["FeatureDefinitions"][-1], found["LastUpdateStatus"]) == (further[0], {"Status": "Successful"})
    assert get(sagemaker, "b")["height"] == "0.1"
    assert [row.get("height") for row in sorted(offline(sagemaker), key=lambda row: row["id"])] == [None, 0.1]
    refused = sagemaker.refused("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=further)
    assert "has the features ['height'] already" in refused
    assert sagemaker.refused("UpdateFeatureGroup", FeatureGroupName="none").startswith("ResourceNotFound")


def lasting(seconds: int) -> dict[str, Any]:
    return {"TtlDuration": {"Unit": "Seconds", "Value": seconds}}


@pytest.mark.parametrize("own", ["group", "record", "entry", "batch"])
def test_a_record_expires_at_its_event_time_and_its_duration_and_is_found_by_nobody_then(
    sagemaker: SageMaker, own: str
) -> None:
    now = int(sagemaker.cloud.clock().timestamp())
    sagemaker.call("UpdateFeatureGroup", FeatureGroupName="g", OnlineStoreConfig=lasting(5 if own == "group" else 90))
    for identifier, at in (("old", now - 60), ("new", now)):
        entry = {"FeatureGroupName": "g", "Record": record(id=identifier, at=at)}
        if own in ("group", "record"):
            body = {"Record": entry["Record"], **(lasting(30) if own == "record" else {})}
            sagemaker.rest("PUT", "/FeatureGroup/g", json.dumps(body).encode())
        else:
            batch = {"Entries": [{**entry, **(lasting(30) if own == "entry" else {})}]}
            of_all = lasting(30) if own == "batch" else lasting(1)
            sagemaker.rest("POST", "/BatchWriteRecord", json.dumps({**batch, **of_all}).encode())
    assert get(sagemaker, "old") == {}
    if own != "group":
        asked = {"RecordIdentifierValueAsString": "new", "ExpirationTimeResponse": "Enabled"}
        expires = sagemaker.rest("GET", "/FeatureGroup/g", b"", **asked)["ExpiresAt"]
        assert datetime.fromisoformat(expires).timestamp() == now + 30
    assert {row["id"] for row in offline(sagemaker)} == {"old", "new"}


def test_when_a_record_expires_is_told_only_where_it_is_asked_and_it_does(sagemaker: SageMaker) -> None:
    put(sagemaker, id="a", at=1)
    asked = {"RecordIdentifierValueAsString": "a", "ExpirationTimeResponse": "Enabled"}
    assert "ExpiresAt" not in sagemaker.rest("GET", "/FeatureGroup/g", b"", **asked)
    now = int(sagemaker.cloud.clock().timestamp())
    body = {"Record": record(id="a", at=now), **lasting(900)}
    sagemaker.rest("PUT", "/FeatureGroup/g", json.dumps(body).encode())
    assert "ExpiresAt" not in sagemaker.rest("GET", "/FeatureGroup/g", b"", RecordIdentifierValueAsString="a")
    wanted = {"Identifiers": [{"FeatureGroupName": "g", "RecordIdentifiersValueAsString": ["a"]}]}
    many = sagemaker.rest(
        "POST", "/BatchGetRecord", json.dumps({**wanted, "ExpirationTimeResponse": "Enabled"}).encode()
    )
    assert many["Records"][0]["ExpiresAt"] == sagemaker.rest("GET", "/FeatureGroup/g", b"", **asked)["ExpiresAt"]


def test_a_missing_group_is_not_found(sagemaker: SageMaker) -> None:
    assert refusal(lambda: get(sagemaker, "a", "none")).startswith("ResourceNotFound")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1763640000", None),
        ("2025-11-20T12:00:00Z", None),
        ("2025-11-20T12:00:00.000Z", "String"),
        ("1.763640e9", "Fractional"),
    ],
)
def test_event_times_are_epoch_seconds_or_iso(value: str, kind: str | None) -> None:
    assert moment(value, kind).isoformat() == "2025-11-20T12:00:00+00:00"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2025-11-20", None),
        ("2025-11-20T12:00:00", None),
        ("2025-13-20T12:00:00Z", None),
        ("1e30", None),
        ("nan", None),
        ("soon", None),
        ("1763640000", "String"),
        ("2025-11-20T12:00:00Z", "Fractional"),
    ],
)
def test_other_event_times_are_refused(value: str, kind: str | None) -> None:
    assert "is not an event time" in refusal(lambda: moment(value, kind))
