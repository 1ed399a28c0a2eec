"""The in-memory stand-in and the table in DynamoDB keep the same promises."""

from collections.abc import Callable, Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.uploads import BUCKET, EXECUTION, PIPELINE, MemoryNotificationLog, MemoryTable

from signalbox import moments
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.table import Table
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.model import CLAIMED, STARTED, ReportUnderWayError, Run, RunConflictError, Upload, Wish
from signalbox.uploads.table import UploadsTable

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REGION = "us-east-1"
TABLE = "uploads"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryTable()
        return
    with mock_aws():
        yield UploadsTable(Table(TABLE, created_table(TABLE)), PIPELINE)


@pytest.fixture
def part_of(table: Any) -> Callable[[str], Any]:
    """Return the part of the same table that another pipeline has."""
    if isinstance(table, MemoryTable):
        return table.tables
    return partial(UploadsTable, Table(TABLE, boto3.client("dynamodb")))


@pytest.fixture(params=["memory", "dynamodb"])
def log(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryNotificationLog()
        return
    with mock_aws():
        yield NotificationTable(Table(TABLE, created_table(TABLE)))


def an_upload(number: int = 1, version: str = "v1") -> Upload:
    return Upload(BUCKET, f"incoming/{number}.csv", version, 10, moments.text_of(NOW + timedelta(seconds=number % 60)))


def a_run(number: int = 1) -> Run:
    return Run(PIPELINE, number, NOW)


def claimed(table: Any, *uploads: Upload) -> Run:
    taking(table, *uploads)
    run: Run = table.move(a_run(), CLAIMED, at=NOW)
    return run


def test_an_upload_is_written_down_once(table: Any) -> None:
    assert table.record(an_upload())
    assert not table.record(replace(an_upload(), recorded_at="2026-11-21T00:00:00.000000Z"))
    assert table.waiting(most=10) == [an_upload()]


def test_another_version_of_the_same_key_is_another_upload(table: Any) -> None:
    assert table.record(an_upload(version="v1"))
    assert table.record(an_upload(version="v2"))
    assert len(table.waiting(most=10)) == 2
    assert [upload.version for upload in table.history(BUCKET, "incoming/1.csv")] == ["v1", "v2"]


def test_what_is_set_aside_waits_no_more_and_keeps_why(table: Any) -> None:
    table.record(an_upload(1))
    table.record(an_upload(2))
    table.set_aside(an_upload(1), "replaced", "by version v2", NOW)
    assert table.waiting() == [an_upload(2)]
    (known,) = table.history(BUCKET, "incoming/1.csv")
    assert (known.state, known.detail, known.run) == ("replaced", "by version v2", None)
    assert not table.record(an_upload(1))
    assert table.waiting() == [an_upload(2)]


def test_what_a_run_has_taken_is_not_set_aside(table: Any) -> None:
    run = claimed(table, an_upload())
    table.set_aside(an_upload(), "replaced", "by version v2", NOW)
    (known,) = table.history(BUCKET, "incoming/1.csv")
    assert (known.state, known.run) == ("", run.id)
    assert len(table.taken(run)) == 1


def test_what_is_set_aside_cannot_be_taken(table: Any) -> None:
    table.record(an_upload())
    table.open(a_run())
    table.set_aside(an_upload(), "refused", "it names no file", NOW)
    with pytest.raises(RunConflictError):
        table.take(a_run(), [an_upload()])


def test_a_run_keeps_which_of_its_uploads_names_the_others_since_when_s3_has_it_and_what_is_missing(table: Any) -> None:
    named = replace(an_upload(), modified="2026-11-20T11:00:00.000000Z")
    table.record(named)
    assert table.waiting() == [named]
    table.open(a_run())
    table.take(a_run(), [replace(named, names_files=True)])
    table.move(replace(a_run(), lacks="without a.csv"), CLAIMED, at=NOW)
    assert [(one.names_files, one.modified) for one in table.taken(a_run())] == [(True, named.modified)]
    assert table.latest().lacks == "without a.csv"


def test_the_oldest_wait_first_and_no_more_than_asked_for(table: Any) -> None:
    for number in (3, 1, 2):
        table.record(an_upload(number))
    assert [upload.key for upload in table.waiting(most=2)] == ["incoming/1.csv", "incoming/2.csv"]


def test_a_taken_upload_waits_no_more_and_names_its_run(table: Any) -> None:
    table.record(an_upload())
    table.open(a_run())
    table.take(a_run(), [an_upload()])
    taken = replace(an_upload(), run=a_run().id)
    assert table.waiting(most=10) == []
    assert table.taken(a_run()) == [taken]
    assert table.history(BUCKET, "incoming/1.csv") == [replace(taken, pipeline=PIPELINE)]


def test_who_uploaded_goes_with_the_upload_wherever_it_is(table: Any) -> None:
    named = replace(an_upload(), by="user/ann")
    table.record(named)
    assert table.waiting(most=10) == [named]
    table.open(a_run())
    table.take(a_run(), [named])
    assert [upload.by for upload in (*table.taken(a_run()), *table.history(BUCKET, "incoming/1.csv"))] == [
        "user/ann"
    ] * 2


def uploaders(table: Any) -> list[str]:
    found = (*table.waiting(most=10), *table.taken(a_run()), *table.history(BUCKET, "incoming/1.csv"))
    return [upload.by for upload in found]


def test_who_uploaded_is_added_by_a_later_event_and_changed_by_none(table: Any) -> None:
    table.record(an_upload())
    later = replace(an_upload(), recorded_at="2026-11-21T00:00:00.000000Z")
    assert not table.record(replace(later, by="user/ann"))
    assert not table.record(replace(later, by="user/ben"))
    assert not table.record(later)
    assert table.waiting(most=10) == [replace(an_upload(), by="user/ann")]
    assert uploaders(table) == ["user/ann"] * 2


def test_who_uploaded_is_added_to_what_a_run_has_taken(table: Any) -> None:
    claimed(table, an_upload())
    assert not table.record(replace(an_upload(), by="user/ann"))
    assert table.waiting(most=10) == []
    assert uploaders(table) == ["user/ann"] * 2


def test_who_uploaded_is_added_to_what_waits_for_another_pipeline_by_now(
    table: Any, part_of: Callable[[str], Any]
) -> None:
    table.record(an_upload())
    table.hand_over([an_upload()], "signalbox-wine")
    assert not table.record(replace(an_upload(), by="user/ann"))
    assert part_of("signalbox-wine").waiting(most=10) == [replace(an_upload(), by="user/ann")]


def test_a_repeated_event_of_a_taken_upload_does_not_wait_again(table: Any) -> None:
    claimed(table, an_upload())
    assert not table.record(an_upload())
    assert table.waiting(most=10) == []


def test_more_uploads_than_fit_a_transaction_are_all_taken(table: Any) -> None:
    uploads = [an_upload(number) for number in range(70)]
    run = claimed(table, *uploads)
    assert {upload.key for upload in table.taken(run)} == {upload.key for upload in uploads}


def test_an_upload_is_not_taken_twice(table: Any) -> None:
    claimed(table, an_upload())
    table.open(a_run(2))
    with pytest.raises(RunConflictError):
        table.take(a_run(2), [an_upload()])
    assert table.taken(a_run(2)) == []


def test_a_sealed_run_takes_nothing_more(table: Any) -> None:
    run = claimed(table, an_upload())
    table.record(an_upload(2))
    with pytest.raises(RunConflictError):
        table.take(run, [an_upload(2)])
    assert table.waiting(most=10) == [an_upload(2)]


def test_uploads_that_are_handed_over_wait_there_in_their_order_and_here_no_more(
    table: Any, part_of: Callable[[str], Any]
) -> None:
    for number in range(70):
        table.record(an_upload(number))
    other, before = part_of("signalbox-wine"), table.waiting()
    table.hand_over(before[5:], "signalbox-wine")
    assert (table.waiting(), other.waiting()) == (before[:5], before[5:])
    assert [upload.pipeline for upload in table.history(BUCKET, "incoming/9.csv")] == ["signalbox-wine"]
    assert not table.record(an_upload(9))
    assert not other.record(an_upload(9))


def test_an_upload_is_handed_over_once(table: Any, part_of: Callable[[str], Any]) -> None:
    table.record(an_upload())
    table.hand_over([an_upload()], "signalbox-wine")
    with pytest.raises(RunConflictError):
        table.hand_over([an_upload()], "signalbox-beer")
    assert (len(part_of("signalbox-wine").waiting()), part_of("signalbox-beer").waiting()) == (1, [])


def test_an_upload_that_a_run_has_taken_is_not_handed_over(table: Any) -> None:
    claimed(table, an_upload())
    with pytest.raises(RunConflictError):
        table.hand_over([an_upload()], "signalbox-wine")


def test_the_upload_that_was_recorded_last_is_found_without_the_others(table: Any) -> None:
    assert table.last_waiting() is None
    for number in (2, 3, 1):
        table.record(an_upload(number))
    assert table.last_waiting() == an_upload(3)


def test_a_run_keeps_where_its_manifest_lies_and_how_many_files_are_copied(table: Any) -> None:
    run = a_run()._replace(folder="manifests/signalbox-abalone")
    table.open(run)
    table.note(run._replace(copied=7, has_manifest=True), "copies")
    found = table.latest()
    assert (found.folder, found.copied, found.has_manifest) == ("manifests/signalbox-abalone", 7, True)


def test_a_run_number_is_given_once(table: Any) -> None:
    assert table.latest() is None
    table.open(a_run())
    with pytest.raises(RunConflictError):
        table.open(a_run())
    table.open(a_run(2))
    assert table.latest() == a_run(2)


def test_a_run_keeps_what_it_repeats_the_commit_and_how_much_of_its_input_it_had(table: Any) -> None:
    run = a_run()._replace(status=CLAIMED, repeats="signalbox-abalone-000000", commit="c1", copied=2)
    table.open(run)
    assert table.latest() == run
    started = table.move(run._replace(copied=7, has_manifest=True), STARTED, at=NOW, execution=f"{EXECUTION}1")
    assert table.latest() == started
    assert (started.copied, started.has_manifest, started.commit) == (7, True, "c1")
    assert table.run_of(f"{EXECUTION}1") == started


def test_a_run_that_repeats_another_is_over_its_uploads_and_takes_none(table: Any) -> None:
    first = claimed(table, an_upload())
    again = replace(a_run(2), status=CLAIMED, repeats=first.id)
    table.open(again)
    table.record(an_upload(2))
    with pytest.raises(RunConflictError):
        table.take(again, [an_upload(2)])
    assert (table.taken(again), table.input_of(again)) == ([], table.taken(first))
    assert table.input_of(first) == table.taken(first)


def test_the_run_to_repeat_is_the_last_that_succeeded_over_uploads_of_its_own_else_the_last_with_some(
    table: Any,
) -> None:
    assert table.last_with_uploads() is None
    runs = [a_run(number) for number in range(1, 6)]
    for run, status in zip(runs, ("Failed", "Succeeded", "Stopped", "Empty", "Succeeded"), strict=True):
        table.open(run if run.number < 5 else replace(run, status=CLAIMED, repeats=runs[0].id))
        if run.number < 4:
            table.record(an_upload(run.number))
            table.take(run, [an_upload(run.number)])
        found = table.last_with_uploads()
        assert found.number == min(run.number, 3) if run.number < 3 else found.number == 2
        table.move(table.latest(), status, at=NOW)
    assert table.last_with_uploads().number == 2


def test_a_commit_is_asked_for_once_and_a_later_one_takes_its_place(table: Any) -> None:
    assert table.wish() is None
    assert table.ask_again("c1", NOW)
    assert not table.ask_again("c1", NOW + timedelta(days=1))
    assert table.wish() == Wish("c1")
    assert table.ask_again("c2", NOW)
    assert not table.ask_again("c1", NOW)
    assert table.wish() == Wish("c2")
    assert table.ask_again("c1", NOW, 3)  # a force push leads back to it
    assert not table.ask_again("c1", NOW, 3)
    assert table.wish() == Wish("c1")
    assert table.latest() is None  # a wish is no run


def test_a_wish_is_one_pipelines_alone(table: Any, part_of: Callable[[str], Any]) -> None:
    other = part_of("signalbox-wine")
    assert table.ask_again("c1", NOW)
    assert other.wish() is None
    assert other.ask_again("c1", NOW)


def test_a_run_is_opened_with_the_wish_that_it_fulfils_or_not_at_all(table: Any) -> None:
    table.ask_again("c1", NOW)
    table.ask_again("c2", NOW)
    with pytest.raises(RunConflictError):
        table.open(a_run(), Wish("c1"))
    assert (table.latest(), table.wish()) == (None, Wish("c2"))
    table.open(a_run(), Wish("c2"))
    assert (table.latest(), table.wish()) == (a_run(), Wish("c2", a_run().id))
    with pytest.raises(RunConflictError):
        table.open(a_run(2), Wish("c2"))
    with pytest.raises(RunConflictError):
        table.open(a_run(1), Wish("c2", a_run().id))
    table.open(a_run(2), Wish("c2", a_run().id))
    assert table.wish() == Wish("c2", a_run(2).id)
    assert table.ask_again("c3", NOW)
    assert table.wish() == Wish("c3")


def test_a_run_moves_only_from_the_state_it_is_in(table: Any) -> None:
    run = claimed(table, an_upload())
    started = table.move(run, STARTED, at=NOW, execution=f"{EXECUTION}1")
    assert table.latest() == started
    assert (started.execution, started.started_at, started.open) == (f"{EXECUTION}1", NOW, True)
    assert table.run_of(f"{EXECUTION}1") == started
    assert table.run_of(f"{EXECUTION}2") is None
    with pytest.raises(RunConflictError):
        table.move(run, STARTED, at=NOW, execution=f"{EXECUTION}2")
    over = table.move(started, "Failed", at=NOW, reason="exit code 1")
    assert table.find(run.id) == over
    assert (over.execution, over.reason, over.open) == (f"{EXECUTION}1", "exit code 1", False)


def test_a_note_beside_a_run_does_not_change_its_state(table: Any) -> None:
    run = claimed(table, an_upload())
    table.note(run, "the quota is used up")
    noted = replace(run, waits_for="the quota is used up")
    assert table.latest() == noted
    assert table.find(run.id) == noted
    assert table.find("another") is None
    assert table.find(replace(run, number=2).id) is None
    assert table.find(replace(run, created_at=NOW - timedelta(days=1)).id) is None


def taking(table: Any, *uploads: Upload) -> Run:
    for upload in uploads:
        table.record(upload)
    table.open(a_run())
    table.take(a_run(), uploads)
    return a_run()


def test_an_upload_that_is_gone_keeps_its_run_which_has_it_no_more(table: Any) -> None:
    run = taking(table, an_upload(), an_upload(2))
    table.leave_out(run, [an_upload()], NOW)
    assert [upload.key for upload in table.taken(run)] == [an_upload(2).key]
    (known,) = table.history(BUCKET, an_upload().key)
    assert (known.run, known.gone) == (run.id, moments.text_of(NOW))
    assert not table.record(an_upload())
    assert table.waiting() == []
    with pytest.raises(RunConflictError):
        table.leave_out(run, [an_upload()], NOW)


def test_more_uploads_than_fit_a_transaction_are_all_left_out(table: Any) -> None:
    uploads = [an_upload(number) for number in range(70)]
    run = taking(table, *uploads)
    table.leave_out(run, uploads, NOW)
    assert table.taken(run) == []
    assert table.last_with_uploads() is None


def test_a_sealed_run_leaves_nothing_out(table: Any) -> None:
    run = claimed(table, an_upload())
    with pytest.raises(RunConflictError):
        table.leave_out(run, [an_upload()], NOW)
    assert len(table.taken(run)) == 1


def test_a_run_keeps_how_far_its_uploads_were_looked_for(table: Any) -> None:
    run = taking(table, an_upload())
    table.note(run._replace(looked=an_upload().digest), "looks")
    assert table.latest().looked == an_upload().digest


def test_keys_as_long_as_s3_allows_are_recorded_and_taken(table: Any) -> None:
    upload = replace(an_upload(), key="incoming/" + "ü" * 507, version="v" * 1000)
    claimed(table, upload)
    assert table.history(BUCKET, upload.key)[0].run == a_run().id


def test_a_mail_is_claimed_by_one_and_sent_once(log: Any) -> None:
    minute = timedelta(minutes=1)
    assert not log.notified(EXECUTION)
    assert log.claim(EXECUTION, NOW, minute)
    with pytest.raises(ReportUnderWayError):
        log.claim(EXECUTION, NOW + minute, minute)
    assert log.claim(f"{EXECUTION}2", NOW, minute)
    assert log.claim(EXECUTION, NOW + 2 * minute, minute)
    with pytest.raises(ReportUnderWayError):
        log.claim(EXECUTION, NOW + 2 * minute, minute)
    log.close(EXECUTION, NOW + 2 * minute)
    assert log.notified(EXECUTION)
    assert not log.claim(EXECUTION, NOW + 9 * minute, minute)


def test_a_run_that_goes_on_waits_for_nothing(table: Any) -> None:
    run = claimed(table, an_upload())
    table.note(run, "the quota is used up")
    table.move(run, STARTED, at=NOW, execution=f"{EXECUTION}1")
    assert table.latest().waits_for is None
    with pytest.raises(RunConflictError):
        table.note(run, "too late")


def test_refusals_of_a_notification_name_the_call() -> None:
    client: Any = RecordingClient("dynamodb", {"put_item": client_error("ResourceNotFoundException")})
    with pytest.raises(CallRefusedError, match="dynamodb:PutItem of uploads was refused: ResourceNotFound"):
        NotificationTable(Table(TABLE, client)).claim(EXECUTION, NOW, timedelta(0))
    with pytest.raises(CallRefusedError, match="dynamodb:PutItem of uploads was refused: ResourceNotFound"):
        NotificationTable(Table(TABLE, client)).close(EXECUTION, NOW)


@pytest.mark.usefixtures("aws")
def test_other_refusals_of_dynamodb_name_the_call() -> None:
    table = UploadsTable(Table("missing", boto3.client("dynamodb")), PIPELINE)
    with pytest.raises(CallRefusedError, match=r"TransactWriteItems of missing was refused: ResourceNotFound"):
        table.record(an_upload())
    with pytest.raises(CallRefusedError, match=r"Query of pipeline#.* in missing was refused"):
        table.latest()
    with pytest.raises(CallRefusedError, match="PutItem of missing was refused"):
        table.open(a_run())


def conflicting() -> UploadsTable:
    error = client_error("TransactionCanceledException")
    response: Any = error.response
    response["CancellationReasons"] = [{"Code": "TransactionConflict"}]
    client: Any = RecordingClient("dynamodb", {"transact_write_items": error})
    return UploadsTable(Table(TABLE, client), PIPELINE)


def test_an_upload_that_two_write_at_once_is_not_taken_for_known() -> None:
    with pytest.raises(ServiceBusyError, match="another transaction writes the same items"):
        conflicting().record(an_upload())
    with pytest.raises(ServiceBusyError, match="another transaction writes the same items"):
        conflicting().take(a_run(), [an_upload()])


def test_an_error_that_is_not_dynamodbs_goes_through() -> None:
    class Broken:
        def put_item(self, **_: Any) -> None:
            raise TimeoutError

    broken: Any = Broken()
    with pytest.raises(TimeoutError):
        UploadsTable(Table(TABLE, broken), PIPELINE).open(a_run())
