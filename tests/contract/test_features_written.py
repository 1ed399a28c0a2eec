"""The writer of features against the local cloud's Feature Store: what it sends is taken, and is found."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from signalbox_features import fitting, job, outputs
from signalbox_features.model import FeatureDefinition
from signalbox_features.store import FeatureStoreWriter
from tests.sagemaker_local.support.service import ROLE, SageMaker
from tests.support.abalone import lines
from tests.support.botocore_strict import check_request, check_response
from tests.support.features import UPLOADED, abalone, file

ROWS = 60


class Runtime:
    """A client of the feature store's run time, over the local cloud in this process."""

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker = sagemaker

    def batch_write_record(self, **request: Any) -> dict[str, Any]:
        """Write records."""
        check_request("sagemaker-featurestore-runtime", "BatchWriteRecord", request)
        answer: dict[str, Any] = self._sagemaker.rest("POST", "/BatchWriteRecord", json.dumps(request).encode())
        check_response("sagemaker-featurestore-runtime", "BatchWriteRecord", answer)
        return answer


def world(tmp_path: Path, made: FeatureDefinition) -> tuple[SageMaker, fitting.Artefact, Any]:
    """Return a cloud with the feature group of a definition, what was fitted, and the file."""
    sagemaker = SageMaker(tmp_path)
    source = file(tmp_path, "\n".join(lines(ROWS)) + "\n", "abalone.csv")
    artefact = fitting.fit(made, [source])
    kinds = outputs.kinds(made, artefact.features)
    sagemaker.call(
        "CreateFeatureGroup",
        FeatureGroupName="abalone",
        RecordIdentifierFeatureName="record_id",
        EventTimeFeatureName="record_time",
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": kind} for name, kind in kinds.items()],
        OnlineStoreConfig={"EnableOnlineStore": True},
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://f/x/"}},
        RoleArn=ROLE,
    )
    return sagemaker, artefact, source


def offline(sagemaker: SageMaker) -> list[dict[str, Any]]:
    s3 = sagemaker.access.s3
    return [row for uri in s3.uris("s3://f/") for row in pq.read_table(io.BytesIO(s3.get(uri))).to_pylist()]


def test_abalone_lands_in_a_feature_group_online_and_offline_and_again_as_the_same_records(tmp_path: Path) -> None:
    made = abalone()._replace(store="both")
    sagemaker, artefact, source = world(tmp_path, made)
    for attempt in ("first", "second"):
        store = FeatureStoreWriter(Runtime(sagemaker), "abalone", made)
        report = job.apply(made, artefact, [source], tmp_path / attempt, store)
        assert report["written"]["written"] == ROWS

    found = offline(sagemaker)
    assert len(found) == 2 * ROWS
    assert len({(row["record_id"], row["record_time"]) for row in found}) == ROWS
    assert {row["record_time"] for row in found} == {UPLOADED}
    assert {type(found[0][name]) for name in ("rings", "record_id")} == {int}
    row = found[0]
    answer = sagemaker.rest("GET", "/FeatureGroup/abalone", b"", RecordIdentifierValueAsString=str(row["record_id"]))
    online = {item["FeatureName"]: item["ValueAsString"] for item in answer["Record"]}
    assert float(online["length"]) == row["length"]
    assert online["rings"] == str(row["rings"])


def test_records_with_a_time_to_live_are_online_until_it_is_over_and_offline_for_good(tmp_path: Path) -> None:
    made = abalone()._replace(store="both", ttl=("days", 30))
    sagemaker, artefact, source = world(tmp_path, made)
    job.apply(made, artefact, [source], tmp_path / "out", FeatureStoreWriter(Runtime(sagemaker), "abalone", made))
    identifier = str(offline(sagemaker)[0]["record_id"])
    asked = {"RecordIdentifierValueAsString": identifier, "ExpirationTimeResponse": "Enabled"}
    found = sagemaker.rest("GET", "/FeatureGroup/abalone", b"", **asked)
    at = next(float(one["ValueAsString"]) for one in found["Record"] if one["FeatureName"] == "record_time")
    assert datetime.fromisoformat(found["ExpiresAt"]).timestamp() == int(at) + 30 * 86_400

    sagemaker.now += timedelta(days=400)
    assert sagemaker.rest("GET", "/FeatureGroup/abalone", b"", **asked) == {}
    assert len(offline(sagemaker)) == ROWS


@pytest.mark.parametrize("store", ["online", "offline"])
def test_records_go_to_the_store_that_is_named_alone(tmp_path: Path, store: str) -> None:
    made = abalone()._replace(store=store)
    sagemaker, artefact, source = world(tmp_path, made)
    job.apply(made, artefact, [source], tmp_path / "out", FeatureStoreWriter(Runtime(sagemaker), "abalone", made))
    assert len(offline(sagemaker)) == (ROWS if store == "offline" else 0)


def test_a_record_that_the_group_cannot_hold_is_refused_by_itself(tmp_path: Path) -> None:
    made = abalone()
    sagemaker, *_ = world(tmp_path, made)
    writer = FeatureStoreWriter(Runtime(sagemaker), "abalone", made)
    keys = {"record_time": "5"}
    found = writer.write([{**keys, "record_id": "1"}, {**keys, "record_id": "2", "rings": "many"}])
    assert [answer.written for answer in found] == [True, False]
    assert found[1].told.startswith("ValidationError: ")
    assert not found[1].again
