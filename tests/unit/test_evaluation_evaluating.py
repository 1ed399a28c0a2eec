"""Evaluating one batch transform."""

import json
import tracemalloc
from collections.abc import Iterator
from copy import replace
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, check_request
from tests.support.evaluation import (
    CONTENT,
    EXECUTION_ARN,
    GOLDEN,
    NEW,
    REPORT,
    ports,
    predictions,
    question,
)
from tests.support.objects import RememberedObjects

from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.problems import Problem
from signalbox.contracts.training import Evaluated
from signalbox.evaluation.evaluating import evaluate
from signalbox.evaluation.model import EvaluationError

# The container of a package, as the content that was tested has it.
TESTED = {
    "Image": CONTENT["image"],
    "ImageDigest": CONTENT["image"].partition("@")[2],
    "ModelDataUrl": CONTENT["model_data"],
    "ModelDataETag": "etag",
    "Environment": {},
}

REGRESSION = "".join(f"{n % 20 + 1},M,0.{n},{n % 20 + 1.5}\n" for n in range(40))
CLASSES = "setosa,1.0,2.0,setosa\nvirginica,3.0,4.0,virginica\nsetosa,1.0,2.0,<b>&\n"


def evaluated(objects: RememberedObjects, problem: Problem = "regression", columns: int = 3) -> Evaluated:
    return evaluate(question(problem=problem, columns=columns), ports(objects))


def report_in(objects: RememberedObjects) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(objects.texts[REPORT])
    return report


def description(answer: Evaluated) -> str:
    return str(answer["record"]["ModelPackageDescription"])


def test_the_evidence_of_a_package_that_was_approved_meanwhile_is_not_replaced() -> None:
    approved = {
        "ModelPackageArn": NEW,
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {"report": REPORT},
        "AdditionalInferenceSpecifications": [{"Name": "signalbox-0", "Containers": [TESTED]}],
    }
    objects = predictions(a=REGRESSION)
    with pytest.raises(EvaluationError, match="was approved meanwhile, by another test"):
        evaluate(question(NEW), ports(objects, RecordingClient("sagemaker", {"describe_model_package": approved})))
    assert REPORT not in objects.texts


def test_a_regression_is_measured_and_its_evidence_written() -> None:
    objects = predictions(a=REGRESSION)
    answer = evaluated(objects)
    assert answer["report"] == REPORT
    assert description(answer) == "MSE 0.25 ± 0 on 40 test rows; no model was live to compare with."
    report = report_in(objects)
    assert (report["problem"], report["rows"], report["live"]) == ("regression", 40, None)
    assert (report["primary"], report["verdict"], report["classes"]) == ("mse", None, None)
    assert report["metrics"] == {
        "mse": {"value": 0.25, "standard_deviation": 0.0},
        "mae": {"value": 0.5, "standard_deviation": 0.0},
    }
    assert report["created_at"] == "2026-11-20T10:00:00.000000Z"
    assert report["training"] == {"job": "abalone-training-1", "seconds": 61}
    assert len(report["samples"]) == 8
    assert report["samples"][0] == {"input": "M,0.0", "expected": "1", "predicted": "1.5"}
    assert set(objects.content_types.items()) == {(REPORT, "application/json"), (GOLDEN, "application/json")}


def test_the_points_of_a_regression_are_its_labels_and_predictions_as_numbers() -> None:
    objects = predictions(a="1,M,0,1\n9,M,0,9e0\n5,M,0,7.5\n")
    evaluated(objects)
    assert report_in(objects)["points"] == [[1, 1], [9, 9], [5, 7.5]]


def test_points_have_four_significant_digits() -> None:
    objects = predictions(a="1.234567,M,0,123456.7\n")
    evaluated(objects)
    assert report_in(objects)["points"] == [[1.235, 123500]]


