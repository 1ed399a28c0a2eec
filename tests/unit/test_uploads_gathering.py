"""A run takes whole sets, people are told once of what is wrong with one, and newer versions replace waiting ones."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.sets import LONGEST, a_world_with_sets, finish, input_of, inputs, look, name_set, send, with_sets
from tests.support.starting import World
from tests.support.uploads import ABALONE, BUCKET, PIPELINE, MemoryDeadLetterQueue, MemoryProjects, a_project

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.events import ExecutionChange
from signalbox.mail import MailError
from signalbox.projects import ProjectPipeline, ProjectUploads, owner
from signalbox.uploads import gathering, reporting, rules, sets
from signalbox.uploads.model import UNCLAIMED, FailedExecution, Upload
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.recording import RecordingPorts, record

PUSH = {"kind": "repeat-requested", "pipeline": PIPELINE, "commit": "0123456789abcdef"}


@pytest.fixture
def world() -> World:
    return a_world_with_sets()


def states(world: World, key: str) -> list[tuple[str, str, str]]:
    """Return the version, state and detail of each upload of a key."""
    return [(one.version, one.state, one.detail) for one in world.table.history(BUCKET, f"incoming/{key}")]


def waiting(world: World) -> list[str]:
    return [upload.key.removeprefix("incoming/") for upload in world.table.waiting()]


def test_a_set_whose_files_come_before_and_after_it_is_named_is_one_run_of_exactly_these(world: World) -> None:
    send(world, "b.csv")
    send(world, "stranger.csv")
    name_set(world, ["a.csv", "b.csv", "shops/c.csv"])
    look(world)
    send(world, "shops/c.csv")
    look(world)
    assert world.table.runs == []
    send(world, "a.csv")
    look(world)
    assert inputs(world) == [["a.csv", "b.csv", "shops/c.csv"]]
    (started,) = world.executions.started
    assert (started["display_name"], "3 uploads from" in started["description"]) == ("run-1-3-uploads", True)
    assert "manifest.json" not in started["description"]
    assert waiting(world) == ["stranger.csv"]
    assert world.set_mails == []


def test_while_a_file_is_missing_a_later_look_is_asked_for_and_none_for_what_no_set_names(world: World) -> None:
    send(world, "a.csv")
    look(world)
    assert world.requests.sent == []
    name_set(world, ["a.csv", "b.csv"])
    look(world)
    assert len(world.requests.sent) == 1


def test_whole_sets_that_wait_together_are_one_run_and_others_wait_on(world: World) -> None:
    for file in ("a", "b", "c"):
        send(world, f"{file}.csv")
    for number, files in enumerate((["a.csv"], ["b.csv", "x.csv"], ["c.csv"])):
        name_set(world, files, f"{number}-manifest.json")
    look(world)
    assert inputs(world) == [["a.csv", "c.csv"]]
    assert waiting(world) == ["b.csv", "1-manifest.json"]


def test_sets_are_run_in_the_order_in_which_they_became_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_UPLOADS", 3)
    name_set(world, ["a.csv", "b.csv"], "1-manifest.json")
    send(world, "a.csv")
    send(world, "c.csv")
    name_set(world, ["c.csv"], "2-manifest.json")
    send(world, "b.csv")
    look(world)
    finish(world)
    assert inputs(world) == [["c.csv"], ["a.csv", "b.csv"]]


def test_a_file_that_comes_twice_is_the_sets_in_both_versions_and_named_once(world: World) -> None:
    send(world, "a.csv", "v1")
    send(world, "a.csv", "v2")
    name_set(world, ["a.csv"])
    look(world)
    assert inputs(world) == [["a.csv"]]
    assert {upload.run for upload in world.table.history(BUCKET, "incoming/a.csv")} == {world.run.id}


def test_after_the_longest_wait_people_are_told_once_what_is_missing_and_the_rest_is_run(world: World) -> None:
    named = name_set(world, ["a.csv", "b.csv", "c.csv"])
    send(world, "b.csv")
    look(world)
    world.clock.forward(LONGEST - 1)
    world.executions.quota = 0
    look(world)
    assert world.set_mails == [
        {
            "project": "abalone",
            "approvers": [],
            "pipeline": PIPELINE,
            "manifest": f"s3://{BUCKET}/incoming/manifest.json",
            "by": "user/ann",
            "since": named.recorded_at,
            "refused": "",
            "files": 3,
            "missing": 2,
            "first_missing": ["incoming/a.csv", "incoming/c.csv"],
        }
    ]
    world.executions.quota = 20
    look(world)
    assert inputs(world) == [["b.csv"]]
    (started,) = world.executions.started
    said = "without 2 that did not come (incoming/a.csv, incoming/c.csv)"
    assert started["description"].endswith(f"1 upload from {BUCKET}: {said}; incoming/b.csv")
    assert len(world.set_mails) == 1


def test_a_mail_about_a_run_that_failed_says_what_it_lacked(world: World) -> None:
    name_set(world, ["a.csv", "b.csv"])
    send(world, "b.csv")
    world.clock.forward(LONGEST)
    look(world)
    change: Any = sample("sagemaker/pipeline-execution-failed")
    read = ExecutionChange.read(change)
    taken = world.table.input_of(world.run)
    failure = reporting.run_failure(None, read, FailedExecution(), world.run, taken, {"files": [], "more": 0})
    assert failure["uploads"] == "incoming/b.csv (without 1 that did not come (incoming/a.csv))"


def test_a_set_of_which_nothing_came_is_told_and_set_aside_and_its_files_wait_when_they_come(world: World) -> None:
    name_set(world, ["a.csv", "b.csv"])
    world.clock.forward(LONGEST)
    look(world)
    assert [(mail["files"], mail["missing"]) for mail in world.set_mails] == [(2, 2)]
    assert states(world, "manifest.json") == [("v1", "refused", "none of its 2 files came")]
    assert world.requests.sent == []
    send(world, "a.csv")
    look(world)
    assert (world.table.runs, waiting(world)) == ([], ["a.csv"])


def test_a_file_that_an_earlier_run_has_had_is_missing_and_the_mail_says_which(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv"])
    look(world)
    finish(world)
    name_set(world, ["a.csv", "b.csv"], version="v2")
    world.clock.forward(LONGEST)
    look(world)
    (mail,) = world.set_mails
    assert mail["first_missing"] == [f"incoming/a.csv (taken by {world.run.id} before)", "incoming/b.csv"]


def test_while_a_run_is_active_people_are_told_in_time_all_the_same(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv"], "1-manifest.json")
    look(world)
    send(world, "b.csv")
    name_set(world, ["b.csv", "c.csv"], "2-manifest.json")
    world.clock.forward(LONGEST)
    look(world)
    assert [mail["first_missing"] for mail in world.set_mails] == [["incoming/c.csv"]]
    assert waiting(world) == ["b.csv", "2-manifest.json"]
    finish(world)
    assert inputs(world) == [["a.csv"], ["b.csv"]]
    assert len(world.set_mails) == 1


SPECIAL = ProjectUploads("incoming/special/", "other", ".csv")
WRONG = [
    ("nothing at all", "", "it names no file"),
    ("another project's place", '["wine/a.csv"]', "which lies in the place of the project wine"),
    (
        "another pipeline's place",
        '["special/a.csv"]',
        "which lies under incoming/special/, where the project says something else",
    ),
    ("elsewhere", '["../models/a.txt"]', "which does not end in .csv"),
    ("elsewhere by its URI", f"s3://{BUCKET}/models/a.csv", "which does not lie under incoming/"),
    ("another bucket", "s3://lake/incoming/a.csv", "which lies in another bucket than"),
    ("another ending", "a.txt", "which does not end in .csv"),
    ("what names a set", "2-manifest.json", "which names a set itself, and is no data"),
    (
        "too many",
        "\n".join(f"{number}.csv" for number in range(5_001)),
        "it names more than the 5,000 files that a run takes",
    ),
    ("no JSON", "[oh no", "it is no JSON: line 1"),
]


@pytest.mark.parametrize(("text", "problem"), [wrong[1:] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_what_cannot_be_used_is_told_once_in_one_sentence_and_stops_no_other_set(text: str, problem: str) -> None:
    project = with_sets()
    project = project._replace(
        uploads=(*project.uploads, SPECIAL),
        pipelines={**project.pipelines, "other": ProjectPipeline("signalbox-other")},
    )
    world = a_world_with_sets(project, a_project("wine", "incoming/wine/"))
    send(world, "bad-manifest.json", text=text, by="user/ann")
    send(world, "a.csv")
    name_set(world, ["a.csv"], "good-manifest.json")
    look(world)
    finish(world)
    look(world)
    (mail,) = world.set_mails
    assert problem in mail["refused"]
    assert (mail["manifest"], mail["by"]) == (f"s3://{BUCKET}/incoming/bad-manifest.json", "user/ann")
    assert states(world, "bad-manifest.json") == [("v1", "refused", mail["refused"])]
    assert inputs(world) == [["a.csv"]]
    assert waiting(world) == []


def test_a_corrected_manifest_is_the_set_and_its_files_have_waited(world: World) -> None:
    send(world, "a.csv")
    send(world, "manifest.json", text="[oh no")
    look(world)
    name_set(world, ["a.csv"], version="v2")
    look(world)
    assert inputs(world) == [["a.csv"]]
    assert [state for _, state, _ in states(world, "manifest.json")] == ["refused", ""]


def test_a_manifest_that_is_gone_or_too_large_is_told_of(world: World) -> None:
    send(world, "gone-manifest.json")
    send(world, "large-manifest.json", text="[]", size=sets.MOST_BYTES + 1)
    look(world)
    assert [mail["refused"] for mail in world.set_mails] == [
        "it is there no more: upload it again",
        "it has 2,097,153 bytes, and at most 2,097,152 are read: correct it, and upload it again",
    ]
    assert world.objects.reads == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CallRefusedError("s3:GetObject", "AccessDenied", "no"), ["S3 does not let it be read (AccessDenied)"]),
        (ServiceBusyError("s3:GetObject", "SlowDown"), []),
    ],
)
def test_what_s3_does_not_let_be_read_is_told_and_what_it_does_not_answer_now_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, told: list[str]
) -> None:
    def text(*_: Any, **__: Any) -> str:
        raise error

    name_set(world, ["a.csv"])
    monkeypatch.setattr(world.objects, "text", text)
    look(world)
    assert [mail["refused"].partition(":")[0] for mail in world.set_mails] == told
    assert len(world.requests.sent) == 1 - len(told)


@pytest.mark.parametrize("error", [MailError("nobody"), ServiceBusyError("ses:SendEmail", "throttled")])
def test_a_mail_that_reaches_nobody_is_tried_again_and_stops_no_other_set(error: Exception) -> None:
    world = a_world_with_sets()

    def unheard(_: Any) -> None:
        raise error

    notices = world.ports.notices
    world.ports = world.ports._replace(notices=SetNotices(notices.log, unheard))
    send(world, "bad-manifest.json", text="[]")
    send(world, "a.csv")
    name_set(world, ["a.csv"])
    look(world)
    assert inputs(world) == [["a.csv"]]
    assert (states(world, "bad-manifest.json"), len(world.requests.sent)) == ([("v1", "", "")], 1)
    world.ports = world.ports._replace(notices=notices)
    finish(world)
    assert [mail["refused"].partition(":")[0] for mail in world.set_mails] == ["it names no file"]
    assert states(world, "bad-manifest.json")[0][1] == "refused"


def test_the_newest_version_of_what_names_a_set_counts_while_it_waits(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv", "typo.csv"])
    look(world)
    name_set(world, ["a.csv"], version="v2")
    look(world)
    assert inputs(world) == [["a.csv"]]
    assert states(world, "manifest.json") == [("v1", "replaced", "by version v2"), ("v2", "", "")]
    assert world.set_mails == []


def test_with_replace_a_newer_version_takes_the_place_of_a_waiting_one_in_whichever_order_they_were_recorded() -> None:
    world = a_world_with_sets(with_sets(complete=None, replace=True))
    new = send(world, "a.csv", "v2")
    world.clock.forward(1)
    older = new._replace(
        version="v1", modified="2026-11-20T11:00:00.000000Z", recorded_at="2026-11-20T12:00:09.000000Z"
    )
    world.table.record(older)
    send(world, "b.csv")
    look(world)
    assert states(world, "a.csv") == [("v1", "replaced", "by version v2"), ("v2", "", "")]
    assert [(upload.key, upload.version) for upload in world.table.taken(world.run)] == [
        (upload.key, upload.version)
        for upload in sorted((new, world.table.history(BUCKET, "incoming/b.csv")[0]), key=lambda one: one.digest)
    ]


def test_with_replace_a_version_that_comes_after_the_older_was_taken_has_the_next_run() -> None:
    world = a_world_with_sets(with_sets(complete=None, replace=True))
    send(world, "a.csv", "v1")
    look(world)
    send(world, "a.csv", "v2")
    finish(world)
    assert [state for _, state, _ in states(world, "a.csv")] == ["", ""]
    assert [run.number for run in world.table.runs] == [1, 2]


def test_in_a_set_a_newer_version_of_a_file_replaces_the_older_where_the_project_says_so() -> None:
    world = a_world_with_sets(with_sets(replace=True))
    for version in ("v1", "v2", "v3"):
        send(world, "a.csv", version)
    name_set(world, ["a.csv"])
    look(world)
    replaced = ("replaced", "by version v3")
    assert states(world, "a.csv") == [("v1", *replaced), ("v2", *replaced), ("v3", "", "")]
    assert len(world.table.taken(world.run)) == 2


def test_with_replace_uploads_wait_for_their_quiet_moment_as_ever() -> None:
    world = a_world_with_sets(with_sets(complete=None, replace=True, quiet_seconds=60))
    send(world, "a.csv")
    look(world)
    assert (world.table.runs, len(world.requests.sent)) == ([], 1)
    world.clock.forward(60)
    look(world)
    assert inputs(world) == [["a.csv"]]


def test_uploads_beside_sets_keep_their_own_times_and_join_the_run_of_a_set_when_they_are_due() -> None:
    plain = ProjectUploads("incoming/plain/", "abalone", ".csv", quiet_seconds=600)
    world = a_world_with_sets(with_sets()._replace(uploads=(*with_sets().uploads, plain)))
    send(world, "plain/x.csv")
    send(world, "a.csv")
    name_set(world, ["a.csv"], "1-manifest.json")
    look(world)
    assert inputs(world) == [["a.csv"]]
    send(world, "b.csv")
    name_set(world, ["b.csv"], "2-manifest.json")
    world.clock.forward(600)
    finish(world)
    assert inputs(world)[1:] == [["b.csv", "plain/x.csv"]]


def test_a_pipeline_that_takes_an_address_gets_copies_of_a_sets_files_alone() -> None:
    world = a_world_with_sets(with_sets("url"))
    for file in ("a.csv", "b.csv"):
        send(world, file)
    name_set(world, ["a.csv", "b.csv"])
    look(world)
    copier: Any = world.ports.copier
    folder = f"s3://artifacts/inputs/{PIPELINE}/{world.run.id}/"
    assert set(copier.copies) == {f"{folder}a.csv", f"{folder}b.csv"}
    assert world.executions.started[0]["input"] == folder


def test_of_a_set_that_is_too_large_to_be_copied_people_are_told_and_a_single_file_has_its_own_address() -> None:
    world = a_world_with_sets(with_sets("url"))
    send(world, "a.csv", size=rules.MOST_COPIED)
    send(world, "b.csv", size=1)
    name_set(world, ["a.csv", "b.csv"], "1-manifest.json")
    look(world)
    assert "2,147,483,649 bytes, and at most 2,147,483,648 are copied for one run" in world.set_mails[0]["refused"]
    name_set(world, ["a.csv"], "2-manifest.json")
    look(world)
    assert world.executions.started[0]["input"] == f"s3://{BUCKET}/incoming/a.csv"


def test_a_push_is_not_kept_waiting_by_a_set_that_is_not_whole_and_runs_over_the_last_data(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv"], "1-manifest.json")
    look(world)
    finish(world)
    send(world, "b.csv")
    name_set(world, ["b.csv", "c.csv"], "2-manifest.json")
    assert world.deliver(PUSH) == []
    assert [(run.repeats, run.commit) for run in world.table.runs[1:]] == [(world.table.runs[0].id, PUSH["commit"])]
    assert world.executions.started[1]["input"] == world.executions.started[0]["input"]
    assert input_of(world, world.table.runs[0].id) == ["a.csv"]


def test_a_push_waits_with_uploads_of_no_set_for_their_quiet_moment() -> None:
    world = a_world_with_sets(with_sets(complete=None, replace=True, quiet_seconds=60))
    send(world, "a.csv")
    look(world)
    world.clock.forward(60)
    look(world)
    finish(world)
    send(world, "b.csv")
    assert world.deliver(PUSH) == []
    assert len(world.table.runs) == 1
    world.clock.forward(60)
    look(world)
    assert (world.run.commit, world.run.repeats, inputs(world)[1]) == (PUSH["commit"], None, ["b.csv"])


def test_a_push_runs_over_a_set_that_is_whole(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv"])
    assert world.deliver(PUSH) == []
    assert (world.run.commit, world.run.repeats, inputs(world)) == (PUSH["commit"], None, [["a.csv"]])


def test_a_push_that_finds_only_files_of_no_set_opens_no_run(world: World) -> None:
    send(world, "a.csv")
    assert world.deliver(PUSH) == []
    look(world)
    assert (world.table.runs, world.requests.sent) == ([], [])


def test_what_is_no_more_the_projects_is_given_back_even_where_no_set_is_whole(world: World) -> None:
    send(world, "wine/a.csv")
    world.ports = world.ports._replace(projects=MemoryProjects(with_sets(), a_project("wine", "incoming/wine/")))
    look(world)
    assert world.tables.waiting == {UNCLAIMED: ["incoming/wine/a.csv"]}


def test_more_manifests_than_there_is_time_for_are_read_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_READING", timedelta(0))
    name_set(world, ["a.csv"], "1-manifest.json")
    name_set(world, ["b.csv"], "2-manifest.json")
    look(world)
    assert (world.objects.reads, len(world.requests.sent)) == (1, 1)


def test_without_sets_nothing_is_read_and_all_that_waits_is_taken() -> None:
    world = a_world_with_sets(ABALONE)
    send(world, "a.csv")
    name_set(world, ["a.csv"])
    look(world)
    assert (inputs(world), world.objects.reads) == ([["a.csv", "manifest.json"]], 0)


def test_uploads_are_taken_in_the_order_in_which_they_were_recorded_however_many_and_from_several_buckets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "MOST_UPLOADS", 4)
    world = a_world_with_sets(ABALONE)
    for number in range(12):
        world.upload(f"{11 - number:02d}.csv", bucket=BUCKET if number % 4 < 2 else "another")
    recorded = [(one.bucket, one.key) for one in world.table.waiting()]
    look(world)
    for _ in range(5):
        finish(world)
    taken = [[(one.bucket, one.key) for one in world.table.taken(run)] for run in world.table.runs]
    assert all(len({bucket for bucket, _ in run}) == 1 for run in taken)
    for bucket in (BUCKET, "another"):
        of_bucket = [one for run in taken if run[0][0] == bucket for one in sorted(run, reverse=True)]
        assert of_bucket == [one for one in recorded if one[0] == bucket]
    assert [run[0][0] for run in taken] == [BUCKET, "another"] * 3


def test_what_names_a_set_is_recorded_even_if_it_is_empty_and_told_of(world: World) -> None:
    ports = RecordingPorts(
        world.objects, world.ports.projects, world.tables, world.requests, MemoryDeadLetterQueue(), world.clock
    )
    for key in ("incoming/manifest.json", "incoming/empty.csv"):
        world.objects.put(key, size=0)
        world.objects.texts[f"s3://{BUCKET}/{key}", "v1"] = ""
        native = sample("s3/object-created")
        told = native["detail"]["object"] | {"key": key, "version-id": "v1"}
        assert record(sqs_event(with_detail(native, object=told)), ports) == {"batchItemFailures": []}
    look(world)
    assert [mail["refused"].partition(":")[0] for mail in world.set_mails] == ["it names no file"]
    assert waiting(world) == []


def test_an_older_versions_event_that_comes_late_is_its_successors_and_starts_nothing() -> None:
    world = a_world_with_sets(with_sets(complete=None, replace=True))
    ports = RecordingPorts(
        world.objects, world.ports.projects, world.tables, world.requests, MemoryDeadLetterQueue(), world.clock
    )
    native = sample("s3/object-created")
    events = [
        with_detail(native, object=native["detail"]["object"] | {"key": "incoming/a.csv", "version-id": version})
        for version in ("v1", "v2")
    ]
    world.objects.put("incoming/a.csv", "v2", second=2)
    record(sqs_event(events[1]), ports)
    record(sqs_event(events[0]), ports)
    look(world)
    record(sqs_event(events[0]), ports)
    finish(world)
    look(world)
    assert [(one.version, one.run) for one in world.table.history(BUCKET, "incoming/a.csv")] == [("v2", world.run.id)]
    assert len(world.table.runs) == 1


def test_the_window_of_a_set_is_the_longest_wait_of_its_pipeline() -> None:
    owned = owner([with_sets()], PIPELINE)
    assert owned is not None
    manifest = Upload(BUCKET, "incoming/manifest.json", "v1", 1, "2026-11-20T12:00:00.000000Z")
    assert f"{gathering.deadline(manifest, owned):%H:%M}" == "13:00"


def test_a_manifests_names_are_those_of_its_version(world: World) -> None:
    send(world, "a.csv")
    name_set(world, ["a.csv"])
    world.objects.texts[f"s3://{BUCKET}/incoming/manifest.json", "v2"] = json.dumps(["b.csv"])
    look(world)
    assert inputs(world) == [["a.csv"]]


@pytest.mark.parametrize("taken", range(5))
@pytest.mark.parametrize("late", [False, True])
def test_a_run_that_died_while_it_took_a_set_takes_the_rest_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, taken: int, late: bool
) -> None:
    files = ["a.csv", "b.csv", "c.csv"]
    uploads = [send(world, file) for file in files]
    named = name_set(world, [*files, "never.csv"] if late else files)
    world.clock.forward(LONGEST if late else 0)
    look(world)
    whole = inputs(world)
    again = a_world_with_sets()
    for upload in (*uploads, named):
        again.table.record(upload)
    again.objects.texts, again.objects.content = world.objects.texts, world.objects.content
    again.clock.now = world.clock.now
    send(again, "d.csv")
    name_set(again, ["d.csv"], "early-manifest.json")
    again.table.open(rules.next_run(PIPELINE, None, again.clock()))
    again.table.take(again.run, [named._replace(names_files=True), *uploads][:taken])
    monkeypatch.setattr(rules, "MOST_UPLOADS", 4)  # there is room for nothing else
    look(again)
    assert inputs(again)[:1] == whole
    assert (again.run.lacks != "") == late
    finish(again)
    assert inputs(again) == [*whole, ["d.csv"]]


def test_of_two_sets_that_name_the_same_file_the_first_has_it_and_both_do_where_one_run_takes_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("a.csv", "both.csv", "b.csv"):
        send(world, file)
    name_set(world, ["a.csv", "both.csv"], "1-manifest.json")
    name_set(world, ["b.csv", "both.csv"], "2-manifest.json")
    look(world)
    assert inputs(world) == [["a.csv", "b.csv", "both.csv"]]
    assert [upload.run for upload in world.table.history(BUCKET, "incoming/both.csv")] == [world.run.id]


def test_a_set_that_a_run_has_begun_with_is_finished_even_if_its_project_waits_longer_by_now() -> None:
    world = a_world_with_sets(with_sets(longest_seconds=2 * LONGEST))
    named = name_set(world, ["a.csv", "b.csv", "never.csv"])
    first, _ = send(world, "a.csv"), send(world, "b.csv")
    world.clock.forward(LONGEST)
    world.table.open(rules.next_run(PIPELINE, None, world.clock()))
    world.table.take(world.run, [named._replace(names_files=True), first])
    look(world)
    assert inputs(world) == [["a.csv", "b.csv"]]
    assert world.run.lacks == "without 1 that did not come (incoming/never.csv)"
