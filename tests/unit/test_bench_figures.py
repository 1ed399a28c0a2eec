"""Medians, ratios of pairs and goals; what is printed of them."""

import io

import pytest
from rich.console import Console
from tests.bench.cloud import Memory
from tests.bench.cold_starts import Start
from tests.bench.features import FeatureRun
from tests.bench.figures import BenchError, Goal, Ratio, Spread, goal, milliseconds, times
from tests.bench.handling import Handling
from tests.bench.latency import Latency
from tests.bench.notebooks import MANY, SMALL, Saved, SavedTree
from tests.bench.report import Report, Sizes
from tests.bench.uploads import Intake, Uploads


def ratio(own: float, other: float = 1.0) -> Ratio:
    return Ratio.of([(own, other)])


def printed(report: Report) -> str:
    out = io.StringIO()
    report.show(Console(file=out, width=150))
    return out.getvalue()


def test_a_spread_is_the_middle_and_its_quarters() -> None:
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(2.0, 3.0, 4.0)


def test_a_single_value_is_its_own_spread() -> None:
    assert Spread.of([2.5]) == Spread(2.5, 2.5, 2.5)


def test_nothing_has_no_spread() -> None:
    with pytest.raises(BenchError, match="nothing was measured"):
        Spread.of([])


def test_pairs_that_are_slow_together_keep_their_ratio() -> None:
    found = Ratio.of([(1.1, 1.0), (2.2, 2.0), (11.0, 10.0)])

    assert times(found) == "1.10 × (1.10 to 1.10)"
    assert (found.own, found.other) == (2.2, 2.0)


def test_one_disturbed_pair_does_not_move_the_ratio() -> None:
    assert Ratio.of([(1.0, 1.0), (1.0, 1.0), (9.0, 1.0), (1.0, 1.0), (1.0, 1.0)]).spread.middle == 1.0


def test_nothing_can_be_compared_with_no_time() -> None:
    with pytest.raises(BenchError, match="no time at all"):
        Ratio.of([(1.0, 0.0)])


def test_a_goal_is_held_against_the_worst_and_says_where_it_is() -> None:
    found = goal("handling", 2.0, "ms", {"announce": 0.2, "start_run": 2.5})

    assert found == Goal("handling", 2.0, "ms", 2.5, "start_run")
    assert found.line == "missed: handling ≤ 2 ms (worst: 2.50 ms, start_run)"


def test_a_goal_is_met_at_its_limit() -> None:
    assert (
        goal("cold start", 1.15, "×", {"announce": 1.15}).line == "met: cold start ≤ 1.15 × (worst: 1.15 ×, announce)"
    )


def test_a_goal_of_nothing_is_no_goal() -> None:
    with pytest.raises(BenchError, match="nothing was measured"):
        goal("handling", 2.0, "ms", {})


@pytest.mark.parametrize(("seconds", "text"), [(0.0000812, "0.08 ms"), (0.0099, "9.90 ms"), (1.2345, "1,234 ms")])
def test_milliseconds_have_digits_where_they_are_few(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


def test_a_report_ends_with_a_line_for_each_goal() -> None:
    report = Report(
        starts=[Start("announce", "sesv2", 1, ratio(2.0), ratio(1.2), ratio(1.1))],
        handlings=[Handling("announce", 0.04, ratio(0.0002, 0.0001), 0.0003)],
        sizes=Sizes({"announce": 600}, 3_000_000),
        latencies=[Latency("upload → start", "PutObject → SQS", ratio(0.2, 0.02))],
        memory=Memory(50_000_000, 100_000_000, 200_000_000),
        notes=["Measured with 2 cores."],
    )

    lines = printed(report).splitlines()

    assert [line.split(":")[0] for line in lines[-4:]] == ["missed", "met", "met", "met"]
    assert lines[-5] == "Measured with 2 cores."
    text = printed(report)
    for found in ("1.20 × (1.20 to 1.20)", "1.10 × (1)", "0.20 ms", "0.6 kB", "10.00 × (10.00", "4.00 ×", "200 MB"):
        assert found in text


def test_two_runs_of_uploads_that_fit_one_are_a_missed_goal() -> None:
    crowds = [Uploads(10_000, 100, 2, 0.00001, 0.00002), Uploads(10, 10, 2, 0.00001, 0.0047)]

    text = printed(Report(intake=Intake(crowds, ratio(1.9))))

    assert [line.split(":")[0] for line in text.splitlines()[-2:]] == ["met", "missed"]
    assert "10 uploads, 10 a second" in text.splitlines()[-1]
    assert "$0.0047000" in text


def test_the_feature_job_is_shown_beside_pandas_with_its_speed_and_its_memory() -> None:
    runs = [FeatureRun(1_000_000, ratio(50.0, 10.0), (60_000_000, 600_000_000))]

    text = printed(Report(features=runs))

    assert all(found in text for found in ("5.00 × (5.00", "20,000, 100,000", "0.10 ×", "60 MB, 600 MB"))
    assert text.splitlines()[-1] == "met: memory of the feature job ≤ 300 MB (worst: 60.00 MB, 1,000,000 rows)"


def test_snapshots_are_shown_beside_the_first_sync_and_a_million_files_for_the_memory_alone() -> None:
    small = SavedTree(SMALL, (Saved(10, 30, 100_000_000), Saved(4, 20)), (Saved(100, 20_000), Saved(9, 40)))
    many = SavedTree(MANY, (Saved(90, 900, 250_000_000), Saved(60, 20)), None)

    text = printed(Report(notebooks=[small, many]))

    assert all(found in text for found in ("10.0 s", "100.0 s", "20,000", "250 MB"))
    assert text.splitlines()[-4:] == [
        "met: first snapshot, beside the first sync ≤ 1 × (worst: 0.1 ×, 20,000 small files)",
        "met: requests of the first snapshot, beside the first sync ≤ 0.1 × (worst: 0.0015 ×, 20,000 small files)",
        "met: second snapshot, beside the first sync ≤ 0.05 × (worst: 0.04 ×, 20,000 small files)",
        "missed: memory of the worker ≤ 200 MB (worst: 250.00 MB, 1,000,000 tiny files)",
    ]


def test_what_was_not_measured_is_not_in_the_report() -> None:
    text = printed(Report(sizes=Sizes({"announce": 600}, 1)))

    assert "Cold start" not in text
    assert text.splitlines()[-1] == "met: a function's own code, zipped ≤ 100 kB (worst: 0.6 kB, announce)"