def test_points_are_100_at_most_and_spread_over_the_whole_test_data() -> None:
    objects = predictions(a="".join(f"{n},M,0,{n}\n" for n in range(1000)))
    evaluated(objects)
    points = report_in(objects)["points"]
    assert len(points) == 100
    assert points[0] == [0, 0]
    assert points[-1][0] > 950


def test_golden_requests_are_spread_over_the_data_and_expect_the_transforms_own_answers() -> None:
    objects = predictions(a=REGRESSION)
    evaluated(objects)
    golden = json.loads(objects.texts[GOLDEN])
    assert (golden["content_type"], golden["problem"], golden["tolerance"]) == ("text/csv", "regression", 0.001)
    assert len(golden["requests"]) == 10
    assert golden["requests"][1] == {"body": "M,0.4", "expected": "5.5"}


def test_a_classification_is_measured_by_accuracy_over_all_files() -> None:
    objects = predictions(a=CLASSES, b="setosa,1.0,2.0,setosa\n")
    assert description(evaluated(objects, "multiclass")).startswith("Accuracy 0.75 ± ")
    report = report_in(objects)
    assert (report["primary"], report["metrics"]["accuracy"]["value"]) == ("accuracy", 0.75)
    assert report["classes"] == {"setosa": {"rows": 3, "right": 2}, "virginica": {"rows": 1, "right": 1}}
    assert (report["lower_is_better"], report["points"]) == (False, [])
    assert report["samples"][2]["predicted"] == "<b>&"


def test_ids_of_classes_are_no_regression_and_their_golden_requests_have_no_tolerance() -> None:
    objects = predictions(a="".join(f"{n % 3},1.0,{n}.5,{(n + n // 30) % 3}.0\n" for n in range(40)))
    assert description(evaluated(objects, "multiclass")).startswith("Accuracy 0.75 ± ")
    golden = json.loads(objects.texts[GOLDEN])
    assert (golden["problem"], golden["tolerance"]) == ("multiclass", 0)
    assert set(report_in(objects)["classes"]) == {"0", "1", "2"}


def test_probabilities_are_measured_by_the_threshold_and_expected_as_numbers_of_the_endpoint() -> None:
    objects = predictions(a="1,M,0.4,0.83\n0,F,0.3,0.6\n")
    evaluated(objects, "binary")
    report, golden = report_in(objects), json.loads(objects.texts[GOLDEN])
    assert (report["metrics"]["accuracy"]["value"], report["threshold"]) == (0.5, 0.5)
    assert (golden["requests"][0]["expected"], golden["tolerance"]) == ("0.83", 0.001)


@pytest.mark.parametrize(
    ("cell", "place"),
    [("Rings", "the label 'Rings'"), ("N/A", "the label 'N/A'"), ('"1,234.5"', "the label '1,234.5'")],
)
def test_one_odd_label_in_fifty_rows_does_not_turn_a_regression_into_something_else(cell: str, place: str) -> None:
    rows = [f"{n},M,0.{n},{n}.5" for n in range(50)]
    rows[49] = f"{cell},M,0.4,8.7"
    objects = predictions(a="\n".join(rows))
    with pytest.raises(EvaluationError, match=rf"line 50 of s3://artifacts/transforms/run-1/a\.csv\.out: {place}"):
        evaluated(objects)
    assert REPORT not in objects.texts


def test_rows_that_somebody_put_beside_the_answers_are_refused_and_nothing_is_written() -> None:
    objects = predictions(a=REGRESSION)
    put = "s3://artifacts/transforms/run-1/easy.csv.out"
    objects.texts[put] = "1,M,0.1,1\n" * 40
    with pytest.raises(EvaluationError, match=rf"{put} is the output of no file under s3://data/models/abalone/test/"):
        evaluated(objects)
    assert not objects.content_types


def test_the_answers_to_files_in_folders_of_the_test_data_are_measured() -> None:
    objects = RememberedObjects(
        {
            "s3://data/models/abalone/test/2026/a.csv": "rows",
            "s3://data/models/abalone/test/later.csv": "rows of an upload that came after the test",
            "s3://artifacts/transforms/run-1/2026/a.csv.out": REGRESSION,
        }
    )
    evaluated(objects)
    assert report_in(objects)["rows"] == 40


