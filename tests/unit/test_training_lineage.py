"""What a run knows of where its model comes from."""

from typing import Any

import pytest
from tests.support.objects import RememberedObjects
from tests.support.training import ARN, DATA, HOME, IMAGE_INPUT, PACKAGE, ports, question

from signalbox.contracts.training import Lineage
from signalbox.training.planning import plan

MANIFEST = "s3://artifacts-bucket/manifests/signalbox-abalone-000012-20260301T100000Z.json"
KEYS = [f"incoming/{name}.csv" for name in "abcdefg"]
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"


def lineage(manifest_text: str = "", generated_by: str = PIPELINE, **properties: str) -> Lineage:
    package: dict[str, Any] = PACKAGE | {
        "CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"] | properties,
        "MetadataProperties": {"GeneratedBy": generated_by},
    }
    data = DATA | ({MANIFEST: manifest_text} if manifest_text else {})
    return plan(question({"package": ARN}), ports(package, data))["evaluation"]["lineage"]


def listed(keys: list[str]) -> str:
    quoted = ", ".join(f'"{key}"' for key in keys)
    return f'[{{"prefix": "s3://data-bucket/"}}, {quoted}]'


def test_a_package_of_a_pipeline_run_has_its_run_its_files_and_its_threshold() -> None:
    assert lineage(listed(KEYS), manifest=MANIFEST, threshold="MSE at most 6.0") == {
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


def test_a_manifest_of_another_place_is_not_read() -> None:
    objects = RememberedObjects({})
    assert lineage(manifest="s3://artifacts-bucket/evaluations/run-1/golden.json", generated_by="") == {}
    assert not objects.texts


def test_an_image_has_the_place_of_its_training_data() -> None:
    assert plan(question(IMAGE_INPUT), ports())["evaluation"]["lineage"] == {"train_data": f"{HOME}/train/"}
