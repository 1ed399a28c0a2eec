"""Uploads wait with whoever claims them now: projects come and go meanwhile, and no upload is lost or doubled."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mortal import DeathError, Mortal
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    ABALONE,
    ARTIFACTS,
    BUCKET,
    PIPELINE,
    WINE,
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
    a_project,
)

from signalbox import moments
from signalbox.projects import Project, ProjectPipeline, ProjectUploads, claim
from signalbox.uploads import rules
from signalbox.uploads.model import CLAIMED, UNCLAIMED, Run, Upload
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.starting import StartingPorts, start

CHANGED = sample("ssm/project-updated")
WINES = "signalbox-wine"
CLAIMS = {"kind": "claim-requested", "pipeline": UNCLAIMED}
# What wine is after its owner gave its pipeline another name.
RENAMED = replace(
    WINE,
    uploads=(ProjectUploads("incoming/wine/", "train", quiet_seconds=0),),
    pipelines={"train": ProjectPipeline(f"{WINES}--train")},
)


@dataclass
class World:
    """The queue of requests, group by group, and what handles it."""

    projects: MemoryProjects
    clock: Clock = field(default_factory=Clock)
    tables: MemoryTables = field(default_factory=MemoryTables)
    executions: MemoryExecutions = field(default_factory=MemoryExecutions)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    copier: MemoryCopier = field(default_factory=MemoryCopier)
    mails: list[Any] = field(default_factory=list)
    returned: list[tuple[str, Any]] = field(default_factory=list)
    fate: Callable[[], str] = lambda: "lives"

    def __post_init__(self) -> None:
        self.requests = MemoryRequests(self.clock, delay_seconds=2)
        self.letters = MemoryDeadLetterQueue()
        self.ports = StartingPorts(
            prefix="signalbox",
            artifacts=ARTIFACTS,
            projects=self.mortal(self.projects),
            store_of=lambda pipeline: self.mortal(self.tables(pipeline)),
            objects=self.mortal(self.objects),
            copier=self.mortal(self.copier),
            executions=self.mortal(self.executions),
            lifetimes=MemoryLifetimes(),
            requests=self.mortal(self.requests),
            dead_letters=self.letters,
            refusals=Refusals(MemoryNotificationLog(), self.mails.append),
            notices=SetNotices(MemoryNotificationLog(), lambda _: pytest.fail("no set is told of")),
            clock=self.clock,
        )

    def mortal(self, port: Any) -> Any:
        """Return the port, of which any call may die before or after it is made."""
        return Mortal(port, lambda: self.fate())  # noqa: PLW0108  # a scenario chooses another one later

    def upload(self, *keys: str, pipeline: str = UNCLAIMED) -> None:
        """Let uploads wait for a pipeline."""
        for key in keys:
            self.clock.forward(0.1)
            self.objects.put(f"incoming/{key}")
            self.tables(pipeline).record(Upload(BUCKET, f"incoming/{key}", "v1", 10, moments.text_of(self.clock())))

    def deliver(self, *messages: Any, group: str = UNCLAIMED) -> list[str]:
        """Deliver messages of one group; return the ids of those that failed."""
        response = start(sqs_event(*messages, group=group), self.ports)
        return [item["itemIdentifier"] for item in response["batchItemFailures"]]

    def work(self, times: int = 1) -> None:
        """Let the queue's delay pass and deliver what is due; what fails comes back before what is behind it."""
        for _ in range(times):
            self.clock.forward(2)
            due, self.returned = [*self.returned, *self.requests.due()], []
            held: set[str] = set()
            for group, message in due:
                if group in held or self.deliver(message, group=group):
                    held.add(group)
                    self.returned.append((group, message))

    def end(self) -> None:
        """Let every running execution end, and the events about it come."""
        for execution in self.executions.running:
            self.executions.finish(execution)

    @property
    def taken(self) -> dict[str, list[str]]:
        """Return the keys that the runs of each pipeline took."""
        runs = [run for table in list(self.tables.by_pipeline.values()) for run in table.runs]
        found: dict[str, list[str]] = {}
        for run in runs:
            found.setdefault(run.pipeline, []).extend(upload.key for upload in self.tables(run.pipeline).taken(run))
        return {pipeline: sorted(keys) for pipeline, keys in found.items()}


def test_a_project_that_is_deployed_gets_what_waited_for_it_and_runs_it() -> None:
    world = World(MemoryProjects(ABALONE, WINE))
    world.upload("wine/a.csv", "wine/b.csv")
    assert world.deliver(CHANGED) == []
    assert world.tables.waiting == {WINES: ["incoming/wine/a.csv", "incoming/wine/b.csv"]}
    world.work()
    assert world.taken == {WINES: ["incoming/wine/a.csv", "incoming/wine/b.csv"]}


def test_what_still_nobody_claims_goes_on_waiting() -> None:
    world = World(MemoryProjects(WINE))
    world.upload("beer.csv", "wine/a.csv")
    assert world.deliver(CLAIMS, CHANGED) == []
    assert world.tables.waiting == {UNCLAIMED: ["incoming/beer.csv"], WINES: ["incoming/wine/a.csv"]}


