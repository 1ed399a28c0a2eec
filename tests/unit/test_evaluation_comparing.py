"""The live model beside the new one, on the same rows."""

import json
from collections.abc import Callable
from copy import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.evaluation import (
    LIVE_REPORT,
    NEW,
    OLD,
    REPORT,
    LiveEndpoint,
    ports,
    predictions,
    question,
    sagemaker,
)
from tests.support.objects import RememberedObjects

from signalbox.aws.errors import CallRefusedError
from signalbox.contracts.problems import Problem
from signalbox.evaluation import comparing
from signalbox.evaluation.evaluating import evaluate
from signalbox.evaluation.model import EvaluationError

# The new model is off by 1 or 2; the last feature is the live model's answer in most tests.
ROWS = [(n % 20, n % 20 + 1 + n % 2) for n in range(40)]


def regression(live: Callable[[int, int], float]) -> RememberedObjects:
    return predictions(a="".join(f"{label},M,{live(label, n)},{own}\n" for n, (label, own) in enumerate(ROWS)))


WORSE_LIVE = regression(lambda label, n: label + 4 + n % 3)


def compared(
    objects: RememberedObjects,
    client: RecordingClient | None = None,
    live: RecordingClient | None = None,
    problem: Problem = "regression",
) -> tuple[dict[str, Any], str]:
    """Return the report, and the package's description."""
    answer = evaluate(question(problem=problem), ports(objects, client or sagemaker(OLD), live))
    check_request("sagemaker", "CreateModelPackage", answer["record"])
    report: dict[str, Any] = json.loads(objects.texts[REPORT])
    return report, str(answer["record"]["ModelPackageDescription"])


def test_the_live_model_is_asked_for_the_same_rows_and_both_models_errors_are_told() -> None:
    live, client = LiveEndpoint(), sagemaker(OLD)
    report, said = compared(WORSE_LIVE, client, live)
    asked = live.requests("InvokeEndpoint")
    assert [(one["EndpointName"], one["ContentType"]) for one in asked] == [("signalbox-abalone-prod", "text/csv")]
    assert len(asked[0]["Body"].decode().splitlines()) == len(ROWS)
    found = report["live"]
    assert (found["package"], found["rows"], found["reason"]) == (OLD, 40, None)
    assert found["own"] == report["metrics"]
    assert found["metrics"]["mse"]["value"] == pytest.approx(sum((4 + n % 3) ** 2 for n in range(40)) / 40)
    assert found["metrics"]["mse"]["standard_deviation"] > 0
    assert (report["verdict"], found["differences"]["mae"]["verdict"]) == ("better", "better")
    assert said.startswith("MSE 2.5 ± 0.2402 on 40 test rows; the live model (version 1) had ")
    assert "on the same rows: better, the difference is −" in said
    assert "(95 % interval −" in said


def test_a_live_model_that_answers_better_makes_the_new_one_worse() -> None:
    report, said = compared(regression(lambda label, n: label + n % 2 / 10))
    assert report["verdict"] == "worse"
    assert "on the same rows: worse, the difference is +" in said


