"""Measuring predictions."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.evaluation.model import EvaluationError, Metric, Row
from signalbox.evaluation.rows import Spread, read_rows
from signalbox.evaluation.scores import Scores, better

NUMBERS = st.floats(-1e3, 1e3)


def row(label: str, prediction: str, place: str = "line 1") -> Row:
    return Row(label, prediction, ("M", "0.4"), place)


def scored(*pairs: tuple[str, str]) -> Scores:
    scores = Scores()
    for label, prediction in pairs:
        scores.add(row(label, prediction))
    return scores


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30))
def test_mean_errors_and_their_standard_errors_are_those_of_the_textbook(pairs: list[tuple[float, float]]) -> None:
    metrics = scored(*[(repr(label), repr(prediction)) for label, prediction in pairs]).metrics()
    squares = [(label - prediction) ** 2 for label, prediction in pairs]
    errors = [abs(label - prediction) for label, prediction in pairs]
    for name, items in (("mse", squares), ("mae", errors)):
        assert metrics[name]["value"] == pytest.approx(statistics.fmean(items), rel=1e-9, abs=1e-9)
        expected = statistics.stdev(items) / math.sqrt(len(items))
        assert metrics[name]["standard_deviation"] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_one_row_has_no_known_error() -> None:
    assert scored(("3", "5")).metrics() == {
        "mse": {"value": 4.0, "standard_deviation": 0.0},
        "mae": {"value": 2.0, "standard_deviation": 0.0},
    }


def test_accuracy_has_the_binomial_standard_error_and_counts_each_class() -> None:
    scores = scored(("setosa", "setosa"), ("setosa", "virginica"), ("virginica", "virginica"), ("1", "1"))
    assert (scores.problem, scores.primary) == ("classification", "accuracy")
    assert scores.metrics() == {"accuracy": {"value": 0.75, "standard_deviation": math.sqrt(0.75 * 0.25 / 4)}}
    assert scores.classes() == {
        "1": {"rows": 1, "right": 1},
        "setosa": {"rows": 2, "right": 1},
        "virginica": {"rows": 1, "right": 1},
    }


@pytest.mark.parametrize("label", ["0.4_5", "\u0663", "\uff17"])
def test_what_only_python_reads_as_a_number_is_a_class(label: str) -> None:
    assert scored(("1", "1"), (label, "1")).problem == "classification"


def test_numbers_alone_are_a_regression_without_classes() -> None:
    scores = scored(("1", "1.5"), ("2", "2"))
    assert (scores.problem, scores.primary, scores.classes()) == ("regression", "mse", None)


@pytest.mark.parametrize(("label", "prediction"), [("1", "nan"), ("inf", "1")])
def test_a_number_that_is_not_finite_is_refused_with_its_place(label: str, prediction: str) -> None:
    scores = scored(("1", "1"))
    scores.add(row(label, prediction, "line 2 of s3://b/a.out"))
    with pytest.raises(EvaluationError, match=r"line 2 of s3://b/a\.out has a number that is not finite"):
        scores.metrics()


def test_no_rows_are_refused() -> None:
    with pytest.raises(EvaluationError, match="wrote no rows"):
        Scores().metrics()


@pytest.mark.parametrize(
    ("primary", "own", "live", "verdict"),
    [
        ("mse", 4.0, {"mse": {"value": 5.0}}, True),
        ("mse", 5.0, {"mse": {"value": 5.0}}, False),
        ("accuracy", 0.9, {"accuracy": {"value": 0.8}}, True),
        ("accuracy", 0.7, {"accuracy": {"value": 0.8}}, False),
        ("accuracy", 0.7, {"mse": {"value": 0.8}}, None),
        ("accuracy", 0.7, {}, None),
    ],
)
def test_better_is_lower_for_errors_and_higher_for_accuracy(
    primary: str, own: float, live: dict[str, Metric], verdict: bool | None
) -> None:
    assert better(primary, {primary: {"value": own}}, live) is verdict


def test_rows_are_label_features_and_prediction_over_all_files() -> None:
    files = [("s3://b/1.out", ["9,M,0.4,8.7\n", "\n"]), ("s3://b/2.out", ['7,"I, J",0.3,6.5\n'])]
    first, second = read_rows(files)
    assert (first.label, first.prediction, first.body) == ("9", "8.7", "M,0.4")
    assert (second.label, second.prediction, second.body) == ("7", "6.5", '"I, J",0.3')
    assert second.place == "line 1 of s3://b/2.out"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["9,8.7\n"], "line 1 of s3://b/1.out has 2 columns"),
        (["9,M,0.4,8.7\n", "9,M,8.7\n"], "line 2 of s3://b/1.out has 3 columns and the first row 4"),
        (["9,M,0.4, \n"], "has no prediction"),
        ([",M,0.4,8.7\n"], "has no label"),
        (["9,M," + "0" * 140_000 + ",8.7\n"], "is not CSV"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_place(lines: list[str], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        list(read_rows([("s3://b/1.out", lines)]))


@given(st.integers(1, 500), st.integers(1, 12))
def test_a_spread_keeps_few_rows_from_the_whole_stream_and_always_the_first(length: int, limit: int) -> None:
    spread = Spread(limit)
    for index in range(length):
        spread.add(row(str(index), "0"))
    kept = [int(item.label) for item in spread.rows(limit)]
    assert len(kept) == min(length, limit)
    assert (kept[0], kept) == (0, sorted(set(kept)))
    assert kept[-1] >= (length - 1) / 4 or limit == 1
