"""Two models on the same rows: differences, intervals, verdicts."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.problems import Problem
from signalbox.evaluation.judging import LOWER_IS_BETTER
from signalbox.evaluation.model import Row
from signalbox.evaluation.paired import LEAST_ROWS, Paired, interval, student, verdict
from signalbox.evaluation.scores import Mean

type Numbers = tuple[float, float, float]


def drawn(seed: int, rows: int) -> list[Numbers]:
    """Return label, this model's answer and the live model's of each row: any numbers, and often the same ones."""
    draw = random.Random(seed)  # noqa: S311  # the same rows for the same seed
    places = draw.choice((0, 0, 1, 3))
    return [
        (round(draw.uniform(-9, 9), places), round(draw.uniform(-9, 9), places), round(draw.uniform(-9, 9), places))
        for _ in range(rows)
    ]


SEEDS = st.integers(0, 10**9)
ANSWERS = st.builds(drawn, SEEDS, st.integers(LEAST_ROWS, 60))
FEW_ANSWERS = st.builds(drawn, SEEDS, st.integers(1, LEAST_ROWS - 1))
CLASSES = ANSWERS.map(lambda rows: [tuple("abc"[round(number) % 3] for number in row) for row in rows])
OPPOSITE = {"better": "worse", "worse": "better", "no clear difference": "no clear difference"}


def paired(problem: Problem, answers: list[tuple[object, object, object]]) -> Paired:
    found = Paired(problem)
    for label, own, live in answers:
        found.add(Row(str(label), str(own), ("1",), "line"), str(live))
    return found


def mean(values: list[float]) -> Mean:
    found = Mean()
    for value in values:
        found.add(value)
    return found


@given(ANSWERS)
def test_the_difference_of_two_regressions_is_that_of_their_errors_row_by_row(
    answers: list[Numbers],
) -> None:
    found = paired("regression", [*answers])
    errors = [(label - own) ** 2 - (label - live) ** 2 for label, own, live in answers]
    difference, rows = found.differences()["mse"], len(answers)
    reach = student(rows - 1) * statistics.stdev(errors) / math.sqrt(rows)
    assert difference["value"] == pytest.approx(statistics.fmean(errors), abs=1e-6)
    assert difference["low"] == pytest.approx(statistics.fmean(errors) - reach, rel=1e-6, abs=1e-6)
    assert difference["high"] == pytest.approx(statistics.fmean(errors) + reach, rel=1e-6, abs=1e-6)
    own, live = found.own.metrics()["mse"]["value"], found.live.metrics()["mse"]["value"]
    assert own - live == pytest.approx(difference["value"], abs=1e-6)


@given(ANSWERS)
def test_two_models_that_change_places_change_their_verdicts_too(answers: list[Numbers]) -> None:
    forth = paired("regression", [*answers]).differences()
    back = paired("regression", [(label, live, own) for label, own, live in answers]).differences()
    for name, one in forth.items():
        assert back[name]["verdict"] == OPPOSITE[one["verdict"]]
        assert (back[name]["low"], back[name]["high"]) == (-(one["high"] or 0), -(one["low"] or 0))


@given(CLASSES)
def test_the_difference_of_two_classifiers_is_that_of_their_accuracies_and_lies_near_its_interval(
    answers: list[tuple[str, str, str]],
) -> None:
    found = paired("multiclass", [("a", "a", "a"), *answers])
    difference, rows = found.differences()["accuracy"], len(answers) + 1
    low, high = difference["low"], difference["high"]
    assert low is not None
    assert high is not None
    own = sum(label == answer for label, answer, _ in answers) - sum(label == live for label, _, live in answers)
    assert difference["value"] == pytest.approx(own / rows)
    assert low < own / (rows + 2) < high
    assert low >= -1
    assert high <= 1


@given(ANSWERS)
def test_the_same_answers_are_no_clear_difference(answers: list[Numbers]) -> None:
    found = paired("regression", [(label, own, own) for label, own, _ in answers])
    assert {one["verdict"] for one in found.differences().values()} == {"no clear difference"}
    assert {one["value"] for one in found.differences().values()} == {0}


@given(FEW_ANSWERS)
def test_few_rows_have_no_interval_and_no_verdict(answers: list[Numbers]) -> None:
    for one in paired("regression", [*answers]).differences().values():
        assert (one["low"], one["high"], one["verdict"]) == (None, None, "no clear difference")


@given(st.floats(-9, 9), st.floats(0, 9), st.booleans())
def test_a_verdict_is_clear_only_if_the_interval_leaves_out_zero(low: float, width: float, lower: bool) -> None:
    said = verdict(low, low + width, lower)
    assert (said == "no clear difference") == (low <= 0 <= low + width)
    if said != "no clear difference":
        assert (said == "better") == ((low < 0) == lower)


def test_lower_errors_and_higher_accuracy_are_better() -> None:
    assert LOWER_IS_BETTER == {"mse": True, "mae": True, "accuracy": False}
    better = paired("regression", [(n, n + n % 2, n + 2) for n in range(40)]).differences()
    assert {one["verdict"] for one in better.values()} == {"better"}
    worse = paired("binary", [("1", n % 2, 1) for n in range(40)]).differences()
    assert worse["accuracy"]["verdict"] == "worse"


def test_a_model_that_is_better_by_a_third_of_the_standard_error_is_not_called_better() -> None:
    draw = random.Random(5)  # noqa: S311  # the same rows in each run
    answers = [(0.0, draw.gauss(0, 1), draw.gauss(0, 1.01)) for _ in range(300)]
    assert paired("regression", [*answers]).differences()["mse"]["verdict"] == "no clear difference"


@pytest.mark.parametrize(("freedom", "table"), [(20, 2.086), (29, 2.045), (60, 2.000), (120, 1.980), (100_000, 1.960)])
def test_students_quantile_is_that_of_the_table(freedom: int, table: float) -> None:
    assert student(freedom) == pytest.approx(table, abs=0.001)


def test_the_interval_of_a_mean_holds_the_true_difference_in_95_of_100_test_sets() -> None:
    draw = random.Random(1)  # noqa: S311  # the same rows in each run
    held = 0
    for _ in range(2_000):
        low, high = interval(mean([draw.gauss(0.3, 1) for _ in range(40)]), share=False)
        held += low <= 0.3 <= high
    assert 0.935 <= held / 2_000 <= 0.965


@pytest.mark.parametrize(("wins", "losses"), [(0.05, 0.05), (0.3, 0.1), (0.1, 0.02)])
def test_the_interval_of_a_share_holds_the_true_difference_in_95_of_100_test_sets(wins: float, losses: float) -> None:
    draw = random.Random(2)  # noqa: S311  # the same rows in each run
    held = 0
    for _ in range(2_000):
        rows = draw.choices([1.0, -1.0, 0.0], [wins, losses, 1 - wins - losses], k=100)
        low, high = interval(mean(rows), share=True)
        held += low <= wins - losses <= high
    assert held / 2_000 >= 0.94


def test_the_interval_of_a_share_is_that_of_the_paper() -> None:
    # 0.5 in each of the four cells, then the simple interval: of 86 rows 16 and 8 are right for one model alone.
    rows = [0.0] * 62 + [1.0] * 16 + [-1.0] * 8
    low, high = interval(mean(rows), share=True)
    middle, discordant, number = 8 / 88, 25 / 88, 88
    reach = 1.959964 * math.sqrt((discordant - middle**2) / number)
    assert low == pytest.approx(middle - reach)
    assert high == pytest.approx(middle + reach)
