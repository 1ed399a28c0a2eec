"""A package that is not tested: the metrics that it was registered with, and its project's golden requests."""

import json
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.evaluation import CONTENT, GOLDEN, NEW, OLD, REPORT, ports, question, sagemaker
from tests.support.objects import RememberedObjects

from signalbox.contracts.training import Evaluated, EvaluationQuestion
from signalbox.evaluation.comparing import live_commit
from signalbox.evaluation.evaluating import evaluate
from signalbox.evaluation.model import EvaluationError

STATISTICS, OWN = "s3://artifacts/pipelines/wine/evaluation.json", "s3://data/models/wine/golden.jsonl"
FIRST = "s3://artifacts/answers/run-1.json"
METRICS = {
    "version": 0.0,
    "multiclass_classification_metrics": {
        "accuracy": {"value": 0.97, "standard_deviation": 0.01},
        "weighted_f1": {"value": 0.96, "standard_deviation": "NaN"},
        "confusion_matrix": {"0": {"0": 3}},
    },
}
REASONS = ["It does not say which problem it solves (the customer metadata property 'problem')."]


def asked(**untested: Any) -> EvaluationQuestion:
    given = question(NEW)
    del given["plan"]["problem"]
    del given["plan"]["columns"]
    given["plan"]["content_type"], given["plan"]["test_data"], given["training"] = "application/json", "", None
    given["plan"]["untested"] = {
        "reasons": REASONS,
        "statistics": STATISTICS,
        "golden": None,
        "takes": ["application/json"],
        "answers": ["application/json"],
        "first": FIRST,
        **untested,  # type: ignore[typeddict-item]  # the test's own members
    }
    return given


def refusing(error: Any) -> RecordingClient:
    """Return a SageMaker that does not describe the package that is live."""
    client = sagemaker(OLD)
    client.answers["describe_model_package"] = error
    return client


def kept(objects: RememberedObjects, **untested: Any) -> tuple[Evaluated, dict[str, Any], dict[str, Any]]:
    answer = evaluate(asked(**untested), ports(objects))
    return answer, json.loads(objects.texts[REPORT]), json.loads(objects.texts[GOLDEN])


@pytest.mark.parametrize(
    ("client", "commit"),
    [
        (sagemaker(OLD, commit="9e8d7c6"), "9e8d7c6"),
        (sagemaker(OLD), None),
        (sagemaker(), None),
        (refusing(client_error("AccessDeniedException", "no")), None),
        (refusing(client_error("ValidationException", "it does not exist")), None),
    ],
)
def test_a_live_package_whose_commit_is_not_known_has_none(client: RecordingClient, commit: str | None) -> None:
    assert live_commit("wine", ports(RememberedObjects(), client)) == commit


def test_the_commit_of_what_is_live_is_in_the_report_of_a_model_that_was_not_tested() -> None:
    objects = RememberedObjects({STATISTICS: json.dumps(METRICS)})

    evaluate(asked(), ports(objects, sagemaker(OLD, commit="9e8d7c6")))

    assert json.loads(objects.texts[REPORT])["live_commit"] == "9e8d7c6"


def test_sagemakers_metrics_become_those_of_the_report_which_says_that_nothing_was_tested() -> None:
    answer, report, golden = kept(RememberedObjects({STATISTICS: json.dumps(METRICS)}))

    assert report["metrics"] == {
        "accuracy": {"value": 0.97, "standard_deviation": 0.01},
        "weighted_f1": {"value": 0.96},
    }
    assert (report["primary"], report["problem"], report["rows"], report["live"]) == ("accuracy", "multiclass", 0, None)
    assert report["untested"] == {
        "reasons": REASONS,
        "metrics": STATISTICS,
        "missing": "",
        "golden": None,
        "requests": 0,
    }
    assert (report["package"], report["content"]["image"]) == (NEW, CONTENT["image"])
    assert (golden["requests"], golden["answers"]) == ([], FIRST)
    [specification] = json.loads(json.dumps(answer["record"]))["AdditionalInferenceSpecificationsToAdd"]
    assert specification["SupportedContentTypes"] == ["application/json"]
    check_request("sagemaker", "UpdateModelPackage", json.loads(json.dumps(answer["record"])))


def test_metrics_that_stand_in_no_group_are_read_too() -> None:
    _, report, _ = kept(RememberedObjects({STATISTICS: '{"f1": {"value": 0.5}, "auc": 0.75, "good": true, "n": "7"}'}))

    assert report["metrics"] == {"f1": {"value": 0.5}, "auc": {"value": 0.75}}


@pytest.mark.parametrize(
    ("statistics", "text", "said"),
    [
        (None, "", "It was registered without metrics."),
        (STATISTICS, None, f"Its metrics {STATISTICS} cannot be read: there is no such file."),
        (STATISTICS, "[]", f"Its metrics {STATISTICS} cannot be read: they are no JSON object."),
        (STATISTICS, '{"accuracy": {"value": NaN}}', f"Its metrics {STATISTICS} have no values."),
        (STATISTICS, "no json", f"Its metrics {STATISTICS} cannot be read: Expecting value"),
        (STATISTICS, " " * 1_000_001, "has 1000001 bytes, and at most 1000000 are read"),
    ],
)
def test_metrics_that_cannot_be_read_are_missing_with_the_reason_and_the_review_goes_on(
    statistics: str | None, text: str | None, said: str
) -> None:
    objects = RememberedObjects({"s3://artifacts/a": ""} | ({STATISTICS: text} if text is not None else {}))
    _, report, _ = kept(objects, statistics=statistics)

    assert said in report["untested"]["missing"]
    assert (report["metrics"], report["primary"], report["untested"]["metrics"]) == ({}, "", None)


def test_metrics_that_the_stack_may_not_read_are_missing_with_aws_words() -> None:
    objects = RememberedObjects({"s3://artifacts/a": ""})
    objects.answers["get_object"] = client_error("AccessDenied", "not yours")
    _, report, _ = kept(objects)

    assert "AccessDenied" in report["untested"]["missing"]


def test_golden_requests_of_a_project_are_kept_as_they_are_with_the_place_of_their_first_answers() -> None:
    lines = (
        '{"content_type": "application/json", "body": "[1]"}\n\n{"content_type": "image/png", "body_base64": "AAE="}\n'
    )
    _, report, golden = kept(RememberedObjects({OWN: lines}), golden=OWN)

    assert golden["requests"] == [
        {"content_type": "application/json", "body": "[1]"},
        {"content_type": "image/png", "body_base64": "AAE="},
    ]
    assert (report["untested"]["golden"], report["untested"]["requests"]) == (OWN, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "are not there: put them there"),
        ("\n \n", "are 0: give 1 to 100"),
        ('{"content_type": "text/csv"}', "line 1 of .* needs either body, a text, or body_base64"),
        ('{"content_type": "a/b", "body": "1", "body_base64": "AAE="}', "needs either body"),
        ('\n{"body": "1"}', "line 2 of .*content_type is missing"),
        ('{"content_type": "a/b", "body": "1", "expected": "2"}', "expected is not a field"),
        ('{"content_type": "a/b", "body_base64": "not base64!"}', "body_base64 is no Base64"),
        ("1,2,3", "line 1 of .* is no JSON"),
        (" " * 5_000_001, "has 5000001 bytes"),
    ],
)
def test_golden_requests_that_cannot_be_asked_are_refused_by_their_line(text: str | None, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        kept(RememberedObjects({"s3://data/a": ""} | ({OWN: text} if text is not None else {})), golden=OWN)