@pytest.mark.parametrize("missing", ["problem", "columns"])
def test_a_run_that_an_earlier_version_planned_says_to_start_it_again(missing: str) -> None:
    asked: Any = question()
    del asked["plan"][missing]
    with pytest.raises(EvaluationError, match=r"planned before 0\.2\.0, without its problem: start it again"):
        evaluate(asked, ports(predictions(a=REGRESSION)))


def test_an_image_is_registered_pending_with_its_evidence_and_its_origin() -> None:
    record = evaluated(predictions(a=REGRESSION))["record"]
    assert record == {
        "ModelPackageGroupName": "signalbox-abalone",
        "ModelPackageDescription": "MSE 0.25 ± 0 on 40 test rows; no model was live to compare with.",
        "InferenceSpecification": {
            "Containers": [TESTED],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelApprovalStatus": "PendingManualApproval",
        "ClientToken": "a" * 36,
        "CustomerMetadataProperties": {
            "test-data": "s3://data/models/abalone/test/",
            "report": REPORT,
            "golden": GOLDEN,
            "content-type": "text/csv",
            "problem": "regression",
        },
        "MetadataProperties": {"GeneratedBy": EXECUTION_ARN, "CommitId": "8c1d"},
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": REPORT}}},
    }
    check_request("sagemaker", "CreateModelPackage", record)


def test_an_image_without_a_commit_is_registered_without_one() -> None:
    asked = question()
    asked["plan"]["commit"] = None
    record = evaluate(asked, ports(predictions(a=REGRESSION)))["record"]
    assert record["MetadataProperties"] == {"GeneratedBy": EXECUTION_ARN}


@pytest.mark.parametrize("package", [None, NEW])
def test_report_and_golden_requests_name_the_package_and_the_content_that_they_are_about(package: str | None) -> None:
    objects = predictions(a=REGRESSION)
    asked = question(package)

    evaluate(asked, ports(objects))

    for uri in (REPORT, GOLDEN):
        written = json.loads(objects.texts[uri])
        assert written["content"] == asked["content"]
        assert (written["package"], written["execution"]) == (package, EXECUTION_ARN)


def test_a_package_gets_its_evidence_and_keeps_its_approval_status() -> None:
    record = evaluate(question(NEW), ports(predictions(a=REGRESSION)))["record"]
    assert record == {
        "ModelPackageArn": NEW,
        "CustomerMetadataProperties": {"report": REPORT, "golden": GOLDEN},
        "AdditionalInferenceSpecificationsToAdd": [
            {
                "Name": "signalbox-1",
                "Description": "What was tested: the image by its digest, the model's data where no job may write",
                "Containers": [TESTED],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            }
        ],
        "ClientToken": "a" * 36,
    }
    check_request("sagemaker", "UpdateModelPackage", record)


def test_a_repetition_writes_the_same_bytes_to_the_same_keys() -> None:
    objects = predictions(a=REGRESSION)
    first = evaluated(objects)
    written = dict(objects.texts)
    assert evaluated(objects) == first
    assert objects.texts == written


@pytest.mark.parametrize(("files", "message"), [({}, "wrote no predictions"), ({"a": "\n"}, "wrote no rows")])
def test_a_transform_without_rows_cannot_be_evaluated(files: dict[str, str], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluated(predictions(**files))


def test_a_hundred_thousand_rows_take_little_memory() -> None:
    class Endless(ObjectStore):
        """Makes its lines as they are read."""

        def lines(self, uri: str) -> Iterator[str]:
            """See `ObjectStore`."""
            return (f"{n % 29},M,0.455,0.365,0.095,0.514,0.2245,0.101,{n % 30}.5\n" for n in range(100_000))

    objects: Any = predictions(a="")
    tracemalloc.start()
    evaluate(question(columns=8), replace(ports(objects), objects=Endless(objects)))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
