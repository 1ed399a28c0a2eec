"""One run at a time takes all that waits; what a crash left half done is finished; nothing is started twice."""

import json
from copy import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.starting import DONE, REQUEST, World, a_world
from tests.support.uploads import (
    ABALONE,
    BUCKET,
    MANIFESTS,
    PIPELINE,
    a_project,
)

from signalbox import moments
from signalbox.aws.errors import ServiceBusyError
from signalbox.contracts.endings import RunRefusal
from signalbox.events import EventError
from signalbox.mail import MailError
from signalbox.projects import ProjectUploads, owner
from signalbox.uploads import rules, starting
from signalbox.uploads.model import CLAIMED, Run, RunConflictError, RunRefusedError, Upload
from signalbox.uploads.starting import ClaimsRequested, read, start


@pytest.fixture
def world() -> World:
    return a_world()


def test_all_that_waits_becomes_one_run(world: World) -> None:
    world.upload("b.csv", "a 1+2.csv")
    assert world.deliver(REQUEST) == []
    assert world.run.status == "Started"
    assert world.run.id == "signalbox-abalone-000001-20261120T120002Z"
    content = json.loads(world.objects.manifests[world.run.id])
    assert content == [{"prefix": f"s3://{BUCKET}/"}, "incoming/a 1+2.csv", "incoming/b.csv"]
    assert world.executions.started == [
        {
            "display_name": "run-1-2-uploads",
            "description": f"{world.run.id}: 2 uploads from {BUCKET}: incoming/a 1+2.csv, incoming/b.csv",
            "input": f"{MANIFESTS}/{world.run.id}.json",
        }
    ]


def test_who_uploaded_the_files_is_kept_beside_the_manifest_first_who_uploaded_most(world: World) -> None:
    for number, by in enumerate(["user/bob", "user/ann", "", "user/ann"]):
        world.objects.put(f"incoming/{number}.csv")
        upload = Upload(BUCKET, f"incoming/{number}.csv", "v1", 10, moments.text_of(world.clock()), by=by)
        world.table.record(upload)
    world.deliver(REQUEST)
    kept = json.loads(world.objects.uploaders[world.run.id])
    assert kept == {"names": ["user/ann", "user/bob"], "count": 2, "unknown": 1}


def test_of_many_uploaders_the_first_are_named_and_all_are_counted(world: World) -> None:
    for number in range(30):
        world.objects.put(f"incoming/{number}.csv")
        waiting = Upload(
            BUCKET, f"incoming/{number}.csv", "v1", 10, moments.text_of(world.clock()), by=f"user/{number}"
        )
        world.table.record(waiting)
    world.deliver(REQUEST)
    kept = json.loads(world.objects.uploaders[world.run.id])
    assert (len(kept["names"]), kept["count"], kept["unknown"]) == (20, 30, 0)