def test_an_upload_that_was_recorded_while_its_project_was_deployed_is_claimed_by_its_own_request() -> None:
    world = World(MemoryProjects(WINE))
    world.deliver(CHANGED)  # too early: the function that records looked at the documents before they were there
    world.upload("wine/a.csv")
    world.requests.ask_for_claims()
    world.work(2)
    assert world.taken == {WINES: ["incoming/wine/a.csv"]}


def test_a_removed_projects_uploads_wait_among_what_nobody_claims_until_it_is_deployed_again() -> None:
    world = World(MemoryProjects(ABALONE))
    world.projects.found = ()
    world.upload("a.csv", pipeline=PIPELINE)
    world.requests.ask(PIPELINE)
    world.work(3)
    assert world.tables.waiting == {UNCLAIMED: ["incoming/a.csv"]}
    assert world.requests.sent == []
    world.projects.found = (ABALONE,)
    world.deliver(CHANGED)
    world.work()
    assert world.taken == {PIPELINE: ["incoming/a.csv"]}


def test_uploads_that_wait_under_a_pipelines_old_name_are_run_by_the_new_one() -> None:
    world = World(MemoryProjects(RENAMED))
    world.upload("wine/a.csv", pipeline=WINES)
    world.requests.ask(WINES)
    world.work(4)
    assert world.taken == {f"{WINES}--train": ["incoming/wine/a.csv"]}


def test_uploads_of_a_place_that_another_project_has_now_are_that_ones() -> None:
    world = World(MemoryProjects(ABALONE, WINE))
    world.upload("a.csv", "wine/a.csv", pipeline=PIPELINE)
    world.requests.ask(PIPELINE)
    world.work(4)
    assert world.taken == {PIPELINE: ["incoming/a.csv"], WINES: ["incoming/wine/a.csv"]}


def test_the_run_of_a_removed_project_is_closed_when_it_ends_and_starts_no_other() -> None:
    world = World(MemoryProjects(ABALONE))
    world.upload("a.csv", pipeline=PIPELINE)
    world.requests.ask(PIPELINE)
    world.work()
    world.upload("b.csv", pipeline=PIPELINE)
    world.projects.found = ()
    (execution,) = world.executions.running
    world.end()
    ended = sample("sagemaker/pipeline-execution-succeeded")
    world.deliver(with_detail(ended, pipelineExecutionArn=execution), group=PIPELINE)
    assert [run.status for run in world.tables(PIPELINE).runs] == ["Succeeded"]
    assert world.tables.waiting == {UNCLAIMED: ["incoming/b.csv"]}


def test_a_sealed_run_of_a_removed_project_waits_is_told_once_and_starts_when_it_is_back() -> None:
    world = World(MemoryProjects(ABALONE))
    world.executions.quota = 0
    world.upload("a.csv", pipeline=PIPELINE)
    world.requests.ask(PIPELINE)
    world.work()
    world.projects.found, world.executions.quota = (), 20
    world.work(3)
    said = f"no project has the pipeline {PIPELINE} any more: deploy one that does"
    assert [(mail["code"], mail["reason"], mail["project"]) for mail in world.mails] == [("NoProject", said, PIPELINE)]
    assert world.tables(PIPELINE).waits_for == {world.tables(PIPELINE).runs[0].id: said}
    world.projects.found = (ABALONE,)
    world.work()
    assert world.taken == {PIPELINE: ["incoming/a.csv"]}
    assert len(world.executions.running) == 1


def test_what_comes_behind_a_sealed_run_of_a_pipeline_that_is_gone_is_run_by_whose_it_is_now() -> None:
    world = World(MemoryProjects(WINE))
    world.executions.quota = 0
    world.upload("wine/a.csv", pipeline=WINES)
    world.requests.ask(WINES)
    world.work()
    world.upload("wine/b.csv", pipeline=WINES)
    world.projects.found, world.executions.quota = (RENAMED,), 20
    world.work(5)
    assert world.taken == {WINES: ["incoming/wine/a.csv"], f"{WINES}--train": ["incoming/wine/b.csv"]}
    assert [arn.split("/")[1] for arn in world.executions.running] == [f"{WINES}--train"]


def test_two_pipelines_run_at_the_same_time_and_each_by_itself() -> None:
    world = World(MemoryProjects(ABALONE, WINE))
    world.upload("a.csv", "wine/a.csv")
    world.requests.ask_for_claims()
    world.work(2)
    assert sorted(arn.split("/")[1] for arn in world.executions.running) == [PIPELINE, WINES]
    world.upload("wine/b.csv", pipeline=WINES)
    world.requests.ask(WINES)
    world.work(3)
    assert len(world.executions.running) == 2  # wine's second run waits for its first
    world.end()
    world.work(2)
    assert world.taken == {PIPELINE: ["incoming/a.csv"], WINES: ["incoming/wine/a.csv", "incoming/wine/b.csv"]}


