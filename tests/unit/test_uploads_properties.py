"""Whatever happens to events, messages and functions, each upload is taken once, by one run, and one run is active.

And each commit that a push asks for is run once, by a run that began after it was asked for, unless a later one was.

A small world is driven by hypothesis: objects are put and overwritten; the events about them come in both shapes, in
any order, twice, late; so do the messages of pushes; functions die before or after any call; the quota is used up;
events about executions are lost. In the end everything that is due is delivered, and the invariants hold.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mortal import DeathError, Mortal
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    ARTIFACTS,
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
    MemoryTables,
)

from signalbox.uploads import rules
from signalbox.uploads.model import RunRefusedError
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.recording import RecordingPorts, record
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.starting import StartingPorts, start

NATIVE = sample("s3/object-created")
TRAIL = sample("s3/put-object-cloudtrail")
BARE_TRAIL = sample("s3/put-object-without-version-cloudtrail")
DONE = sample("sagemaker/pipeline-execution-succeeded")
REQUEST = {"kind": "run-requested", "pipeline": PIPELINE}
QUIET = 60
MISSING = RunRefusedError("ResourceNotFound", "the pipeline does not exist")


class World:
    """The upload journey with everything that can go wrong around it."""

    def __init__(self, fate: Callable[[], str]) -> None:
        self.fate = fate
        self.clock = Clock()
        self.objects = MemoryObjects()
        self.tables = MemoryTables()
        self.table = self.tables(PIPELINE)
        self.projects = MemoryProjects()
        self.requests = MemoryRequests(self.clock, QUIET)
        self.executions = MemoryExecutions()
        self.events: list[Any] = []
        self.messages: list[Any] = []
        self.pushed: list[Any] = []
        self.lifetimes = MemoryLifetimes()
        self.versions = 0
        self.deleted = False
        self.most_running = 0
        self.dead_letters = MemoryDeadLetterQueue()
        self.mails: list[Any] = []
        self.set_mails: list[Any] = []
        self.deaths = 0
        self.recording = RecordingPorts(
            objects=self._mortal(self.objects),
            projects=self._mortal(self.projects),
            store_of=self._store,
            requests=self._mortal(self.requests),
            dead_letters=self._mortal(self.dead_letters),
            clock=self.clock,
        )
        self.starting = StartingPorts(
            prefix="signalbox",
            artifacts=ARTIFACTS,
            projects=self._mortal(self.projects),
            store_of=self._store,
            objects=self._mortal(self.objects),
            copier=self._mortal(MemoryCopier()),
            executions=self._mortal(self.executions),
            lifetimes=self._mortal(self.lifetimes),
            requests=self._mortal(self.requests),
            dead_letters=self._mortal(self.dead_letters),
            refusals=Refusals(self._mortal(MemoryNotificationLog()), self.mails.append),
            notices=SetNotices(self._mortal(MemoryNotificationLog()), self.set_mails.append),
            clock=self.clock,
        )

    def _store(self, pipeline: str) -> Any:
        return self._mortal(self.tables(pipeline))

    def _mortal(self, port: Any) -> Any:
        return Mortal(port, self._happens)

    def _happens(self) -> str:
        fate = self.fate()
        self.deaths += fate != "lives"
        return fate

    def put(self, key: int, shapes: tuple[str, ...]) -> None:
        """Put or overwrite an object; the events about it are under way, one for each of `shapes`."""
        self.versions += 1
        name, version = f"incoming/{key}.csv", f"v{self.versions}"
        self.objects.put(name, version)
        detail = NATIVE["detail"]["object"] | {"key": name, "version-id": version}
        told = {
            "native": with_detail(NATIVE, object=detail),
            "trail": with_detail(TRAIL, requestParameters__key=name, responseElements={"x-amz-version-id": version}),
            "bare": with_detail(BARE_TRAIL, requestParameters__key=name),
        }
        self.events += [told[shape] for shape in shapes]

    def delete(self, key: int) -> None:
        """Delete an object."""
        self.deleted = True
        self.objects.delete(f"incoming/{key}.csv")

    def hear(self, index: int) -> None:
        """Deliver one of the events under way; it stays under way if the function fails."""
        if not self.events:
            return
        event = self.events.pop(index % len(self.events))
        try:
            failed = bool(record(sqs_event(event), self.recording)["batchItemFailures"])
        except DeathError:
            failed = True
        if failed:
            self.events.append(event)

    def run(self) -> None:
        """Let the quiet window pass and deliver what is in the queue, in order, until one message fails."""
        self.clock.forward(QUIET)
        self.messages += [message for _, message in self.requests.due()]
        failures = start(sqs_event(*self.messages, group=PIPELINE), self.starting)["batchItemFailures"]
        self.messages = self.messages[len(self.messages) - len(failures) :]
        self.most_running = max(self.most_running, len(self.executions.running))

    def push(self, times: int, place: int) -> None:
        """Publish a commit, which asks for a run of it: its message is somewhere among the others, so many times."""
        commit = f"{len(self.pushed) + 1:040x}"
        self.pushed.append({"kind": "repeat-requested", "pipeline": PIPELINE, "commit": commit})
        for _ in range(times):
            self.messages.insert(place % (len(self.messages) + 1), self.pushed[-1])

    def push_comes_again(self, index: int) -> None:
        """Deliver the message of an earlier push once more, however long ago that was."""
        if self.pushed:
            self.messages.append(self.pushed[index % len(self.pushed)])

    def hear_and_run(self, index: int) -> None:
        """Deliver an event, and what comes of it."""
        self.hear(index)
        self.run()

    def end(self, tell: int) -> None:
        """Let a running execution end; the event about it comes `tell` times."""
        for execution in self.executions.running[:1]:
            self.executions.finish(execution)
            self.messages += [with_detail(DONE, pipelineExecutionArn=execution)] * tell

    def settle(self) -> None:
        """Deliver everything that is due, with nothing going wrong any more."""
        self.fate = lambda: "lives"
        self.executions.quota, self.executions.refusal = 20, None
        for _ in range(20):
            while self.events:
                self.hear(0)
            self.end(tell=0)  # even when no event about an execution ever comes
            self.run()


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.integers(0, 3),
            st.lists(st.sampled_from(["native", "trail", "bare"]), min_size=1, max_size=4).map(tuple),
        ),
        st.tuples(st.just("delete"), st.integers(0, 3)),
        st.tuples(st.just("hear"), st.integers(0, 50)),
        st.tuples(st.just("hear and run"), st.integers(0, 50)),
        st.tuples(st.just("run")),
        st.tuples(st.just("end"), st.integers(0, 2)),
        st.tuples(st.just("push"), st.integers(1, 2), st.integers(0, 3)),
        st.tuples(st.just("push comes again"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, 90)),
        st.tuples(st.just("quota"), st.sampled_from([0, 20])),
        st.tuples(st.just("pipeline"), st.booleans()),
    ),
    min_size=3,
    max_size=20,
)
# Which calls die, counted from the first, and how: an upload and its run are 14 calls.
fates = st.dictionaries(st.integers(0, 45), st.sampled_from(["before", "after"]), max_size=6)


def play(world: World, story: list[Any]) -> None:
    actions: dict[str, Callable[..., Any]] = {
        "put": world.put,
        "delete": world.delete,
        "hear": world.hear,
        "run": world.run,
        "hear and run": world.hear_and_run,
        "end": world.end,
        "push": world.push,
        "push comes again": world.push_comes_again,
        "wait": world.clock.forward,
        "quota": lambda quota: setattr(world.executions, "quota", quota),
        "pipeline": lambda exists: setattr(world.executions, "refusal", None if exists else MISSING),
    }
    for name, *arguments in story:
        actions[name](*arguments)


def check(world: World) -> None:
    """Hold the invariants against a world in which everything due was delivered."""
    runs = world.table.runs
    taken = Counter((upload.key, upload.version) for run in runs for upload in world.table.taken(run))
    assert all(times == 1 for times in taken.values())
    current = {(key, stored.version) for (_, key), stored in world.objects.content.items()}
    assert current <= set(taken)
    gone = {(one.key, one.version) for one in world.table.uploads.values() if one.gone}
    assert not gone & set(taken)
    assert gone | set(taken) == {(one.key, one.version) for one in world.table.uploads.values()}
    named = [key for content in world.objects.manifests.values() for key in json.loads(content)[1:]]
    assert set(named) == {key for key, _ in taken}
    assert world.table.waiting(most=100) == []
    assert len(world.executions.by_token) == len([run for run in runs if run.status != "Empty"])
    assert world.most_running <= 1
    told = Counter((mail["run"], mail["code"]) for mail in world.mails)
    assert all(times <= 1 + world.deaths for times in told.values())
    check_pushes(world)
    # When no event ever tells of an end, the last run looks started until anybody asks for the next.
    assert not any(run.open for run in runs[:-1])
    world.messages.append(REQUEST)
    world.run()
    assert not any(run.open for run in world.table.runs)
    ended = {run.id: run for run in world.table.runs if run.status != "Empty"}
    good = [run.id for run in ended.values() if world.table.taken(run)][-1:]
    assert set(world.lifetimes.expired) == set(ended) - set(good)


def check_pushes(world: World) -> None:
    """Hold each commit that was asked for against the runs that have it, or that have a later one."""
    runs, asked = world.table.runs, list(world.table.commits)
    ran = [run for run in runs if run.status != "Empty"]
    assert set(asked) == {push["commit"] for push in world.pushed}
    assert all(times == 1 for times in Counter(run.commit for run in ran if run.commit).values())
    assert not any(world.table.taken(run) for run in runs if run.repeats)
    took = {run.id for run in ran if world.table.taken(run)}
    assert {run.repeats for run in runs if run.repeats} <= took
    for place, commit in enumerate(asked):
        fulfilled = [run.number for run in ran if run.commit in asked[place:]]
        if not world.deleted:  # what a push would run again may be gone, which its mail says
            assert bool(fulfilled) == bool(took)
        assert all(number > world.table.commits[commit] for number in fulfilled)
    if not world.deleted:
        assert (rules.open_wish(world.table.wish(), world.table.latest()) is not None) == bool(asked and not took)


@settings(max_examples=200)
@given(story=steps, destiny=fates)
def test_each_upload_is_taken_once_by_one_run_and_one_run_is_active(story: list[Any], destiny: dict[int, str]) -> None:
    calls = count()
    world = World(lambda: destiny.get(next(calls), "lives"))
    play(world, story)
    world.settle()
    check(world)


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("call", range(30))
def test_a_death_at_any_call_of_two_uploads_and_their_runs_changes_nothing(call: int, fate: str) -> None:
    calls = count()
    world = World(lambda: fate if next(calls) == call else "lives")
    story: list[Any] = [("put", 0, ("bare",)), ("hear and run", 0), ("put", 1, ("native",)), ("hear and run", 0)]
    play(world, [*story, ("run",), ("end", 0), ("run",)])
    world.settle()
    check(world)


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("call", range(30))
def test_a_death_at_any_call_of_a_run_that_leaves_an_upload_out_changes_nothing(call: int, fate: str) -> None:
    calls = count()
    world = World(lambda: fate if next(calls) == call else "lives")
    story: list[Any] = [("put", 0, ("bare",)), ("put", 1, ("native",)), ("hear", 0), ("hear", 0), ("delete", 0)]
    play(world, [*story, ("run",), ("delete", 1), ("run",), ("put", 0, ("bare",)), ("hear and run", 0), ("end", 0)])
    world.settle()
    check(world)


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("call", range(60))
def test_a_death_at_any_call_of_a_push_and_its_run_changes_nothing(call: int, fate: str) -> None:
    calls = count()
    world = World(lambda: fate if next(calls) == call else "lives")
    story: list[Any] = [("put", 0, ("bare",)), ("hear and run", 0), ("push", 2, 0), ("run",), ("end", 1), ("run",)]
    play(world, [*story, ("run",), ("put", 1, ("native",)), ("hear", 0), ("push", 1, 0), ("end", 1), ("run",)])
    world.settle()
    check(world)


@settings(max_examples=100)
@given(
    keys=st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True),
    shapes=st.lists(st.sampled_from(["native", "trail", "bare"]), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_any_order_and_mix_of_the_shapes_within_a_quiet_window_is_one_run(
    keys: list[int], shapes: list[str], order: Any
) -> None:
    world = World(lambda: "lives")
    for key in keys:
        world.put(key, tuple(shapes))
    order.shuffle(world.events)
    while world.events:
        world.hear(0)
    world.run()
    world.settle()
    (content,) = world.objects.manifests.values()
    assert json.loads(content)[1:] == sorted(f"incoming/{key}.csv" for key in keys)
    assert len(world.executions.by_token) == 1
