"""A push asks for a run: over what waits, or again over what an earlier run took; each commit once."""

from copy import replace
from typing import Any

import pytest
from tests.support.samples import sqs_event
from tests.support.starting import REQUEST, World, a_world
from tests.support.uploads import ARTIFACTS, BUCKET, MANIFESTS, PIPELINE, MemoryCopier, a_project

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.events import EventError
from signalbox.mail import MailError
from signalbox.uploads import rules
from signalbox.uploads.launching import COPYING
from signalbox.uploads.model import CLAIMED, NO_UPLOADS, Run, RunPostponedError, RunRefusedError, Wish
from signalbox.uploads.starting import RunRequested, read, start

ONE, TWO, THREE = ("1" * 40, "2" * 40, "3" * 40)


def push(commit: str = ONE) -> dict[str, str]:
    return {"kind": "repeat-requested", "pipeline": PIPELINE, "commit": commit}


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def ran(world: World) -> World:
    """A world in which one run over two uploads is over."""
    world.upload("a.csv", "b.csv")
    world.deliver(REQUEST)
    world.deliver(world.over())
    return world


def takes(world: World, what: str) -> None:
    """Let the project's document say what the pipeline takes."""
    projects: Any = world.ports.projects
    found = a_project("abalone", "incoming/", takes=what)
    projects.found = (replace(found, uploads=()) if what == "nothing" else found,)


def test_the_last_run_is_repeated_over_its_own_manifest(ran: World) -> None:
    first = ran.run
    assert ran.deliver(push()) == []
    assert (ran.run.number, ran.run.status, ran.run.repeats, ran.run.commit) == (2, "Started", first.id, ONE)
    assert ran.executions.started[-1] == {
        "display_name": "run-2-again",
        "description": f"{ran.run.id}: again what {first.id} took, 2 uploads from {BUCKET}, at commit 111111111111: "
        "incoming/a.csv, incoming/b.csv",
        "input": f"{MANIFESTS}/{first.id}.json",
    }
    assert ran.table.taken(ran.run) == []
    assert [upload.run for upload in ran.table.history(BUCKET, "incoming/a.csv")] == [first.id]


def test_a_manifest_that_is_gone_is_written_again(ran: World) -> None:
    kept = dict(ran.objects.written)
    ran.objects.written.clear()
    ran.deliver(push())
    assert ran.objects.written == kept


def test_what_waits_is_run_instead_and_that_run_notes_the_commit(ran: World) -> None:
    ran.upload("c.csv")
    ran.deliver(push())
    assert (ran.run.number, ran.run.repeats, ran.run.commit) == (2, None, ONE)
    assert [upload.key for upload in ran.table.taken(ran.run)] == ["incoming/c.csv"]
    assert ran.executions.started[-1]["display_name"] == "run-2-1-upload"
    assert ran.executions.started[-1]["description"].endswith(f" from {BUCKET}, at commit 111111111111: incoming/c.csv")
    ran.deliver(ran.over(), push())
    assert ran.run.number == 2


def test_uploads_that_still_come_are_waited_for_and_their_run_is_the_pushs(ran: World) -> None:
    projects: Any = ran.ports.projects
    projects.found = (a_project("abalone", "incoming/", quiet_seconds=60),)
    ran.upload("c.csv")
    ran.deliver(push())
    assert (ran.run.number, ran.requests.asked) == (1, [REQUEST])
    ran.clock.forward(60)
    ran.deliver(REQUEST)
    assert (ran.run.number, ran.run.repeats, ran.run.commit) == (2, None, ONE)