def test_a_sweep_that_meets_another_one_is_asked_for_again_and_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(MemoryProjects(WINE))
    world.upload("wine/a.csv")
    stale = list(world.tables(UNCLAIMED).waiting())
    world.tables(UNCLAIMED).hand_over(stale, WINES)
    monkeypatch.setattr(world.tables(UNCLAIMED), "waiting", lambda: stale)  # as it was a moment ago
    assert world.deliver(CLAIMS) == []
    assert world.requests.asked == [{"kind": "run-requested", "pipeline": WINES}, CLAIMS]
    assert world.tables(WINES).waiting() == stale


def test_a_sweep_moves_as_many_as_it_has_time_for_and_asks_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_UPLOADS", 2)
    world = World(MemoryProjects(WINE))
    world.upload("beer/1.csv", "beer/2.csv", "wine/a.csv", "wine/b.csv", "wine/c.csv")
    world.deliver(CLAIMS)
    assert len(world.tables.waiting[WINES]) == 2
    assert CLAIMS in world.requests.asked
    world.deliver(CLAIMS)
    assert world.tables.waiting[UNCLAIMED] == ["incoming/beer/1.csv", "incoming/beer/2.csv"]


def test_what_a_sweep_moved_before_it_died_is_not_left_with_a_pipeline_that_is_gone_at_its_repetition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(MemoryProjects(WINE))
    world.upload("wine/a.csv")
    table = world.tables(UNCLAIMED)
    move = table.hand_over

    def die(uploads: Any, pipeline: str) -> None:
        move(uploads, pipeline)
        raise DeathError

    monkeypatch.setattr(table, "hand_over", die)
    assert world.deliver(CHANGED)
    monkeypatch.undo()
    world.projects.found = (RENAMED,)
    assert world.deliver(CHANGED) == []
    world.work(4)
    assert world.taken == {f"{WINES}--train": ["incoming/wine/a.csv"]}


def test_a_lost_request_for_a_run_is_made_up_for_when_a_project_is_deployed() -> None:
    world = World(MemoryProjects(ABALONE, a_project("hand", "hand/", takes="nothing")))
    world.upload("a.csv", pipeline=PIPELINE)
    world.deliver(CHANGED)
    assert world.requests.asked == [{"kind": "run-requested", "pipeline": PIPELINE}]


def test_a_run_that_was_opened_before_its_project_went_takes_what_is_there() -> None:
    world = World(MemoryProjects(ABALONE))
    world.upload("a.csv", pipeline=PIPELINE)
    world.tables(PIPELINE).open(Run(PIPELINE, 1, world.clock()))
    world.projects.found = ()
    world.requests.ask(PIPELINE)
    world.work()
    assert [run.status for run in world.tables(PIPELINE).runs] == [CLAIMED]


BEER = a_project("beer", "incoming/beer/")
PROJECTS: list[tuple[Project, ...]] = [(), (BEER,), (WINE,), (BEER, WINE), (BEER, RENAMED)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("upload"), st.sampled_from(["beer", "wine"])),
        st.tuples(st.just("deploy"), st.sampled_from(PROJECTS)),
        st.tuples(st.just("work")),
        st.tuples(st.just("end")),
    ),
    min_size=3,
    max_size=20,
)


@settings(max_examples=150)
@given(story=steps, fates=st.dictionaries(st.integers(0, 60), st.sampled_from(["before", "after"]), max_size=6))
def test_whatever_becomes_of_projects_each_upload_is_taken_once_and_by_its_own_projects_runs(
    story: list[Any], fates: dict[int, str]
) -> None:
    calls, numbers = count(), count()
    world = World(MemoryProjects(BEER), fate=lambda: fates.get(next(calls), "lives"))
    keys: list[str] = []

    def upload(place: str) -> None:
        """Record an upload by the documents as they are now."""
        keys.append(f"incoming/{place}/{next(numbers)}.csv")
        found = claim(world.projects.found, keys[-1])
        pipeline = found.pipeline.name if found else UNCLAIMED
        world.objects.put(keys[-1])
        world.tables(pipeline).record(Upload(BUCKET, keys[-1], "v1", 10, moments.text_of(world.clock())))
        world.requests.ask(pipeline) if found else world.requests.ask_for_claims()

    def deploy(found: tuple[Project, ...]) -> None:
        world.projects.found = found
        world.returned.append((UNCLAIMED, CHANGED))

    actions: dict[str, Callable[..., Any]] = {"upload": upload, "deploy": deploy, "work": world.work, "end": world.end}
    for name, *arguments in story:
        actions[name](*arguments)
    world.fate = lambda: "lives"
    deploy((BEER, RENAMED))
    for _ in range(12):
        world.work()
        world.end()
    # A run that was sealed for a pipeline that is gone has no execution, and keeps what it took: all else is done.
    assert world.tables.waiting == {}
    assert sorted(key for found in world.taken.values() for key in found) == sorted(keys)
    for pipeline, found in world.taken.items():
        assert {key.split("/")[1] for key in found} <= {pipeline.removesuffix("--train").removeprefix("signalbox-")}
    left = {run.pipeline for table in world.tables.by_pipeline.values() for run in table.runs if run.status == CLAIMED}
    assert left <= {WINES}
