"""A run takes what waits as far as its function has time, and goes on without what was deleted meanwhile."""

import json
from collections import Counter
from typing import Any

import pytest
from tests.support.starting import REQUEST, World, a_world
from tests.support.uploads import BUCKET, PIPELINE, MemoryTable, a_project

from signalbox import moments
from signalbox.aws.errors import CallRefusedError
from signalbox.uploads import remaining, rules
from signalbox.uploads.model import CLAIMING, UNCLAIMED, Upload

TIMEOUT = 60_000  # milliseconds
CLAIMS = {"kind": "claim-requested", "pipeline": UNCLAIMED}


@pytest.fixture
def world() -> World:
    return a_world()


def test_a_run_goes_on_without_an_upload_that_was_deleted_after_its_event(world: World) -> None:
    world.upload("a.csv", "b.csv")
    world.objects.delete("incoming/a.csv")
    assert world.deliver(REQUEST) == []
    assert json.loads(world.objects.manifests[world.run.id])[1:] == ["incoming/b.csv"]
    (started,) = world.executions.started
    assert started["display_name"] == "run-1-1-upload"
    (known,) = world.table.history(BUCKET, "incoming/a.csv")
    assert (known.run, known.gone) == (world.run.id, moments.text_of(world.clock()))


def test_a_run_whose_uploads_are_all_deleted_ends_empty_says_why_and_has_no_execution(world: World) -> None:
    world.upload("a.csv", "b.csv")
    for key in ("a.csv", "b.csv"):
        world.objects.delete(f"incoming/{key}")
    assert world.deliver(REQUEST) == []
    assert (world.run.status, world.run.reason) == ("Empty", "all its uploads were deleted before it could start")
    assert (world.executions.started, world.objects.manifests) == ([], {})
    world.upload("c.csv")
    world.deliver(REQUEST)
    assert (world.run.number, world.run.status) == (2, "Started")


def test_an_earlier_version_of_a_key_that_has_a_later_one_is_not_gone(world: World) -> None:
    world.upload("a.csv")
    world.table.record(Upload(BUCKET, "incoming/a.csv", "v2", 10, moments.text_of(world.clock())))
    world.deliver(REQUEST)
    assert {one.version for one in world.table.taken(world.run)} == {"v1", "v2"}


def test_what_is_deleted_after_a_run_was_sealed_stays_in_its_manifest(world: World) -> None:
    world.upload("a.csv")
    world.executions.quota = 0
    world.deliver(REQUEST)
    world.objects.delete("incoming/a.csv")
    world.executions.quota = 20
    world.deliver(REQUEST)
    assert json.loads(world.objects.manifests[world.run.id])[1:] == ["incoming/a.csv"]
    assert world.run.status == "Started"


def test_where_nobody_may_look_everything_stays_in_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CallRefusedError("s3:HeadObject", "AccessDenied", "Access Denied")

    world.upload("a.csv")
    monkeypatch.setattr(world.objects, "look", refuse)
    world.deliver(REQUEST)
    assert world.run.status == "Started"
    assert len(world.table.taken(world.run)) == 1


def test_each_key_is_looked_for_once_also_where_threads_share_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, look = Counter[str](), world.objects.look

    def counted(bucket: str, key: str) -> Any:
        looked[key] += 1
        return look(bucket, key)

    world.upload(*(f"{number}.csv" for number in range(50)))
    monkeypatch.setattr(world.objects, "look", counted)
    world.objects.delete("incoming/7.csv")
    world.deliver(REQUEST)
    assert set(looked.values()) == {1}
    assert (len(looked), len(world.table.taken(world.run))) == (50, 49)


class Slow:
    """A table of which each call takes so many milliseconds of the function that makes it, and a bucket of 20."""

    def __init__(self, world: World, milliseconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.milliseconds, self.left = world, milliseconds, TIMEOUT
        for name in ("take", "leave_out", "hand_over", "waiting", "taken", "move", "note"):
            monkeypatch.setattr(MemoryTable, name, self._slow(getattr(MemoryTable, name)))
        monkeypatch.setattr(world.objects, "look", self._slow(world.objects.look, 20))
        monkeypatch.setattr(world.requests, "ask", self._slow(world.requests.ask))
        world.ports = world.ports._replace(left=lambda: self.left)

    def _slow(self, method: Any, milliseconds: int = 0) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.left -= milliseconds or self.milliseconds
            return method(*arguments, **named)

        return call

    def work(self, *messages: Any, times: int = 200) -> int:
        """Deliver messages and what comes of them, each to a function of its own that ends in time; return how many."""
        calls = 0
        while messages and calls < times:
            self.left = TIMEOUT
            assert self.world.deliver(*messages) == []
            assert self.left > 0
            calls += 1
            self.world.clock.forward(60)
            messages = tuple(body for _, body in self.world.requests.due())
        return calls


def waiting(world: World, number: int, pipeline: str = PIPELINE, project: str = "") -> None:
    for one in range(number):
        key = f"incoming/{project}{one}.csv"
        world.objects.put(key)
        world.tables(pipeline).record(Upload(BUCKET, key, "v1", 10, moments.text_of(world.clock())))


def test_ten_thousand_waiting_uploads_are_taken_by_functions_that_all_end_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(world, 10_000)
    world.objects.delete("incoming/17.csv")
    slow = Slow(world, 1_500, monkeypatch)
    first = slow.work(REQUEST)
    world.executions.finish(world.executions.running[0])
    second = slow.work(REQUEST)
    assert min(first, second) > 3
    assert [len(world.table.taken(run)) for run in world.table.runs] in ([4_999, 5_000], [5_000, 4_999])
    taken = Counter(one.key for run in world.table.runs for one in world.table.taken(run))
    assert set(taken.values()) == {1}
    assert world.table.waiting() == []


def test_a_run_that_has_begun_to_look_for_its_uploads_takes_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(world, 3_000)
    slow = Slow(world, 500, monkeypatch)
    slow.work(REQUEST, times=1)
    assert (world.run.status, bool(world.run.looked)) == (CLAIMING, True)
    assert world.table.waits_for == {world.run.id: "its files are being looked for"}
    world.upload("late.csv")
    slow.work(REQUEST)
    assert len(world.table.taken(world.run)) == 3_000
    assert [one.key for one in world.table.waiting()] == ["incoming/late.csv"]


@pytest.mark.parametrize("own", [False, True])
def test_ten_thousand_uploads_change_their_pipeline_by_functions_that_all_end_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    abalone = world.ports.projects.read_after(world.clock())[0]
    wine = a_project("wine", "incoming/wine/")
    world.ports = world.ports._replace(projects=type(world.ports.projects)(abalone, wine))  # type: ignore[call-arg]
    waiting(world, 10_000, PIPELINE if own else UNCLAIMED, "wine/")
    slow = Slow(world, 300, monkeypatch)
    calls = slow.work(REQUEST if own else CLAIMS, times=40)
    assert calls > 3
    assert world.tables(PIPELINE).waiting() == []
    assert world.tables(UNCLAIMED).waiting() == []
    runs = world.tables("signalbox-wine").runs
    left = world.tables("signalbox-wine").waiting()
    assert len(left) + sum(len(world.tables("signalbox-wine").taken(run)) for run in runs) == 10_000


def test_what_a_batch_has_no_time_for_is_asked_for_again(world: World) -> None:
    world.upload("a.csv")
    world.ports = world.ports._replace(left=lambda: remaining.ENOUGH - 1)
    assert world.deliver(REQUEST) == []
    assert world.table.latest() is None
    assert [body["kind"] for body in world.requests.asked] == [rules.RUN_REQUESTED]
