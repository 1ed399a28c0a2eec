"""The evidence of a review: what is kept of an evaluation report, and what of it is shown."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.reviews import EXECUTION, PACKAGE, REPORT, live, report

from signalbox.reviews import evidence, lineage
from signalbox.reviews.evidence import ShownEvidence
from signalbox.reviews.model import ReviewError

if TYPE_CHECKING:
    from signalbox.contracts.common import StageServing

CLASSES = {"setosa": {"rows": 50, "right": 50}, "virginica": {"rows": 48, "right": 45}, "rare": {"rows": 2, "right": 0}}


def shown(**changes: Any) -> ShownEvidence:
    return evidence.shown(evidence.freeze(json.dumps(report(**changes)), REPORT))


def test_without_a_live_model_nothing_is_compared() -> None:
    found = shown(live=None)
    assert found.headline == "MSE 4.892. No live model to compare with."
    assert [row.verdict for row in found.comparisons] == ["", ""]


def difference(value: float, low: float | None, high: float | None, verdict: str) -> dict[str, Any]:
    return {"mse": {"value": value, "low": low, "high": high, "verdict": verdict}}


def test_both_models_errors_and_the_interval_of_the_difference_are_shown() -> None:
    first, second = shown().comparisons
    assert (first.name, first.value, first.spread) == ("MSE", "4.892", "2.201")
    assert (first.live, first.live_spread) == ("5.301", "2.401")
    assert (first.difference, first.interval, first.verdict) == ("−0.4089", "−0.6123 to −0.2055", "better")
    assert (second.live_spread, second.verdict, second.tone) == ("0.02", "worse", " worse")
    assert shown().explanation.startswith("The live model (version 2) was asked for the same 1,418 rows. The interval")


def test_a_worse_model_is_called_worse() -> None:
    found = shown(live=live(differences=difference(0.7988, 0.1, 1.5, "worse")))
    assert found.headline == "MSE 4.892, worse than the live model (5.301)."
    assert found.comparisons[0].difference == "+0.7988"


def test_a_difference_whose_interval_holds_zero_is_no_clear_one_and_has_no_colour() -> None:
    found = shown(live=live(differences=difference(-0.4, -1, 0.2, "no clear difference")))
    assert found.headline == "MSE 4.892, no clear difference from the live model (5.301)."
    assert found.comparisons[0].tone == ""


def test_both_models_are_shown_on_the_rows_that_both_answered() -> None:
    found = shown(live=live(rows=500, own={"mse": {"value": 4.5, "standard_deviation": 2}}))
    assert (found.comparisons[0].value, found.comparisons[0].live) == ("4.5", "5.301")
    assert "asked for 500 of the 1,418 rows; both columns are of these." in found.explanation


def test_few_rows_have_no_interval_and_say_so() -> None:
    found = shown(live=live(differences=difference(-0.4, None, None, "no clear difference")))
    assert found.comparisons[0].interval == ""
    assert found.explanation.endswith("These are too few rows for an interval, so no difference counts as clear.")


def test_where_nothing_was_compared_the_reason_is_shown() -> None:
    found = shown(live=live(metrics={}, own={}, differences={}, rows=0, reason="it refused the rows (9 columns)"))
    assert found.headline == "MSE 4.892. Not compared with the live model."
    assert found.explanation == "The live model (version 2) is not compared: it refused the rows (9 columns)."
    assert not found.compared
    assert {row.live for row in found.comparisons} == {""}


def test_a_live_model_that_was_measured_on_other_rows_is_not_compared() -> None:
    found = shown(live={"package": PACKAGE, "metrics": {"mse": {"value": 9}}})
    assert found.headline == "MSE 4.892. Not compared with the live model."
    assert found.explanation == "The live model (version 3) is not compared: it was measured on other rows."


def later(package: str | None, status: str = "InService", **changes: Any) -> ShownEvidence:
    """Return what is shown of a report where prod served `package` when people were asked."""
    now: StageServing = {"stage": "prod", "endpoint": "signalbox-abalone-prod", "status": status, "package": package}
    return evidence.shown(evidence.freeze(json.dumps(report(**changes)), REPORT, now))


def test_a_live_model_that_is_live_as_before_is_named_so() -> None:
    found = later(PACKAGE[:-1] + "2")
    assert found.headline == shown().headline == "MSE 4.892, better than the live model (5.301)."
    assert (found.explanation, found.other) == (shown().explanation, "live model")
    assert dict(found.lives) == {"Live when tested": "signalbox-abalone/2", "Live when asked": "signalbox-abalone/2"}


def test_a_model_that_was_taken_down_since_the_test_keeps_its_figures_under_its_own_name() -> None:
    found = later(None, "")
    assert found.headline == "MSE 4.892, better than version 2 (5.301), which is live no more."
    assert found.explanation.startswith(
        "Version 2, live when this model was tested, was asked for the same 1,418 rows."
    )
    assert found.explanation.endswith("When this was asked, prod served nothing, as it had no endpoint.")
    assert (found.other, found.comparisons[0].live) == ("version 2", "5.301")
    assert dict(found.lives)["Live when asked"] == "nothing, as it had no endpoint"


def test_a_model_that_was_replaced_since_the_test_is_not_taken_for_the_one_that_serves() -> None:
    found = later(PACKAGE[:-1] + "4")
    assert found.headline == "MSE 4.892, better than version 2 (5.301), which is live no more."
    assert found.explanation.endswith("When this was asked, prod served version 4, which did not answer these rows.")
    assert dict(found.lives) == {"Live when tested": "signalbox-abalone/2", "Live when asked": "signalbox-abalone/4"}


@pytest.mark.parametrize(
    ("package", "headline", "explanation"),
    [
        (
            PACKAGE[:-1] + "4",
            "MSE 4.892. Not compared with version 4, which is live now.",
            "When this was asked, prod served version 4, which did not answer these rows.",
        ),
        (None, "MSE 4.892. No live model to compare with.", ""),
    ],
)
def test_a_model_that_went_live_since_the_test_is_named_as_not_compared(
    package: str | None, headline: str, explanation: str
) -> None:
    found = later(package, "InService" if package else "", live=None)
    assert (found.headline, found.explanation) == (headline, explanation)
    assert list(found.lives) == ([("Live when asked", "signalbox-abalone/4")] if package else [])


def test_a_reason_why_nothing_was_compared_is_of_what_was_live_then() -> None:
    unasked = live(metrics={}, own={}, differences={}, rows=0, reason="it refused the rows (9 columns)")
    found = later(None, "Failed", live=unasked)
    assert found.headline == "MSE 4.892. No live model to compare with."
    assert found.explanation == (
        "Version 2, live when this model was tested, is not compared: it refused the rows (9 columns). When this was "
        "asked, prod served no package of the registry (its endpoint was Failed)."
    )


def test_the_metric_that_decides_comes_first() -> None:
    metrics = {"mae": {"value": 1}, "Accuracy": {"value": 0.9}, "own_score": {"value": 2}}
    found = shown(metrics=metrics, primary="Accuracy", lower_is_better=False)
    assert [row.name for row in found.comparisons] == ["Accuracy", "MAE", "Own score"]
    assert [row.verdict for row in found.comparisons] == ["", "", ""]


def test_a_report_without_its_own_primary_metric_has_no_headline() -> None:
    assert shown(primary="auc").headline == ""


def test_a_metric_that_is_no_number_is_not_judged() -> None:
    found = shown(live=live(differences=difference(float("nan"), None, None, "better")))
    assert found.comparisons[0].verdict == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (134, "2 min 14 s"), (7320, "2 h 2 min")])
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert shown(training={"job": "job", "seconds": seconds}).took == text


def test_a_package_that_was_trained_elsewhere_has_no_training_job() -> None:
    found = shown(training=None)
    assert (found.job, found.took) == ("", "")


def test_what_is_kept_of_a_report_is_small() -> None:
    wide = {"input": "9," * 5000, "expected": "1", "predicted": "2"}
    metrics = {f"metric{number}": {"value": number} for number in range(500)}
    frozen = evidence.freeze(json.dumps(report(samples=[wide] * 900, metrics=metrics, commit="c" * 5000)))
    assert len(frozen) < 4000
    found = evidence.shown(frozen)
    assert len(found.samples) == 8
    assert found.samples[0].input.endswith("…")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        json.dumps(report(metrics={"mse": {"value": "much"}})),
        json.dumps(report(metrics=[1])),
        json.dumps(report(samples=[{}])),
    ],
)
def test_a_report_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ReviewError, match="report cannot be read"):
        evidence.freeze(text)


def classified(**classes: Any) -> ShownEvidence:
    return shown(problem="classification", classes=classes)


def test_the_points_of_a_regression_are_drawn_on_one_scale() -> None:
    drawn = shown(rows=2, points=[[1, 3], [5, 1]]).scatter
    assert drawn is not None
    assert drawn.path == "M26.0 161.0h0M332.0 314.0h0"
    assert (drawn.least, drawn.most) == ("1", "5")
    assert drawn.caption == "Each point is one test row; on the line, prediction and truth are equal."


def test_a_picture_of_some_of_the_rows_says_of_how_many() -> None:
    drawn = shown(rows=1418, points=[[1, 3], [5, 1]]).scatter
    assert drawn is not None
    assert (
        drawn.caption == "Each point is one of 2 of the 1,418 test rows; on the line, prediction and truth are equal."
    )


def test_points_that_are_all_the_same_are_drawn() -> None:
    drawn = shown(points=[[4, 4], [4, 4]]).scatter
    assert drawn is not None
    assert drawn.path == "M26.0 314.0h0M26.0 314.0h0"


def test_at_most_100_points_are_kept() -> None:
    frozen = evidence.freeze(json.dumps(report(points=[[1.234, 123400.0]] * 1000)))
    assert json.loads(frozen)["points"] == [[1.234, 123400.0]] * 100


@pytest.mark.parametrize(
    "points",
    [
        None,
        "none",
        {},
        [[1]],
        [["a", "b"]],
        [[True, False]],
        [None],
        [[float("nan"), 1]],
        [[1, float("inf")]],
        [[10**400, 1]],
    ],
)
def test_points_that_cannot_be_drawn_are_left_out_and_refuse_nothing(points: object) -> None:
    assert shown(points=points).scatter is None


def test_the_classes_of_a_classification_are_drawn_biggest_first() -> None:
    drawn = classified(**dict(reversed(CLASSES.items()))).bars
    assert drawn is not None
    assert [(bar.name, bar.share, bar.length) for bar in drawn.bars] == [
        ("setosa", "50 of 50 right", 340.0),
        ("virginica", "45 of 48 right", 318.8),
        ("rare", "0 of 2 right", 0.0),
    ]
    assert drawn.caption == "Each bar is the share of a class's test rows whose prediction is right."


def test_at_most_twelve_classes_are_kept_and_the_picture_says_so() -> None:
    drawn = classified(**{f"class {number}": {"rows": number, "right": 1} for number in range(1, 31)}).bars
    assert drawn is not None
    assert [bar.name for bar in drawn.bars] == [f"class {number}" for number in range(30, 18, -1)]
    assert drawn.caption.endswith("These are the 12 biggest of 30 classes.")


def test_a_long_name_of_a_class_is_cut() -> None:
    drawn = classified(**{"c" * 200: {"rows": 1, "right": 1}}).bars
    assert drawn is not None
    assert drawn.bars[0].name == "c" * 25 + "…"


@pytest.mark.parametrize(
    "classes",
    [
        *[None, [], "none", {"a": None}, {"a": {}}, {"a": {"rows": "3", "right": 1}}],
        *[{"a": {"rows": 0, "right": 0}}, {"a": {"rows": 1, "right": 2}}, {"a": {"rows": 3, "right": -1}}],
    ],
)
def test_classes_that_cannot_be_drawn_are_left_out_and_refuse_nothing(classes: object) -> None:
    assert shown(classes=classes).bars is None


def test_evidence_that_an_earlier_version_kept_has_no_picture() -> None:
    kept = json.loads(evidence.freeze(json.dumps(report())))
    for name in ("points", "classes", "class_count"):
        del kept[name]
    found = evidence.shown(json.dumps(kept))
    assert not found.pictured
    assert found.headline.startswith("MSE 4.892")


CONSOLE = "https://eu-west-1.console.aws.amazon.com"
LINEAGE = {
    "run": "signalbox-abalone-000012-20260301T100000Z",
    "files": ["incoming/a.csv", "incoming/b.csv"],
    "file_count": 4,
    "threshold": "MSE at most 6.0",
}


def test_where_a_model_comes_from_is_kept_and_written_as_facts() -> None:
    found = shown(
        lineage=LINEAGE, image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7", test_data="s3://t/"
    )
    assert lineage.facts(found.lineage) == [
        ("Files", "incoming/a.csv, incoming/b.csv and 2 more"),
        ("Uploaded by", "not recorded"),
        ("Run", "signalbox-abalone-000012-20260301T100000Z"),
        ("Test data", "s3://t/"),
        ("Threshold", "MSE at most 6.0"),
        ("Image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7"),
    ]


def test_the_report_and_the_execution_are_found_in_the_console() -> None:
    assert lineage.places(shown().lineage, EXECUTION) == [
        (
            "The evaluation report in the S3 console",
            f"{CONSOLE}/s3/object/artifacts?region=eu-west-1&prefix=evaluations/run-7/report.json",
        ),
        (
            "The execution in the Step Functions console",
            f"{CONSOLE}/states/home?region=eu-west-1#/v2/executions/details/{EXECUTION}",
        ),
    ]


def test_what_is_not_known_of_an_origin_is_not_shown() -> None:
    assert lineage.facts(shown(lineage={}).lineage) == []
    assert lineage.places(lineage.NONE, "run-7") == []


@pytest.mark.parametrize("origin", [None, "none", [], {"files": "a.csv", "run": 7, "file_count": "many"}])
def test_an_origin_that_cannot_be_read_is_left_out_and_refuses_nothing(origin: object) -> None:
    assert lineage.facts(shown(lineage=origin).lineage) == []


def test_the_probability_from_which_an_answer_counts_as_1_is_shown() -> None:
    assert lineage.facts(shown(threshold=0.5).lineage) == [("Counts as 1 from", "0.5")]


def test_the_features_of_a_run_are_a_fact_with_an_address_of_their_report() -> None:
    known = shown(lineage=LINEAGE | {"features": "1 files, 9 rows", "features_report": "s3://b/features/report.html"})
    assert ("Features", "1 files, 9 rows") in lineage.facts(known.lineage)
    label, address = lineage.places(known.lineage, EXECUTION)[1]
    assert label == "The report of its run's features in the S3 console"
    assert address.endswith("/s3/object/b?region=eu-west-1&prefix=features/report.html")


def test_evidence_that_an_earlier_version_kept_has_no_lineage() -> None:
    kept = json.loads(evidence.freeze(json.dumps(report(lineage=LINEAGE)), REPORT))
    del kept["lineage"]
    assert evidence.shown(json.dumps(kept)).lineage == lineage.NONE


def test_evidence_that_was_kept_before_rows_people_and_costs_were_is_shown_without_them() -> None:
    kept = json.loads(evidence.freeze(json.dumps(report(lineage=LINEAGE)), REPORT))
    del kept["costs"]
    for name in ("train_rows", "uploaders", "uploader_count", "unknown_uploads"):
        del kept["lineage"][name]

    found = evidence.shown(json.dumps(kept))

    assert not found.costs
    assert lineage.rows(found.lineage, found.rows) == [("Training rows", "not counted"), ("Test rows", "1,418")]
    assert ("Uploaded by", "not recorded") in lineage.facts(found.lineage)


def test_files_that_the_run_did_not_use_are_kept_and_counted() -> None:
    sentences = [f"incoming/{number:02d}.csv, line 3: Height is 'tall'\u202e" for number in range(25)]
    found = shown(lineage=LINEAGE | {"unused": sentences, "unused_count": 30})
    assert found.unused[0] == "incoming/00.csv, line 3: Height is 'tall'"
    assert (len(found.unused), found.more_unused) == (20, 10)


@pytest.mark.parametrize("unused", [{}, {"unused": "a.csv"}, {"unused": [], "unused_count": None}])
def test_a_model_that_learnt_from_all_files_has_none_to_show(unused: dict[str, Any]) -> None:
    found = shown(lineage=LINEAGE | unused)
    assert (list(found.unused), found.more_unused) == ([], 0)
