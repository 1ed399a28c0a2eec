"""Evaluating one batch transform."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from signalbox.evaluation.evaluate import evaluate
from signalbox.evaluation.ports import Written
from signalbox.evaluation.rows import EvaluationError

OLD = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/1"
NEW = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/2"
HOME = "s3://artifacts/evaluations/run-1/"
PLAN = {
    "model": "abalone",
    "package": NEW,
    "commit": "8c1d",
    "content_type": "text/csv",
    "test_data": "s3://data/models/abalone/test/",
    "outputs": {"transform": "s3://artifacts/transforms/run-1/", "evaluation": HOME},
}
REGRESSION = "".join(f"{n % 20 + 1},M,0.{n},{n % 20 + 1.5}\n" for n in range(40))
CLASSES = "setosa,1.0,2.0,setosa\nvirginica,3.0,4.0,virginica\nsetosa,1.0,2.0,<b>&\n"


class FakeObjects:
    """An object store that remembers."""

    def __init__(self, **predictions: str) -> None:
        self.texts = {f"s3://artifacts/transforms/run-1/{name}.csv.out": text for name, text in predictions.items()}
        self.content_types: dict[str, str] = {}

    def list(self, uri: str) -> list[Written]:
        """See `Objects`."""
        return [Written(key, "2026-11-20T10:00:00+00:00") for key in sorted(self.texts) if key.startswith(uri)]

    def lines(self, uri: str) -> Iterator[str]:
        """See `Objects`."""
        return iter(self.texts[uri].splitlines(keepends=True))

    def read(self, uri: str) -> str | None:
        """See `Objects`."""
        return self.texts.get(uri)

    def write(self, uri: str, text: str, content_type: str) -> None:
        """See `Objects`."""
        self.texts[uri] = text
        self.content_types[uri] = content_type


class FakeLiveModels:
    """The live package, and where its report is."""

    def __init__(self, package: str | None = None, report: str | None = None) -> None:
        self.live, self.uri = package, report

    def package(self, model: str) -> str | None:
        """See `LiveModels`."""
        return self.live

    def report(self, package: str) -> str | None:
        """See `LiveModels`."""
        return self.uri


def event(**changes: Any) -> dict[str, Any]:
    return {"plan": PLAN | changes, "training": {"job": "abalone-training-1", "seconds": 61}, "execution_arn": "arn"}


def test_a_regression_is_measured_and_its_evidence_written() -> None:
    objects = FakeObjects(a=REGRESSION)
    answer = evaluate(event(), objects, FakeLiveModels())
    assert answer == {
        "report": f"{HOME}report.json",
        "golden": f"{HOME}golden.json",
        "primary": "mse",
        "value": 0.25,
        "better": None,
        "summary": "Mean squared error 0.25 ± 0 on 40 rows of held-out data; no model is live to compare with.",
    }
    report = json.loads(objects.texts[f"{HOME}report.json"])
    assert (report["problem"], report["rows"], report["live"]) == ("regression", 40, None)
    assert report["metrics"]["mae"] == {"value": 0.5, "standard_deviation": 0.0}
    assert report["created_at"] == "2026-11-20T10:00:00+00:00"
    assert report["training"] == {"job": "abalone-training-1", "seconds": 61}
    assert len(report["samples"]) == 8
    assert report["samples"][0] == {"input": "M,0.0", "expected": "1", "predicted": "1.5"}


def test_golden_requests_are_spread_over_the_data_and_expect_the_transforms_own_answers() -> None:
    objects = FakeObjects(a=REGRESSION)
    evaluate(event(), objects, FakeLiveModels())
    golden = json.loads(objects.texts[f"{HOME}golden.json"])
    assert (golden["content_type"], golden["problem"], golden["tolerance"]) == ("text/csv", "regression", 0.001)
    assert len(golden["requests"]) == 10
    assert golden["requests"][1] == {"body": "M,0.4", "expected": "5.5"}


def test_a_classification_is_measured_by_accuracy_over_all_files() -> None:
    objects = FakeObjects(a=CLASSES, b="setosa,1.0,2.0,setosa\n")
    answer = evaluate(event(), objects, FakeLiveModels())
    assert (answer["primary"], answer["value"]) == ("accuracy", 0.75)
    report = json.loads(objects.texts[f"{HOME}report.json"])
    assert report["classes"] == {"setosa": {"rows": 3, "right": 2}, "virginica": {"rows": 1, "right": 1}}
    assert report["lower_is_better"] is False


@pytest.mark.parametrize(("value", "better", "words"), [(5.0, True, ", better than"), (0.1, False, "not better than")])
def test_the_live_model_is_compared_by_its_own_report(value: float, better: bool, words: str) -> None:
    objects = FakeObjects(a=REGRESSION)
    metrics = {"mse": {"value": value, "standard_deviation": 0.2}}
    objects.texts["s3://artifacts/evaluations/run-0/report.json"] = json.dumps({"metrics": metrics})
    live = FakeLiveModels(OLD, "s3://artifacts/evaluations/run-0/report.json")
    answer = evaluate(event(), objects, live)
    assert (answer["better"], words in answer["summary"]) == (better, True)
    report = json.loads(objects.texts[f"{HOME}report.json"])
    assert report["live"] == {"package": OLD, "metrics": metrics}
    assert OLD in objects.texts[f"{HOME}report.html"]


@pytest.mark.parametrize("uri", [None, "s3://artifacts/evaluations/gone/report.json"])
def test_a_live_model_without_a_report_is_named_and_not_compared(uri: str | None) -> None:
    objects = FakeObjects(a=REGRESSION)
    answer = evaluate(event(), objects, FakeLiveModels(OLD, uri))
    assert answer["better"] is None
    assert "the live model has no mean squared error" in answer["summary"]
    assert json.loads(objects.texts[f"{HOME}report.json"])["live"] == {"package": OLD, "metrics": {}}


def test_a_package_is_not_compared_with_itself() -> None:
    answer = evaluate(event(), FakeObjects(a=REGRESSION), FakeLiveModels(NEW, "s3://artifacts/report.json"))
    assert "no model is live" in answer["summary"]


def test_a_repetition_writes_the_same_bytes_to_the_same_keys() -> None:
    objects = FakeObjects(a=REGRESSION)
    first = evaluate(event(), objects, FakeLiveModels())
    written = dict(objects.texts)
    assert evaluate(event(), objects, FakeLiveModels()) == first
    assert objects.texts == written


def test_the_page_is_whole_in_itself_and_shows_text_as_text() -> None:
    objects = FakeObjects(a=CLASSES)
    evaluate(event(), objects, FakeLiveModels())
    page = objects.texts[f"{HOME}report.html"]
    assert objects.content_types[f"{HOME}report.html"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;&amp;" in page
    assert not [word for word in ("<script", "<b>", "http://", "https://", "src=") if word in page]
    assert "<svg" not in page


def test_the_page_of_a_regression_draws_the_predictions_inside_its_chart() -> None:
    objects = FakeObjects(a="1,M,0,1\n9,M,0,9\n5,M,0,7\n")
    evaluate(event(), objects, FakeLiveModels())
    page = objects.texts[f"{HOME}report.html"]
    assert '<circle cx="12.0" cy="288.0"' in page
    assert '<circle cx="288.0" cy="12.0"' in page
    assert page.count("<circle") == 3


@pytest.mark.parametrize(("predictions", "message"), [({}, "wrote no predictions"), ({"a": "\n"}, "wrote no rows")])
def test_a_transform_without_rows_cannot_be_evaluated(predictions: dict[str, str], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(event(), FakeObjects(**predictions), FakeLiveModels())


def test_a_hundred_thousand_rows_take_little_memory() -> None:
    class Endless(FakeObjects):
        """Makes its lines as they are read."""

        def lines(self, uri: str) -> Iterator[str]:
            """See `Objects`."""
            return (f"{n % 29},M,0.455,0.365,0.095,0.514,0.2245,0.101,{n % 30}.5\n" for n in range(100_000))

    tracemalloc.start()
    evaluate(event(), Endless(a=""), FakeLiveModels())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
