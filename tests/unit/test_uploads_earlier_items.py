"""A stack is updated in place: items that earlier versions wrote are read, and go on as if this version had."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from moto import mock_aws
from tests.support.dynamodb import created_table
from tests.support.samples import sample, sqs_event
from tests.support.uploads import (
    ARTIFACTS,
    BUCKET,
    EXECUTION,
    PIPELINE,
    Clock,
    MemoryCopier,
    MemoryDeadLetterQueue,
    MemoryExecutions,
    MemoryLifetimes,
    MemoryNotificationLog,
    MemoryObjects,
    MemoryProjects,
    MemoryRequests,
)

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.model import CLAIMED, STARTED, ReportUnderWayError, Upload
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.recording import RecordingPorts, record
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.starting import StartingPorts, start
from signalbox.uploads.table import UploadsTable, pipelines

KEY = "incoming/abalone.csv"
RECORDED = "2026-11-20T11:59:00.000000+00:00"
MOMENT = datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
RUN = f"{PIPELINE}-000007-20261120T115900Z"
ETAG = "b1946ac92492d2347c6235b4d2611184"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Table("uploads", created_table("uploads"))


def an_earlier_upload(table: Table, key: str = KEY, version: str = "v1") -> Upload:
    """Let an upload wait as earlier versions wrote it."""
    upload = Upload(BUCKET, key, version, 10, RECORDED)
    facts: dict[str, str | int] = {
        "bucket": BUCKET,
        "key": key,
        "version": version,
        "size": 10,
        "recorded_at": RECORDED,
    }
    table.put({"pk": f"upload#{BUCKET}/{key}", "sk": version, "pipeline": PIPELINE, **facts})
    table.put({"pk": f"waiting#{PIPELINE}", "sk": f"{RECORDED}#{upload.digest}", **facts})
    return upload


def an_earlier_run(table: Table, **more: str) -> None:
    """Write down a run as earlier versions did."""
    created = "2026-11-20T11:59:00+00:00"
    run: dict[str, str | int] = {"run": RUN, "pipeline": PIPELINE, "number": 7, "uploads": 1, "created_at": created}
    table.put({"pk": f"pipeline#{PIPELINE}", "sk": "run#00000007", **run, **more})


def requested(table: Table, *, refused: bool = False, commit: str | None = None) -> MemoryExecutions:
    """Handle a request for a run, of a push where a commit is given; return the executions that it started.

    None is refused, but by the quota.
    """
    clock, executions, objects = Clock(), MemoryExecutions(quota=0 if refused else 20), MemoryObjects()
    for name in (KEY, "incoming/later.csv"):
        objects.put(name)
    ports = StartingPorts(
        prefix="signalbox",
        artifacts=ARTIFACTS,
        projects=MemoryProjects(),
        store_of=partial(UploadsTable, table),
        objects=objects,
        copier=MemoryCopier(),
        executions=executions,
        lifetimes=MemoryLifetimes(),
        requests=MemoryRequests(clock),
        dead_letters=MemoryDeadLetterQueue(),
        refusals=Refusals(MemoryNotificationLog(), lambda _: pytest.fail("nothing is refused")),
        notices=SetNotices(MemoryNotificationLog(), lambda _: pytest.fail("no set is told of")),
        clock=clock,
    )
    request = {"kind": "run-requested", "pipeline": PIPELINE}
    if commit is not None:
        request |= {"kind": "repeat-requested", "commit": commit}
    assert start(sqs_event(request, group=PIPELINE), ports) == {"batchItemFailures": []}
    return executions


def test_an_upload_that_waits_since_before_the_update_is_taken_first(table: Table) -> None:
    earlier, store = an_earlier_upload(table), UploadsTable(table, PIPELINE)
    store.record(Upload(BUCKET, "incoming/later.csv", "v1", 10, moments.text_of(MOMENT + timedelta(microseconds=1))))
    assert [upload.key for upload in store.waiting()] == [KEY, "incoming/later.csv"]
    assert not store.record(earlier)

    requested(table)

    assert store.waiting() == []
    run = store.latest()
    assert run is not None
    assert {upload.recorded_at for upload in store.taken(run)} == {RECORDED, "2026-11-20T11:59:00.000001Z"}
    assert [(upload.run, upload.by) for upload in store.history(BUCKET, KEY)] == [(run.id, "")]


def test_a_run_that_waited_before_the_update_says_why_and_is_started_under_its_name(table: Table) -> None:
    an_earlier_run(table, status=CLAIMED, claimed_at="2026-11-20T11:59:01+00:00", waits_because="the quota is used up")
    facts: dict[str, str | int] = {"bucket": BUCKET, "key": KEY, "version": "v1", "size": 10, "recorded_at": RECORDED}
    table.put({"pk": f"run#{RUN}", "sk": "d", **facts, "run": RUN})
    store = UploadsTable(table, PIPELINE)
    waiting = store.latest()
    assert waiting is not None
    assert (waiting.id, waiting.created_at, waiting.waits_for) == (RUN, MOMENT, "the quota is used up")

    assert len(requested(table).started) == 1

    started = store.latest()
    assert started is not None
    assert (started.id, started.status, started.waits_for) == (RUN, STARTED, None)


def test_a_pipeline_whose_run_still_waits_after_the_update_is_found_without_a_project(table: Table) -> None:
    an_earlier_run(table, status=CLAIMED, claimed_at="2026-11-20T11:59:01+00:00", waits_because="there is no pipeline")
    facts: dict[str, str | int] = {"bucket": BUCKET, "key": KEY, "version": "v1", "size": 10, "recorded_at": RECORDED}
    table.put({"pk": f"run#{RUN}", "sk": "d", **facts, "run": RUN})
    assert pipelines(table) == []

    requested(table, refused=True)

    assert pipelines(table) == [PIPELINE]


def test_a_run_that_was_started_before_the_update_is_found_with_its_times(table: Table) -> None:
    arn = f"{EXECUTION}p4jn9xou8a8s"
    an_earlier_run(table, status=STARTED, started_at="2026-11-20T11:59:02.250000+00:00", execution=arn)
    run = UploadsTable(table, PIPELINE).run_of(arn)
    assert run is not None
    assert run.started_at == MOMENT + timedelta(seconds=2.25)


def test_a_run_that_was_over_before_the_update_is_repeated_where_its_projects_jobs_may_read(table: Table) -> None:
    an_earlier_run(table, status="Succeeded", started_at="2026-11-20T11:59:02.250000+00:00", execution=EXECUTION)
    facts: dict[str, str | int] = {"bucket": BUCKET, "key": KEY, "version": "v1", "size": 10, "recorded_at": RECORDED}
    table.put({"pk": f"run#{RUN}", "sk": "d", **facts, "run": RUN})
    earlier = UploadsTable(table, PIPELINE).latest()
    assert earlier is not None
    assert (earlier.repeats, earlier.commit) == (None, "")

    executions = requested(table, commit="0123456")

    again = UploadsTable(table, PIPELINE).latest()
    assert again is not None
    assert (again.number, again.repeats, again.commit) == (8, RUN, "0123456")
    assert executions.started[0]["input"] == f"s3://{ARTIFACTS}/manifests/{PIPELINE}/{RUN}.json"


def test_an_event_that_was_recorded_before_the_update_is_known_after_it(table: Table) -> None:
    an_earlier_upload(table, version=f"{ETAG} 2026-11-20T11:00:00.000000+00:00")
    clock, objects = Clock(), MemoryObjects()
    objects.put(KEY, None, etag=ETAG)
    requests = MemoryRequests(clock)
    ports = RecordingPorts(
        objects, MemoryProjects(), partial(UploadsTable, table), requests, MemoryDeadLetterQueue(), clock
    )
    record(sqs_event(sample("s3/object-created-unversioned")), ports)
    assert len(UploadsTable(table, PIPELINE).waiting()) == 1


def test_a_mail_that_was_sent_before_the_update_is_not_sent_again(table: Table) -> None:
    table.put({"pk": f"execution#{EXECUTION}", "sk": "report", "status": "told", "claimed_at": RECORDED})
    log = NotificationTable(table)
    assert log.notified(EXECUTION)
    assert not log.claim(EXECUTION, MOMENT + timedelta(days=1), timedelta(seconds=45))


def test_a_mail_that_was_claimed_before_the_update_is_taken_over_after_its_lease(table: Table) -> None:
    table.put({"pk": f"execution#{EXECUTION}", "sk": "report", "status": "claimed", "claimed_at": RECORDED})
    log, lease = NotificationTable(table), timedelta(seconds=45)
    with pytest.raises(ReportUnderWayError):
        log.claim(EXECUTION, MOMENT + lease - timedelta(microseconds=1), lease)
    assert log.claim(EXECUTION, MOMENT + lease + timedelta(microseconds=1), lease)
