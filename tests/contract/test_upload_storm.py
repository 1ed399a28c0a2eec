"""Five times every event, shuffled, up to an hour late; each call to AWS struck in turn: each upload is in one run."""

from collections import Counter
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.uploads.model import SUCCEEDED
from signalbox.uploads.table import UploadsTable
from signalbox_operate import rerunning
from tests.bench import prices, uploads
from tests.support.storm import STRIKES, TABLE, Calm, InTurn, Storm, Strike, storm
from tests.support.uploads import BUCKET, PIPELINE

GOOD = [f"incoming/{number}.csv" for number in range(24)]
BAD = [f"incoming/bad-{number}.csv" for number in range(6)]


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def played(raging: Storm) -> UploadsTable:
    """Let uploads come for six hours, some bad; then run again what those took down, and return the table."""
    raging.executions.fails = lambda keys: bool({*BAD} & {*keys})
    for key in (*GOOD, *BAD):
        raging.at(raging.chance.uniform(0, 21_600), lambda key=key: raging.upload(key))  # type: ignore[misc]
    for _ in range(3):
        raging.send("record_uploads", "nonsense")
    raging.settle()
    table = Table(TABLE, boto3.client("dynamodb"))
    stored = UploadsTable(table, PIPELINE)
    for failed in (run for run, _ in stored.newest(1_000) if run.status == "Failed"):
        others = [one for one in stored.taken(failed) if one.key not in BAD]
        assert rerunning.give_back(failed, others, table, moments.now()) == len(others)
    for _ in range(2):  # a last run whose end nobody tells of is closed when the next is asked for
        raging.ask_for_a_run()
        raging.settle()
    return stored


def check(raging: Storm, table: UploadsTable) -> None:
    """Hold what is promised whatever happens."""
    runs = {run.id: run for run, _ in table.newest(1_000)}
    taken = Counter(one.key for run in runs.values() if run.status == SUCCEEDED for one in table.taken(run))
    assert taken == Counter(GOOD)
    ends = {key: [runs[str(one.run)].status for one in table.history(BUCKET, key)] for key in (*GOOD, *BAD)}
    assert ends == {key: ["Failed" if key in BAD else SUCCEEDED] for key in (*GOOD, *BAD)}
    assert {run.status for run in runs.values()} <= {SUCCEEDED, "Failed", "Empty"}
    assert table.waiting() == []
    assert sorted(raging.executions.states) == sorted(str(run.execution) for run in runs.values() if run.execution)
    assert raging.executions.most_at_once == 1
    assert {letter["MessageBody"] for letter in raging.letters} == {"nonsense"}
    assert raging.gave_up == []
    assert raging.failures == 0


def test_a_storm_without_strikes_brings_no_message_back_and_one_mail_for_each_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with storm(monkeypatch, Calm()) as raging:
        check(raging, played(raging))
    assert len(raging.letters) == 3
    assert len(raging.mails) == raging.executions.failed


@pytest.mark.parametrize("strike", STRIKES)
def test_each_upload_is_in_one_successful_run_whichever_call_is_struck(
    strike: Strike, monkeypatch: pytest.MonkeyPatch
) -> None:
    strikes = InTurn(strike)
    with storm(monkeypatch, strikes, seed=STRIKES.index(strike)) as raging:
        check(raging, played(raging))
    # More strikes than calls lie on the longest way of each: an upload, a run, and a mail about one.
    assert strikes.struck["record_uploads"] >= 6
    assert strikes.struck["start_run"] >= 19
    assert strikes.struck["report_run"] >= 5
    assert raging.executions.failed <= len(raging.mails) <= raging.executions.failed + 1


@pytest.mark.parametrize(("number", "rate"), [(1, 1), (40, 4)])
def test_a_crowd_whose_gaps_are_shorter_than_the_quiet_time_is_one_run_and_cheaper_for_each(
    number: int, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with storm(monkeypatch, Calm(), quiet=uploads.QUIET_SECONDS, poll=uploads.POLL_SECONDS) as calm:
        found = uploads.crowd(calm, number, rate)

    assert found.runs == 1
    assert found.whole - found.way == pytest.approx(prices.RUN / number)
    assert prices.TRAIL + prices.HEAD + 4 * prices.WRITE < found.way < 0.0001