def test_a_difference_that_may_be_chance_is_no_clear_difference() -> None:
    report, said = compared(regression(lambda label, n: label + 1 + (n + n // 20) % 2))
    assert report["verdict"] == "no clear difference"
    assert "no clear difference, the difference is 0 (95 % interval −" in said


def test_classifiers_are_compared_by_what_each_got_right() -> None:
    text = "".join(f"{'ab'[n % 2]},M,{'ab'[n % 2] if n % 4 else 'c'},{'ab'[n % 2]}\n" for n in range(40))
    report, said = compared(predictions(a=text), problem="multiclass")
    assert report["live"]["metrics"]["accuracy"]["value"] == 0.75
    assert report["live"]["differences"]["accuracy"]["value"] == pytest.approx(0.25)
    assert report["verdict"] == "better"
    assert "the live model (version 1) had 0.75 ± " in said


def test_few_rows_are_compared_without_an_interval() -> None:
    report, said = compared(predictions(a="9,M,4,9\n8,M,4,8\n"))
    assert (report["verdict"], report["live"]["rows"]) == ("no clear difference", 2)
    assert said.endswith("no clear difference, the difference is −20.5, of fewer than 30 rows.")


@given(st.integers(1, 4_000), st.integers(1, 60))
def test_a_bounded_number_of_rows_is_asked_for_spread_over_all_of_them(number: int, most: int) -> None:
    step = comparing.HeldOutRows(lambda: iter(()), number, number * 10).step
    assert step == 1
    many = comparing.HeldOutRows(lambda: iter(()), number * comparing.MOST_ROWS + most, 1)
    assert len(range(0, many.number, many.step)) <= comparing.MOST_ROWS
    wide = comparing.HeldOutRows(lambda: iter(()), number, number * 1_000_000)
    assert len(range(0, number, wide.step)) * 1_000_000 <= comparing.MOST_BYTES + 1_000_000
    assert wide.together == 1


def test_where_only_some_rows_are_asked_for_both_models_are_told_on_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_ROWS", 10)
    monkeypatch.setattr(comparing, "REQUEST_ROWS", 4)
    live = LiveEndpoint()
    report, said = compared(WORSE_LIVE, live=live)
    assert [len(one["Body"].decode().splitlines()) for one in live.requests("InvokeEndpoint")] == [4, 4, 2]
    assert (report["rows"], report["live"]["rows"]) == (40, 10)
    assert report["live"]["own"]["mse"] != report["metrics"]["mse"]
    assert "on 10 of these rows, this model 1 ± 0" in said


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (LiveEndpoint(whole="0.1,0.9\n" * 40), "it answered 2 columns a row (0.1,0.9) in place of one value"),
        (LiveEndpoint(whole="[1, 2, 3]"), "it answered 1 lines to 40 rows, beginning with '[1, 2, 3]'"),
        (LiveEndpoint(lambda _cells: "high"), "the model answered 'high', which is not a finite number"),
        (
            RecordingClient("sagemaker-runtime", {"invoke_endpoint": client_error("ModelError", "9 columns,\nnot 8")}),
            "it refused the rows (9 columns, not 8)",
        ),
        (
            RecordingClient("sagemaker-runtime", {"invoke_endpoint": client_error("ServiceUnavailable", "later")}),
            "ServiceUnavailable later",
        ),
        (
            RecordingClient("sagemaker-runtime", {"invoke_endpoint": client_error("AccessDenied", "no")}),
            "was refused: AccessDenied no",
        ),
    ],
)
def test_a_live_model_that_cannot_answer_is_not_compared_and_the_reason_is_told(
    live: RecordingClient, reason: str
) -> None:
    report, said = compared(WORSE_LIVE, live=live)
    assert report["verdict"] is None
    assert (report["live"]["package"], report["live"]["rows"], report["live"]["differences"]) == (OLD, 0, {})
    assert reason in report["live"]["reason"]
    assert "; not compared with the live model (version 1): " in said
    assert reason in said


def test_a_live_model_whose_classes_are_others_is_not_compared() -> None:
    objects = predictions(a="a,M,1,a\nb,M,1,b\n" * 20)
    report, _ = compared(objects, live=LiveEndpoint(lambda _cells: "7"), problem="multiclass")
    assert "no answer of the model is a label" in report["live"]["reason"]


def test_a_live_model_that_takes_too_long_is_not_compared() -> None:
    slow = replace(ports(WORSE_LIVE, sagemaker(OLD)), clock=iter([0.0, 1_000.0]).__next__)
    evaluate(question(), slow)
    assert "more than 150 seconds" in json.loads(WORSE_LIVE.texts[REPORT])["live"]["reason"]


@pytest.mark.parametrize("status", ["Updating", "Failed", "OutOfService", "RollingBack"])
def test_an_endpoint_that_is_not_at_rest_is_not_asked(status: str) -> None:
    live = LiveEndpoint()
    report, _ = compared(WORSE_LIVE, sagemaker(OLD, status=status), live)
    assert report["live"]["reason"] == f"its endpoint is {status}"
    assert live.requests("InvokeEndpoint") == []


def test_a_live_model_that_was_replaced_while_it_was_asked_is_not_compared() -> None:
    client = sagemaker(OLD)

    class Moving(LiveEndpoint):
        """Another release updates the endpoint in the middle."""

        def _invoke_endpoint(self, Body: bytes, **more: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
            client.answers["describe_endpoint"] = {"EndpointConfigName": "config-2", "EndpointStatus": "InService"}
            return super()._invoke_endpoint(Body, **more)

    report, _ = compared(WORSE_LIVE, client, Moving())
    assert report["live"]["reason"] == "it was replaced while it was asked"


def test_without_a_live_model_nothing_is_asked() -> None:
    live = LiveEndpoint()
    report, said = compared(WORSE_LIVE, sagemaker(), live)
    assert (report["live"], report["verdict"], live.requests("InvokeEndpoint")) == (None, None, [])
    assert said.endswith("; no model was live to compare with.")


@pytest.mark.parametrize("status", ["InService", "Updating"])
def test_the_live_models_commit_is_in_the_report_whether_it_is_compared_or_not(status: str) -> None:
    assert compared(WORSE_LIVE, sagemaker(OLD, status=status, commit="9e8d7c6"))[0]["live"]["commit"] == "9e8d7c6"
    assert compared(WORSE_LIVE, sagemaker(OLD, status=status))[0]["live"]["commit"] is None


def test_a_package_is_not_compared_with_itself() -> None:
    evaluate(question(NEW), ports(WORSE_LIVE, sagemaker(NEW)))
    assert json.loads(WORSE_LIVE.texts[REPORT])["live"]["reason"] == "it is this version itself"


@pytest.mark.parametrize(
    "text", [None, "{}", '{"primary": "mse"}', '{"primary": "rmse", "untested": {"reasons": ["It takes JSON."]}}']
)
def test_a_live_model_of_the_same_metric_or_of_none_that_is_known_is_compared(text: str | None) -> None:
    objects = RememberedObjects(dict(WORSE_LIVE.texts) | ({LIVE_REPORT: text} if text else {}))
    assert compared(objects, sagemaker(OLD, LIVE_REPORT))[0]["verdict"] == "better"


def test_a_live_package_that_is_gone_from_the_registry_is_compared_by_what_it_answers() -> None:
    client = sagemaker(OLD)
    client.answers["describe_model_package"] = client_error("ValidationException", "it does not exist")
    assert compared(WORSE_LIVE, client)[0]["verdict"] == "better"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_live_report_that_cannot_be_read_is_named_and_nothing_is_compared(text: str) -> None:
    objects = RememberedObjects(dict(WORSE_LIVE.texts) | {LIVE_REPORT: text})
    report, said = compared(objects, sagemaker(OLD, LIVE_REPORT))
    assert report["live"]["reason"].startswith(f"its report {LIVE_REPORT} cannot be read")
    assert LIVE_REPORT in said


def test_another_metric_than_that_of_the_live_report_is_refused() -> None:
    objects = RememberedObjects(dict(WORSE_LIVE.texts) | {LIVE_REPORT: '{"primary": "accuracy"}'})
    with pytest.raises(EvaluationError, match=rf"measured by mse, and the live package {OLD} is"):
        compared(objects, sagemaker(OLD, LIVE_REPORT))


@pytest.mark.parametrize(("stated", "fits"), [("multiclass", False), ("regression", True)])
def test_what_the_live_package_states_counts_before_its_report(stated: str, fits: bool) -> None:
    objects = RememberedObjects(dict(WORSE_LIVE.texts) | {LIVE_REPORT: "{"})
    client = sagemaker(OLD, LIVE_REPORT)
    client.answers["describe_model_package"]["CustomerMetadataProperties"]["problem"] = stated
    if fits:
        assert compared(objects, client)[0]["verdict"] == "better"
        return
    with pytest.raises(EvaluationError, match="a model keeps its problem"):
        compared(objects, client)


def test_a_refused_read_is_not_taken_for_a_missing_report() -> None:
    client: Any = RecordingClient("s3", {"get_object": client_error("AccessDenied")})
    objects = RememberedObjects(WORSE_LIVE.texts)
    store = objects.store
    store.text = type(store)(client).text  # type: ignore[method-assign]  # the report alone is denied
    asked = replace(ports(objects, sagemaker(OLD, LIVE_REPORT)), objects=store)
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        evaluate(question(), asked)