def test_nothing_is_kept_where_nobody_is_known(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    assert world.objects.uploaders == {}


def test_nothing_is_started_when_nothing_waits(world: World) -> None:
    assert world.deliver(REQUEST, DONE) == []
    assert world.table.latest() is None
    assert world.requests.visible == []


def test_two_versions_of_a_key_are_named_once_in_the_manifest(world: World) -> None:
    world.upload("a.csv")
    world.table.record(Upload(BUCKET, "incoming/a.csv", "v2", 10, moments.text_of(world.clock())))
    world.deliver(REQUEST)
    assert json.loads(world.objects.manifests[world.run.id])[1:] == ["incoming/a.csv"]


def test_while_a_run_is_active_uploads_wait_and_a_later_look_is_asked_for(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST, REQUEST)
    assert world.requests.visible == []
    world.upload("b.csv")
    assert world.deliver(REQUEST) == []
    assert len(world.executions.started) == 1
    assert len(world.requests.visible) == 1


def test_the_end_of_a_run_starts_the_next(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    first = world.run
    world.upload("b.csv")
    assert world.deliver(world.over()) == []
    closed = world.table.find(first.id)
    assert closed is not None
    assert (closed.status, closed.reason) == ("Succeeded", None)
    assert (world.run.number, world.run.status) == (2, "Started")
    assert [upload.run for upload in world.table.history(BUCKET, "incoming/a.csv")] == [first.id]


def test_a_failed_run_keeps_why_and_the_next_one_starts(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    world.deliver(world.over("Failed", "Step Train failed"))
    assert (world.run.status, world.run.reason) == ("Failed", "Step Train failed")
    world.upload("b.csv")
    world.deliver(REQUEST)
    assert world.run.number == 2


def test_a_lost_event_does_not_block_for_ever(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    world.over("Stopped")
    world.upload("b.csv")
    world.deliver(REQUEST)
    assert (world.run.number, world.run.status) == (2, "Started")


def test_an_execution_that_is_gone_blocks_only_while_it_may_be_new(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    first = world.run
    world.executions.states.clear()
    world.upload("b.csv")
    world.deliver(REQUEST)
    assert world.run == first
    world.clock.now += timedelta(minutes=10)
    world.deliver(REQUEST)
    closed = world.table.find(first.id)
    assert closed is not None
    assert (closed.status, closed.reason) == ("Gone", "the execution does not exist any more")
    assert world.run.number == 2


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_events_that_are_late_twice_or_about_others_change_nothing(world: World, status: str) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    first_over = world.over(status)
    world.deliver(first_over, first_over)
    world.upload("b.csv")
    world.deliver(REQUEST)
    before = world.run
    other = sample("sagemaker/near-misses/pipeline-execution-other-pipeline")
    assert world.deliver(first_over, DONE, other, sample("sagemaker/near-misses/pipeline-execution-executing")) == []
    assert world.run == before
    assert len(world.executions.started) == 2


def test_a_used_up_quota_is_no_failure_and_the_start_is_tried_again(world: World) -> None:
    world.executions.quota = 0
    world.upload("a.csv")
    assert world.deliver(REQUEST) == []
    assert world.run.status == CLAIMED
    assert world.table.waits_for == {world.run.id: "the quota is used up"}
    assert len(world.requests.visible) == 1
    world.upload("b.csv")
    world.executions.quota = 20
    assert world.deliver(REQUEST) == []
    assert world.run.status == "Started"
    assert world.table.waits_for == {}
    assert json.loads(world.objects.manifests[world.run.id])[1:] == ["incoming/a.csv"]
    assert [upload.key for upload in world.table.waiting(most=9)] == ["incoming/b.csv"]


def test_a_table_that_does_not_answer_postpones_the_run_and_does_not_hold_its_group_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upload("a.csv")

    def lost(*_: object) -> None:
        raise ServiceBusyError("dynamodb:PutItem of uploads", "the connection was closed")

    with monkeypatch.context() as broken:
        broken.setattr(world.table, "open", lost)
        assert world.deliver(REQUEST) == []
    assert len(world.requests.visible) == 1
    assert world.deliver(REQUEST) == []
    assert world.run.status == "Started"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ResourceNotFound", "the pipeline signalbox-abalone does not exist"),
        ("ValidationException", "sagemaker:StartPipelineExecution was refused: no parameter InputManifest"),
        ("AccessDeniedException", "sagemaker:StartPipelineExecution was refused: not authorized"),
    ],
)
def test_a_run_that_is_refused_is_told_once_keeps_its_uploads_and_starts_when_that_is_mended(
    world: World, code: str, reason: str
) -> None:
    world.executions.refusal = RunRefusedError(code, reason)
    world.upload("a.csv")
    assert world.deliver(REQUEST) == []
    assert world.deliver(REQUEST, REQUEST) == []
    assert world.mails == [
        {
            "project": "abalone",
            "approvers": [],
            "pipeline": PIPELINE,
            "run": world.run.id,
            "uploads": "incoming/a.csv",
            "since": "2026-11-20T12:00:01.000000Z",
            "code": code,
            "reason": reason,
            "waits": "uploads",
        }
    ]
    assert world.table.waits_for == {world.run.id: reason}
    assert world.requests.visible
    world.executions.refusal = None
    assert world.deliver(REQUEST) == []
    assert world.run.status == "Started"
    assert world.table.waits_for == {}


def test_a_run_that_is_refused_for_another_reason_is_told_again(world: World) -> None:
    world.upload("a.csv")
    for code in ("ResourceNotFound", "ValidationException", "ResourceNotFound"):
        world.executions.refusal = RunRefusedError(code, "refused")
        world.deliver(REQUEST)
    assert [mail["code"] for mail in world.mails] == ["ResourceNotFound", "ValidationException"]


def test_a_run_whose_manifest_is_refused_is_told_and_writes_it_when_that_is_mended(world: World) -> None:
    world.objects.refuses = True
    world.upload("a.csv")
    assert world.deliver(REQUEST, REQUEST) == []
    assert [mail["code"] for mail in world.mails] == ["AccessDenied"]
    assert "s3:PutObject" in world.table.waits_for[world.run.id]
    world.objects.refuses = False
    world.deliver(REQUEST)
    assert world.run.status == "Started"
    assert json.loads(world.objects.manifests[world.run.id])[1:] == ["incoming/a.csv"]


def test_a_run_whose_mail_fails_comes_back_and_is_asked_for_all_the_same(world: World) -> None:
    def refused(_: RunRefusal) -> None:
        raise MailError("SES did not take the mail")

    world.executions.refusal = RunRefusedError("ResourceNotFound", "no pipeline")
    world.upload("a.csv")
    failing = replace(world.ports, refusals=replace(world.ports.refusals, notify=refused))
    response = start(sqs_event(REQUEST, group=PIPELINE, queue="runs"), failing)
    assert response["batchItemFailures"] == [{"itemIdentifier": "m-0"}]
    assert len(world.requests.visible) == 1
    world.deliver(REQUEST)
    assert len(world.mails) == 1


def test_a_run_that_is_postponed_often_writes_its_manifest_the_versions_beside_it_and_its_reason_once(
    world: World,
) -> None:
    world.executions.quota = 0
    world.upload("a.csv")
    for _ in range(20):
        world.deliver(REQUEST)
    assert (world.objects.writes, world.table.notes) == (2, 1)
    assert world.mails == []
    world.executions.quota = 1
    world.deliver(REQUEST)
    assert world.run.status == "Started"
    assert world.objects.writes == 2


def test_how_long_uploads_have_waited_is_measured_each_time_a_run_is_postponed(
    world: World, measured: dict[str, list[float]]
) -> None:
    world.executions.quota = 0
    world.upload("a.csv")
    world.deliver(REQUEST)
    world.upload("b.csv")
    world.clock.forward(3600)
    world.deliver(REQUEST)
    world.executions.quota = 1
    world.deliver(REQUEST)
    world.clock.forward(60)
    world.deliver(REQUEST)
    assert measured == {"UploadsWaiting": [0.0, 3601.0, 3660.0]}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """What was measured, by its name."""
    found: dict[str, list[float]] = {}
    monkeypatch.setattr(starting, "measure", lambda name, seconds: found.setdefault(name, []).append(seconds))
    return found


def test_a_run_that_was_opened_and_died_takes_what_waits_now(world: World) -> None:
    world.upload("a.csv")
    world.table.open(Run(PIPELINE, 1, world.clock()))
    world.upload("b.csv")
    world.deliver(REQUEST)
    assert (world.run.number, world.run.status) == (1, "Started")
    assert len(world.table.taken(world.run)) == 2


def test_a_start_whose_answer_was_lost_is_found_again_and_looked_at_once_more(world: World) -> None:
    world.upload("a.csv")
    world.table.open(Run(PIPELINE, 1, world.clock()))
    world.table.take(world.run, world.table.waiting(most=9))
    run = world.table.move(world.run, CLAIMED, at=world.clock())
    lost = world.executions.start(ABALONE.pipelines["abalone"], "m", token=run.token, display_name="d", description="d")
    world.deliver(with_detail(DONE, pipelineExecutionArn=lost))
    assert (world.run.status, world.run.execution) == ("Started", lost)
    assert len(world.executions.started) == 1
    assert len(world.requests.visible) == 1


def test_an_opened_run_with_nothing_left_to_take_is_closed_as_empty(world: World) -> None:
    world.table.open(Run(PIPELINE, 1, world.clock()))
    world.deliver(REQUEST)
    assert world.run.status == "Empty"
    assert world.executions.started == []


def test_a_run_that_is_full_leaves_the_rest_to_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_UPLOADS", 2)
    world.upload("a.csv", "b.csv", "c.csv")
    world.deliver(REQUEST)
    assert len(world.table.taken(world.run)) == 2
    world.deliver(world.over())
    assert [upload.key for upload in world.table.taken(world.run)] == ["incoming/c.csv"]


def test_a_full_run_that_was_left_half_done_takes_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_UPLOADS", 1)
    world.upload("a.csv", "b.csv")
    world.table.open(Run(PIPELINE, 1, world.clock()))
    world.table.take(world.run, world.table.waiting(most=1))
    world.deliver(REQUEST)
    assert [upload.key for upload in world.table.taken(world.run)] == ["incoming/a.csv"]


def test_a_run_takes_the_uploads_of_one_bucket(world: World) -> None:
    world.upload("a.csv")
    world.upload("b.csv", bucket="another")
    world.deliver(REQUEST)
    world.deliver(world.over())
    assert json.loads(world.objects.manifests[world.run.id]) == [{"prefix": "s3://another/"}, "incoming/b.csv"]


def test_a_message_that_loses_against_another_start_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(run: Run, uploads: Any) -> None:
        raise RunConflictError("sealed")

    world.upload("a.csv")
    monkeypatch.setattr(world.table, "take", lose)
    assert world.deliver(REQUEST, REQUEST) == ["m-0", "m-1"]


def test_a_request_for_another_pipeline_and_a_message_of_no_kind_are_refused() -> None:
    with pytest.raises(EventError, match="a run of 'churn' is requested"):
        read({"kind": "run-requested", "pipeline": "churn"}, "signalbox")
    with pytest.raises(EventError, match="detail-type is missing"):
        read({}, "signalbox")


def test_a_message_that_is_none_of_ours_is_dead_lettered_and_holds_nothing_up(world: World) -> None:
    world.upload("a.csv")
    assert world.deliver({"kind": "run-requested", "pipeline": "churn"}, REQUEST) == []
    assert "a run of 'churn' is requested" in world.dead_letters.reasons["m-0"]
    assert world.dead_letters.letters[0].group == PIPELINE
    assert world.run.status == "Started"


def test_a_run_starts_when_no_upload_came_for_the_projects_quiet_window(world: World) -> None:
    quiet(world, 60)
    world.upload("a.csv")
    world.clock.forward(40)
    world.upload("b.csv")
    world.clock.forward(30)
    assert world.deliver(REQUEST) == []
    assert world.table.latest() is None
    assert world.requests.asked == [REQUEST]  # and so it is looked at again
    world.clock.forward(30)
    world.deliver(REQUEST)
    assert len(world.table.taken(world.run)) == 2


def test_a_window_that_is_not_over_is_no_postponed_run(
    world: World, measured: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(starting, "count", counted.append)
    quiet(world, 3_600)
    world.upload("a.csv")
    world.deliver(REQUEST)
    assert (counted, measured) == ([], {})


def test_the_end_of_a_run_does_not_shorten_the_window_of_the_next(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    quiet(world, 60)
    world.upload("b.csv")
    world.deliver(world.over())
    assert world.run.number == 1
    assert world.requests.asked == [REQUEST]


@pytest.mark.parametrize(
    ("places", "window"),
    [
        ((), (0, 3600, None)),
        ((ProjectUploads("a/", "p", quiet_seconds=5), ProjectUploads("b/", "p", quiet_seconds=50)), (50, 3600, None)),
        ((ProjectUploads("a/", "p", quiet_seconds=7200),), (7200, 7200, None)),
        ((ProjectUploads("a/", "p", "", 5, 90, 20), ProjectUploads("b/", "p", "", 5, 60, 10)), (5, 90, 10)),
        ((ProjectUploads("a/", "p", "", 5, 90), ProjectUploads("b/", "p", "", 5, None, 10)), (5, 3600, 10)),
    ],
)
def test_the_longest_times_and_the_smallest_batch_of_a_pipelines_places_count(
    places: tuple[ProjectUploads, ...], window: tuple[int, int, int | None]
) -> None:
    owned = owner((ABALONE._replace(uploads=places, pipelines={"p": ABALONE.pipelines["abalone"]}),), PIPELINE)
    assert owned is not None
    assert owned.window == window


def test_a_change_of_a_project_asks_for_what_nobody_claims() -> None:
    for name in ("created", "updated", "deleted"):
        assert read(sample(f"ssm/project-{name}"), "signalbox") == ClaimsRequested()
    with pytest.raises(EventError, match=r"detail\.name is missing"):
        read({**sample("ssm/project-created"), "detail": {}}, "signalbox")


def test_a_thousand_uploads_that_come_for_ten_minutes_are_one_run(world: World) -> None:
    quiet(world, 60)
    for number in range(1_000):
        world.upload(f"{number}.csv")
        world.clock.forward(0.6)
        if number % 25 == 0:
            assert world.deliver(REQUEST) == []
    assert not world.executions.started
    world.clock.forward(60)
    world.deliver(REQUEST)
    assert taken(world) == 1_000


def test_uploads_that_never_cease_have_their_run_when_the_first_has_waited_for_longest(world: World) -> None:
    quiet(world, 60, longest_seconds=300)
    for number in range(10):
        world.upload(f"{number}.csv")
        world.deliver(REQUEST)
        assert not world.executions.started
        world.clock.forward(30)
    world.deliver(REQUEST)
    assert taken(world) == 10


def test_as_many_uploads_as_a_batch_has_are_taken_at_once_with_all_that_wait(world: World) -> None:
    quiet(world, 60, batch=3)
    for number in range(2):
        world.upload(f"{number}.csv")
    world.deliver(REQUEST)
    assert not world.executions.started
    for number in range(2, 5):
        world.upload(f"{number}.csv")
    world.deliver(REQUEST)
    assert taken(world) == 5


def taken(world: World) -> int:
    """Return how many uploads the run has."""
    return len(json.loads(world.objects.manifests[world.run.id])) - 1  # the prefix comes first


def quiet(world: World, seconds: int, **more: Any) -> None:
    """Let the project wait for so many quiet seconds."""
    projects: Any = world.ports.projects
    project = a_project("abalone", "incoming/", quiet_seconds=seconds)
    projects.found = (project._replace(uploads=(project.uploads[0]._replace(**more),)),)