def test_while_a_run_is_active_a_push_waits_and_the_end_of_the_run_starts_its_own(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    first = world.run
    assert world.deliver(push()) == []
    assert (world.run.number, world.requests.asked) == (1, [REQUEST])
    world.deliver(world.over())
    assert (world.run.number, world.run.repeats, world.run.commit) == (2, first.id, ONE)


def test_a_later_commit_takes_the_place_of_one_that_still_waits(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST, push(ONE), push(TWO))
    world.deliver(world.over())
    assert world.run.commit == TWO
    world.deliver(world.over(), push(ONE), push(TWO))
    assert world.run.number == 2


def test_a_commit_is_run_once_however_often_and_late_it_is_asked_for(ran: World) -> None:
    ran.deliver(push(ONE), push(ONE))
    ran.deliver(ran.over(), push(ONE))
    ran.deliver(push(TWO))
    ran.deliver(ran.over(), push(ONE), push(TWO), push(ONE))
    assert [run.commit for run in ran.table.runs] == ["", ONE, TWO]
    assert ran.executions.running == []


def test_a_push_before_the_first_uploads_starts_nothing_and_their_run_is_its_own(world: World) -> None:
    assert world.deliver(push()) == []
    assert (world.table.latest(), world.requests.asked) == (None, [])
    world.upload("a.csv")
    world.deliver(REQUEST)
    assert (world.run.repeats, world.run.commit) == (None, ONE)


def test_a_run_that_succeeded_is_repeated_rather_than_a_later_one_that_did_not(ran: World) -> None:
    first = ran.run
    ran.upload("bad.csv")
    ran.deliver(REQUEST)
    ran.deliver(ran.over("Failed", "no rows"), push())
    assert ran.run.repeats == first.id


def test_where_none_succeeded_the_last_run_with_uploads_is_repeated(world: World) -> None:
    for key in ("a.csv", "b.csv"):
        world.upload(key)
        world.deliver(REQUEST)
        world.deliver(world.over("Failed", "no rows"))
    second = world.run
    world.deliver(push(ONE))
    assert world.run.repeats == second.id
    world.deliver(world.over(), push(TWO))
    assert world.run.repeats == second.id  # and not the run that repeated it


def test_a_pipeline_that_takes_nothing_is_started_without_a_parameter(world: World) -> None:
    takes(world, "nothing")
    world.deliver(push())
    assert (world.run.status, world.run.repeats, world.run.commit) == ("Started", NO_UPLOADS, ONE)
    assert world.executions.started == [
        {
            "display_name": "run-1-again",
            "description": f"{world.run.id}: no uploads, at commit 111111111111",
            "input": None,
        }
    ]


def test_a_pipeline_that_takes_nothing_any_more_is_started_without_a_parameter(ran: World) -> None:
    takes(ran, "nothing")
    ran.deliver(push())
    assert (ran.run.status, ran.run.repeats, ran.executions.started[-1]["input"]) == ("Started", NO_UPLOADS, None)


def test_a_run_without_uploads_is_closed_where_its_pipeline_takes_some_by_now(world: World) -> None:
    takes(world, "nothing")
    world.executions.quota = 0
    world.deliver(push())
    assert world.run.status == CLAIMED
    takes(world, "manifest")
    world.executions.quota = 1
    world.deliver(REQUEST, REQUEST)
    assert [run.status for run in world.table.runs] == ["Empty"]
    assert world.executions.started == []


def test_the_one_file_of_a_run_is_given_by_its_address_again(world: World) -> None:
    takes(world, "url")
    world.upload("a.csv")
    world.deliver(REQUEST)
    world.deliver(world.over(), push())
    assert [one["input"] for one in world.executions.started] == [f"s3://{BUCKET}/incoming/a.csv"] * 2


def test_the_folder_of_copies_of_a_run_is_given_again_and_nothing_is_copied_anew(world: World) -> None:
    takes(world, "url")
    world.upload("a.csv", "b.csv")
    world.deliver(REQUEST)
    world.objects.content.clear()  # the copies are the stack's own
    world.deliver(world.over(), push())
    copier: Any = world.ports.copier
    assert (world.run.number, copier.calls) == (2, 2)
    inputs = [one["input"] for one in world.executions.started]
    assert inputs == [f"s3://{ARTIFACTS}/inputs/{PIPELINE}/{world.table.runs[0].id}/"] * 2


def test_copies_that_the_repeated_run_has_none_of_are_made_as_many_at_a_time_as_there_is_time_for(
    ran: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = MemoryCopier.copy

    def slow(copier: MemoryCopier, source: str, target: str) -> Any:
        ran.clock.now += COPYING
        return copy(copier, source, target)

    monkeypatch.setattr(MemoryCopier, "copy", slow)
    takes(ran, "url")
    ran.deliver(push())
    assert (ran.run.status, ran.run.copied) == (CLAIMED, 1)
    ran.deliver(REQUEST)
    copier: Any = ran.ports.copier
    folder = f"s3://{ARTIFACTS}/inputs/{PIPELINE}/{ran.run.repeats}/"
    assert ran.executions.started[-1]["input"] == folder
    assert list(copier.copies) == [f"{folder}a.csv", f"{folder}b.csv"]


@pytest.mark.parametrize(
    "refusal",
    [RunPostponedError("the quota is used up"), RunRefusedError("ResourceNotFound", "there is no such pipeline")],
)
def test_a_run_that_cannot_start_waits_as_others_do_and_starts_when_it_can(
    ran: World, refusal: RunPostponedError
) -> None:
    ran.executions.refusal = refusal
    assert ran.deliver(push()) == []
    assert (ran.run.status, ran.run.waits_for, ran.requests.asked) == (CLAIMED, refusal.waits_for, [REQUEST])
    ran.upload("c.csv")
    assert ran.deliver(REQUEST) == []
    ran.executions.refusal = None
    ran.deliver(REQUEST)
    assert (ran.run.number, ran.run.status, ran.run.repeats) == (2, "Started", ran.table.runs[0].id)
    ran.deliver(ran.over())
    assert [upload.key for upload in ran.table.taken(ran.run)] == ["incoming/c.csv"]


def test_the_mail_about_a_refused_run_says_what_it_repeats(ran: World) -> None:
    ran.executions.refusal = RunRefusedError("ResourceNotFound", "there is no such pipeline")
    ran.deliver(push())
    assert ran.mails == [
        {
            "project": "abalone",
            "approvers": [],
            "pipeline": PIPELINE,
            "run": ran.run.id,
            "uploads": f"again what {ran.run.repeats} took, at commit 111111111111: incoming/a.csv, incoming/b.csv",
            "since": "2026-11-20T12:00:02.000000Z",
            "code": "ResourceNotFound",
            "reason": "there is no such pipeline",
            "waits": "run",
        }
    ]


def test_a_run_whose_files_are_gone_is_told_once_never_opened_and_the_next_uploads_are_the_pushs(ran: World) -> None:
    first = ran.run
    ran.objects.content.clear()
    assert ran.deliver(push()) == []
    assert ran.deliver(REQUEST, push()) == []
    assert (ran.run, ran.requests.asked) == (first, [])
    (mail,) = ran.mails
    assert (mail["run"], mail["code"], mail["waits"], mail["since"]) == (first.id, "InputGone", "nothing", "")
    assert mail["uploads"] == "incoming/a.csv, incoming/b.csv"
    assert f"{PIPELINE} was published at the commit {ONE}, and what its run {first.id} took" in mail["reason"]
    ran.upload("c.csv")
    ran.deliver(REQUEST)
    assert (ran.run.number, ran.run.commit) == (2, ONE)


def test_a_mail_about_what_is_gone_that_fails_is_tried_again(ran: World) -> None:
    def refused(_: object) -> None:
        raise MailError("SES did not take the mail")

    ran.objects.content.clear()
    failing = replace(ran.ports, refusals=replace(ran.ports.refusals, notify=refused))
    response = start(sqs_event(push(), group=PIPELINE, queue="runs"), failing)
    assert response["batchItemFailures"] == [{"itemIdentifier": "m-0"}]
    ran.deliver(push())
    assert len(ran.mails) == 1


def test_a_run_of_which_some_files_are_left_is_repeated(ran: World) -> None:
    del ran.objects.content[BUCKET, "incoming/a.csv"]
    ran.deliver(push())
    assert ran.run.number == 2


def test_a_run_whose_files_nobody_may_look_at_is_repeated_all_the_same(
    ran: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: str) -> None:
        raise CallRefusedError("s3:HeadObject", "403", "Forbidden")

    monkeypatch.setattr(ran.objects, "look", refused)
    ran.deliver(push())
    assert ran.run.number == 2


def test_a_push_that_is_not_written_down_comes_back_by_itself(ran: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise ServiceBusyError("dynamodb:TransactWriteItems of uploads", "the connection was closed")

    with monkeypatch.context() as broken:
        broken.setattr(ran.table, "ask_again", lost)
        assert ran.deliver(push()) == ["m-0"]
    ran.deliver(push())
    assert ran.run.commit == ONE


def test_a_pipeline_that_no_project_has_is_not_run_until_one_has_it(ran: World) -> None:
    projects: Any = ran.ports.projects
    known, projects.found = projects.found, (a_project("wine", "incoming/wine/"),)
    assert ran.deliver(push()) == []
    assert (ran.run.number, ran.requests.asked) == (1, [])
    projects.found = known
    ran.deliver(REQUEST)
    assert (ran.run.number, ran.run.commit) == (2, ONE)


def test_a_run_that_was_opened_for_a_push_and_found_nothing_leaves_it_to_the_next(ran: World) -> None:
    first = ran.run
    ran.table.ask_again(ONE, ran.clock())
    ran.table.open(rules.next_run(PIPELINE, first, ran.clock())._replace(commit=ONE), Wish(ONE))
    ran.deliver(REQUEST)
    assert (ran.run.status, ran.requests.asked) == ("Empty", [REQUEST])
    ran.deliver(REQUEST)
    assert (ran.run.number, ran.run.repeats, ran.run.commit) == (3, first.id, ONE)
    ran.deliver(ran.over(), REQUEST)
    assert ran.run.number == 3


def test_a_wish_is_open_until_a_run_is_opened_that_has_something_to_run_over(world: World) -> None:
    run = Run(PIPELINE, 1, world.clock(), status="Empty", commit=ONE)
    assert rules.open_wish(None, None) is None
    assert rules.open_wish(Wish(ONE), None) == Wish(ONE)
    assert rules.open_wish(Wish(ONE, run.id), run) == Wish(ONE, run.id)
    assert rules.open_wish(Wish(ONE, run.id), run.at("Started")) is None
    assert rules.open_wish(Wish(ONE, run.id), run._replace(repeats=NO_UPLOADS)) is None
    assert rules.open_wish(Wish(ONE, "an earlier run"), run) is None


def test_a_push_names_its_pipeline_and_its_commit() -> None:
    assert read(push(), "signalbox") == RunRequested(PIPELINE, ONE)
    assert read(REQUEST | {"commit": ONE}, "signalbox") == RunRequested(PIPELINE)
    for commit in (None, "", "main", "ABCDEF0", "1" * 65):
        with pytest.raises(EventError, match="give the commit's hash"):
            read({**push(), "commit": commit}, "signalbox")
    with pytest.raises(EventError, match="a run of 'churn' is requested"):
        read({**push(), "pipeline": "churn"}, "signalbox")


def test_people_are_told_what_a_run_is_over_and_at_which_commit(ran: World) -> None:
    run, uploads = ran.run, ran.table.taken(ran.run)
    assert rules.told(run, uploads) == "incoming/a.csv, incoming/b.csv"
    assert rules.told(run._replace(commit=TWO), uploads) == "incoming/a.csv, incoming/b.csv (at commit 222222222222)"
    assert rules.told(run._replace(commit=THREE, repeats=NO_UPLOADS), ()) == (
        "none, since the pipeline takes none; at commit 333333333333"
    )
