"""Measuring predictions."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.problems import Problem
from signalbox.evaluation.model import EvaluationError, Row
from signalbox.evaluation.rows import Spread, read_rows
from signalbox.evaluation.scores import Scores

NUMBERS = st.floats(-1e3, 1e3)


def row(label: str, prediction: str, place: str = "line 1") -> Row:
    return Row(label, prediction, ("M", "0.4"), place)


def scored(*pairs: tuple[str, str], problem: Problem = "regression") -> Scores:
    scores = Scores(problem)
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
    pairs = [("setosa", "setosa"), ("setosa", "virginica"), ("virginica", "virginica"), ("1", "1")]
    scores = scored(*pairs, problem="multiclass")
    assert scores.primary == "accuracy"
    assert scores.metrics() == {"accuracy": {"value": 0.75, "standard_deviation": math.sqrt(0.75 * 0.25 / 4)}}
    assert scores.classes() == {
        "1": {"rows": 1, "right": 1},
        "setosa": {"rows": 2, "right": 1},
        "virginica": {"rows": 1, "right": 1},
    }


def test_a_regression_has_no_classes() -> None:
    scores = scored(("1", "1.5"), ("2", "2"))
    assert (scores.primary, scores.classes()) == ("mse", None)


def test_ids_of_classes_are_classes_however_the_model_writes_them() -> None:
    pairs = [("1", "1.0"), ("2", "2.000000000000000000e+00"), ("3", "1"), ("01", "1")]
    scores = scored(*pairs, problem="multiclass")
    assert scores.metrics()["accuracy"]["value"] == 0.5
    assert scores.classes() == {
        "01": {"rows": 1, "right": 0},
        "1": {"rows": 1, "right": 1},
        "2": {"rows": 1, "right": 1},
        "3": {"rows": 1, "right": 0},
    }


def test_a_number_between_the_labels_0_and_1_is_the_probability_of_1() -> None:
    scores = scored(("1", "0.83"), ("0", "0.2"), ("1", "0.49999"), ("0", "0"), ("1.0", "1"), problem="binary")
    assert scores.metrics()["accuracy"]["value"] == 0.8
    assert scores.threshold == 0.5
    assert scores.classes() == {"0": {"rows": 2, "right": 2}, "1": {"rows": 3, "right": 2}}


def test_answers_that_are_the_labels_themselves_have_no_threshold() -> None:
    assert scored(("1", "1"), ("0", "1"), problem="binary").threshold is None
    assert scored(("yes", "no"), ("no", "no"), problem="binary").metrics()["accuracy"]["value"] == 0.5


@pytest.mark.parametrize(
    ("problem", "pairs", "message"),
    [
        ("regression", [("1", "nan")], "the model answered 'nan', which is not a finite number"),
        ("regression", [("inf", "1")], "the label 'inf' is not a finite number, as a regression needs"),
        ("regression", [("N/A", "1")], "the label 'N/A' is not a finite number"),
        ("regression", [("1,234.5", "1")], "the label '1,234.5' is not a finite number"),
        ("regression", [("1_000", "1")], "the label '1_000' is not a finite number"),
        ("regression", [("1", "0.4_5")], "the model answered '0.4_5'"),
        ("regression", [("1", "\N{ARABIC-INDIC DIGIT FOUR}")], "which is not a finite number"),
        ("regression", [("1", "[0.83]")], r"the model answered '\[0.83\]'"),
        ("regression", [("1e200", "1")], "too far apart"),
        ("binary", [("0", "0.2"), ("1", "1.7")], r"more than two classes \('0', '1', '1.7'\)"),
        ("binary", [("yes", "no"), ("maybe", "no")], "the label 'maybe' and the answer 'no' there are more than two"),
        ("binary", [("yes", "0.9"), ("no", "0.2")], "a binary model answers one of two labels, or the probability"),
    ],
)
def test_a_row_that_does_not_fit_the_stated_problem_is_refused_by_file_and_line(
    problem: Problem, pairs: list[tuple[str, str]], message: str
) -> None:
    scores = scored(*pairs[:-1], problem=problem)
    with pytest.raises(EvaluationError, match=rf"line 7 of s3://b/a\.out.*{message}"):
        scores.add(row(*pairs[-1], "line 7 of s3://b/a.out"))


@pytest.mark.parametrize("first", [True, False])
def test_a_label_that_is_no_number_may_be_a_header_only_in_the_first_row(first: bool) -> None:
    with pytest.raises(EvaluationError, match="the label 'Rings' is not") as refused:
        Scores("regression").add(Row("Rings", "9", ("M",), "line 1 of f", first))
    assert ("A header?" in str(refused.value)) is first


@pytest.mark.parametrize(
    ("problem", "pairs"),
    [
        ("multiclass", [("setosa", "0.91"), ("virginica", "0.3")]),
        ("multiclass", [("setosa", "0"), ("virginica", "1")]),
        ("binary", [("yes", "1"), ("yes", "1")]),
    ],
)
def test_answers_none_of_which_is_a_label_are_shown_and_refused(problem: Problem, pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(EvaluationError, match=r"it answered '.*', and the labels are '.*'\. It has to"):
        scored(*pairs, problem=problem).metrics()


def test_a_binary_model_that_is_always_wrong_is_measured_as_that() -> None:
    assert scored(("0", "1"), ("0", "1"), problem="binary").metrics()["accuracy"]["value"] == 0


def test_no_rows_are_refused() -> None:
    with pytest.raises(EvaluationError, match="wrote no rows"):
        Scores("regression").metrics()


def read(*lines: str, columns: int = 3) -> list[Row]:
    return list(read_rows(["s3://b/1.out"], lambda _uri: lines, columns))


def test_rows_are_label_features_and_prediction_over_all_files() -> None:
    files = {"s3://b/1.out": ["9,M,0.4,8.7\n", "\n"], "s3://b/2.out": ['7,"I, J",0.3,6.5\n']}
    first, second = read_rows(files, files.__getitem__, 3)
    assert (first.label, first.prediction, first.body) == ("9", "8.7", "M,0.4")
    assert (second.label, second.prediction, second.body) == ("7", "6.5", '"I, J",0.3')
    assert (second.place, second.first) == ("line 1 of s3://b/2.out", True)


def test_a_byte_order_mark_is_no_part_of_a_files_first_label() -> None:
    assert read("\ufeff9,M,0.4,8.7\r\n", "8,M,0.4,8.7\r\n")[0].label == "9"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["9,8.7\n"], "line 1 of s3://b/1.out has 2 columns, and 3 of the test data and an answer are needed"),
        (["9,M,0.4,8.7\n", "9,M,8.7\n"], "line 2 of s3://b/1.out has 3 columns"),
        (["9,M,0.4,0.1,0.9\n"], "line 1 of s3://b/1.out: the model answered '0.1,0.9' behind the 3 columns"),
        (["9,M,0.4,[0.1, 0.9]\n"], r"the model answered '\[0.1, 0.9\]' behind"),
        (["9,M,0.4, \n"], "has no prediction"),
        ([",M,0.4,8.7\n"], "has no label"),
        (["9,M," + "0" * 140_000 + ",8.7\n"], "is not CSV"),
        (['9,"I,8.7\n', 'J",0.4,8.7\n'], "line 1 of s3://b/1.out ends inside a quoted cell.*no line break"),
        (["kind,sex,size,a\n", "a,M,0.4,a\n"], "line 1 of s3://b/1.out begins with 'kind': a header?"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_place(lines: list[str], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        read(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["kind,sex,size,a\n", "a,M,,a\n", "b,F,0.4,b\n"],
        ["kind,length,size,a\n", "a,N/A,,a\n", "b,,0.4,b\n", "a,0.2,,a\n"],
        ["kind,sex,size,a\n", "a,M,?,a\n"] + ["b,F,,b\n"] * 200 + ["a,M,0.4,a\n"],
        ["kind,,size,a\n", "a,M,,a\n", "b,F,0.2,b\n"],
        ["kind,colour,shape,1\n", "1,red,round,1\n", "0,blue,long,1\n"],
    ],
)
def test_a_header_is_refused_whatever_the_row_below_it_lacks(lines: list[str]) -> None:
    with pytest.raises(EvaluationError, match=r"line 1 of s3://b/1\.out begins with 'kind': a header\?"):
        read(*lines)


def test_a_header_is_found_in_a_later_file_and_in_one_that_has_nothing_else() -> None:
    files = {"s3://b/1.out": ["a,M,,a\n", "b,F,0.4,b\n"], "s3://b/2.out": ["kind,sex,size,a\n"]}
    with pytest.raises(EvaluationError, match=r"line 1 of s3://b/2\.out begins with 'kind': a header\?"):
        list(read_rows(files, files.__getitem__, 3))


@pytest.mark.parametrize(
    "lines",
    [
        ["a,unknown,,a\n", "b,0.2,0.4,b\n"],
        ["a,red,round,a\n", "b,blue,long,b\n"],
        ["other,red,round,1\n", "1,blue,long,1\n", "other,red,long,1\n"],
        ["other,red,round,1\n"],
        ["a,red,,1\n", "b,,,1\n"],
    ],
)
def test_a_first_row_that_looks_like_the_others_is_no_header(lines: list[str]) -> None:
    assert len(read(*lines)) == len(lines)


def test_a_first_row_that_only_lacks_its_numbers_is_no_header() -> None:
    assert len(read("a,M,N/A,a\n", "b,M,0.4,b\n")) == 2


@given(st.integers(1, 500), st.integers(1, 12))
def test_a_spread_keeps_few_rows_from_the_whole_stream_and_always_the_first(length: int, limit: int) -> None:
    spread = Spread(limit)
    for index in range(length):
        spread.add(row(str(index), "0"))
    kept = [int(item.label) for item in spread.rows(limit)]
    assert len(kept) == min(length, limit)
    assert (kept[0], kept) == (0, sorted(set(kept)))
    assert kept[-1] >= (length - 1) / 4 or limit == 1
