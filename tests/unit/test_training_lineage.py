"""What a run knows of where its model comes from."""

import json
from typing import Any

import pytest
from tests.support.objects import RememberedObjects
from tests.support.training import ARN, DATA, HOME, IMAGE_INPUT, PACKAGE, ports, question

from signalbox.contracts.training import Lineage
from signalbox.training.model import InvalidRequestError
from signalbox.training.overlap import MOST_BYTES
from signalbox.training.planning import plan

MANIFEST = "s3://artifacts-bucket/manifests/signalbox-abalone/signalbox-abalone-000012-20260301T100000Z.json"
# Where versions before projects wrote it.
EARLIER = MANIFEST.replace("manifests/signalbox-abalone/", "manifests/")
KEYS = [f"incoming/{name}.csv" for name in "abcdefg"]
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"


def lineage(manifest_text: str = "", generated_by: str = PIPELINE, people: str = "", **properties: str) -> Lineage:
    package: dict[str, Any] = PACKAGE | {
        "CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"] | properties,
        "MetadataProperties": {"GeneratedBy": generated_by},
    }
    manifest = properties.get("manifest", MANIFEST)
    kept = {manifest: manifest_text, manifest.replace(".json", ".uploaders.json"): people}
    data = DATA | {uri: text for uri, text in kept.items() if text}
    return plan(question({"package": ARN}), ports(package, data))["evaluation"]["lineage"]


def listed(keys: list[str]) -> str:
    quoted = ", ".join(f'"{key}"' for key in keys)
    return f'[{{"prefix": "s3://data-bucket/"}}, {quoted}]'


@pytest.mark.parametrize("manifest", [MANIFEST, EARLIER])
def test_a_package_of_a_pipeline_run_has_its_run_its_files_and_its_threshold(manifest: str) -> None:
    assert lineage(listed(KEYS), manifest=manifest, threshold="MSE at most 6.0") == {
        "run": "signalbox-abalone-000012-20260301T100000Z",
        "files": KEYS[:5],
        "file_count": 7,
        "threshold": "MSE at most 6.0",
    }


def test_the_names_of_columns_have_blanks_where_the_package_has_underscores() -> None:
    assert lineage(generated_by="", columns="Sex Whole_weight") == {"columns": ["Sex", "Whole weight"]}


def test_a_package_that_names_no_manifest_has_the_execution_of_its_pipeline() -> None:
    assert lineage() == {"run": "signalbox-abalone/p4jn9xou8a8s"}


def test_a_package_that_was_registered_by_hand_has_no_lineage() -> None:
    assert lineage(generated_by="") == {}


@pytest.mark.parametrize("text", ["", "no json", '{"a": 1}', "[]"])
def test_a_manifest_that_says_nothing_any_more_leaves_the_files_out_and_stops_no_run(text: str) -> None:
    assert lineage(text, manifest=MANIFEST) == {"run": "signalbox-abalone-000012-20260301T100000Z"}


def test_who_uploaded_the_files_is_read_beside_the_manifest() -> None:
    people = {"names": [f"user/{letter}" for letter in "abcdefg"], "count": 9, "unknown": 1}
    found = lineage(listed(KEYS), people=json.dumps(people), manifest=MANIFEST)
    assert found["uploaders"] == people | {"names": people["names"][:5]}  # type: ignore[index]


@pytest.mark.parametrize("text", ["no json", "[]", '{"names": "a"}', '{"names": ["a"], "count": "1", "unknown": 0}'])
def test_what_does_not_say_who_uploaded_leaves_it_out_and_stops_no_run(text: str) -> None:
    assert "uploaders" not in lineage(listed(KEYS), people=text, manifest=MANIFEST)


@pytest.mark.parametrize("user", ["user/ann", "user/r&d (2)!/" + "x" * 400 + "/ann"])
def test_who_asks_for_an_image_is_named_and_who_registered_a_package_too(user: str) -> None:
    ann = f"arn:aws:iam::123456789012:{user}"
    made = plan(question({**IMAGE_INPUT, "started_by": ann}), ports(data=DATA))["evaluation"]
    assert (made["lineage"]["started_by"], made["registered_by"]) == (ann, "")
    package = PACKAGE | {"CreatedBy": {"IamIdentity": {"Arn": ann}}}
    assert plan(question({"package": ARN}), ports(package, DATA))["evaluation"]["registered_by"] == ann


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"started_by .* who asks for it, as an ARN"):
        plan(question({**IMAGE_INPUT, "started_by": "ann\nApproved: yes"}), ports(data=DATA))


def test_a_manifest_of_another_place_is_not_read() -> None:
    objects = RememberedObjects({})
    assert lineage(manifest="s3://artifacts-bucket/evaluations/run-1/golden.json", generated_by="") == {}
    assert not objects.texts


def test_a_package_says_how_many_rows_it_was_trained_on() -> None:
    assert lineage(generated_by="", **{"train-rows": "2934"}) == {"train_rows": 2934}


@pytest.mark.parametrize("stated", ["many", "2_934", "-1", "0", "29.5", "\u0662", "nan", "inf"])
def test_what_is_no_number_of_rows_counts_as_not_said(stated: str) -> None:
    assert lineage(generated_by="", **{"train-rows": stated}) == {}


def of_an_image(*files: str) -> Lineage:
    named = {f"{HOME}/train/{number}.csv": text for number, text in enumerate(files)}
    return plan(question(IMAGE_INPUT), ports(data=DATA | named))["evaluation"]["lineage"]


def test_an_image_has_the_place_and_the_number_of_its_training_rows() -> None:
    assert of_an_image("1,M\n\n2,F\n", "3,I") == {"train_data": f"{HOME}/train/", "train_rows": 4}


def test_a_row_with_a_line_break_in_a_cell_is_one_row() -> None:
    assert of_an_image('1,"two\nlines, and a "" in them\n"\n2,F\n')["train_rows"] == 3


def test_training_data_that_are_too_large_to_be_read_are_not_counted() -> None:
    assert of_an_image("1,M\n" * (MOST_BYTES // 4 + 1)) == {"train_data": f"{HOME}/train/"}


RUNS = "s3://artifacts-bucket/pipelines/abalone"
REPORT = f"{RUNS}/abalone/runs/p4jn9xou8a8s/quarantine/quarantine.json"


def unused(report: str, place: str = REPORT) -> Lineage:
    package = PACKAGE | {
        "CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"] | {"quarantine": place},
        "MetadataProperties": {"GeneratedBy": ""},
    }
    return plan(question({"package": ARN}), ports(package, DATA | {place: report}))["evaluation"]["lineage"]


def reported(count: int, more: int = 0) -> str:
    fault = {"line": 3, "reason": "Height is 'tall'"}
    files = [{"file": f"incoming/{number:02d}.csv", "kind": "bad", "faults": [fault]} for number in range(count)]
    return json.dumps({"quarantined": files, "more": more})


def test_files_that_its_run_did_not_use_are_told_with_the_first_twenty_and_counted() -> None:
    found = unused(reported(22, more=3))
    assert found["unused"][0] == "incoming/00.csv, line 3: Height is 'tall'"
    assert (len(found["unused"]), found["unused_count"]) == (20, 25)


@pytest.mark.parametrize("report", ["", "no json", "{}", reported(0)])
def test_a_report_that_names_no_file_leaves_them_out_and_stops_no_run(report: str) -> None:
    assert unused(report) == {}


def test_the_features_of_its_run_are_told_with_the_place_of_their_report() -> None:
    place = REPORT.replace("/quarantine/", "/features/")
    told = json.loads(reported(1)) | {"features": "1 files, 9 rows: 8 records"}
    stated = PACKAGE["CustomerMetadataProperties"] | {"features": place}
    package = PACKAGE | {"CustomerMetadataProperties": stated, "MetadataProperties": {"GeneratedBy": ""}}
    found = plan(question({"package": ARN}), ports(package, DATA | {place: json.dumps(told)}))["evaluation"]["lineage"]
    assert (found["features"], found["unused_count"]) == ("1 files, 9 rows: 8 records", 1)
    assert found["features_report"] == place.replace("quarantine.json", "report.html")


def test_a_report_where_another_projects_jobs_write_is_not_read() -> None:
    assert unused(reported(1), REPORT.replace("pipelines/abalone/", "pipelines/abalone-2/")) == {}
