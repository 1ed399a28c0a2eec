"""Whatever happens to releases, they come to an end, and every stage serves what the registry says.

Approvals and rejections in any order, events twice and late, several executions at once, calls that fail with any
error, answers that get lost, executions that die between any two states.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.releases_world import DONE, World, arn, failed

from signalbox.contracts.releases import LastAnswer

if TYPE_CHECKING:
    from signalbox.contracts.releases import Trigger

# One change in the registry: (version, whether it is approved, how often its event is delivered, how long it is late).
CHANGES = st.lists(
    st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 2), st.integers(0, 3)), min_size=1, max_size=8
)
ERRORS = st.sampled_from(
    [
        "SageMaker.SageMakerException",
        "SageMaker.ResourceLimitExceededException",
        "CloudWatch.CloudWatchException",
        "Lambda.TooManyRequestsException",
        "ServiceBusyError",
        "DynamoDB.ThrottlingException",
        "States.Timeout",
        "States.TaskFailed",
        "GoldenMismatchError",
        "EndpointNotInServiceError",
    ]
)
# What becomes of the calls of a world, one after another: nothing, or an error, with the call done all the same or not.
DISTURBANCES = st.lists(st.none() | st.tuples(ERRORS, st.booleans()), max_size=30)
STAGES = ("staging", "prod")


class Disturbed(World):
    """A world in which the first calls go as they were drawn, and those after them go well."""

    def __init__(self, drawn: list[tuple[str, bool] | None]) -> None:
        super().__init__()
        self._drawn = iter(drawn)
        self.disturb = self._next

    def _next(self, action: str) -> tuple[LastAnswer, bool] | None:
        drawn = None if action == "wait" else next(self._drawn, None)
        return (failed(drawn[0], None), drawn[1]) if drawn else None


@settings(max_examples=60)
@given(CHANGES, st.randoms(use_true_random=False), st.integers(1, 3))
def test_whatever_happens_between_a_plan_and_its_deed_no_stage_keeps_a_package_that_is_not_approved(
    changes: list[tuple[int, bool, int, int]], random: Any, slowness: int
) -> None:
    world = World()
    world.stalls = True
    world.sagemaker.slowness = slowness

    live_through(world, changes, random)

    for stage in STAGES:
        live = world.live(stage)
        assert live is None or world.registry.packages[live].approved


@settings(max_examples=60)
@given(CHANGES, st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_of_approvals_rejections_and_replays_comes_to_what_the_registry_says(
    changes: list[tuple[int, bool, int, int]], random: Any, slowness: int
) -> None:
    world = World()
    world.sagemaker.slowness = slowness

    live_through(world, changes, random)

    desired = world.store.desired("abalone")
    # An execution that failed has told people so, with its reason.
    ended = world.finished[desired.execution].action if desired else ""
    if desired and ended == "done" and world.registry.packages[desired.package].approved:
        assert [world.live(stage) for stage in STAGES] == [desired.package] * 2


@settings(max_examples=150)
@given(CHANGES, st.randoms(use_true_random=False), DISTURBANCES)
def test_whatever_fails_every_release_ends_and_who_is_told_nothing_bad_finds_nothing_bad(
    changes: list[tuple[int, bool, int, int]], random: Any, drawn: list[tuple[str, bool] | None]
) -> None:
    world = Disturbed(drawn)

    live_through(world, changes, random)

    troubled = {
        told["release"]["stage"]
        for told in world.told.values()
        if told["release"] and told["release"]["verdict"] == "failed"
    }
    silent = {name for name, ended in world.finished.items() if ended.action == "failed" and not ended.told}
    for stage in STAGES:
        live = world.live(stage)
        fine = live is None or world.registry.packages[live].approved
        assert fine or stage in troubled or silent


@settings(max_examples=150)
@given(DISTURBANCES)
def test_what_a_disturbed_release_leaves_the_next_one_brings_to_what_is_approved(
    drawn: list[tuple[str, bool] | None],
) -> None:
    world = Disturbed(drawn)
    world.registry.put(1, "Approved")
    world.run("approved", 1, "2026-11-20T09:00:00Z", "first")
    world.registry.put(2, "Approved")
    world.run("approved", 2, "2026-11-20T10:00:00Z", "second")
    world.disturb = lambda _action: None

    world.run("approved", 2, "2026-11-20T11:00:00Z", "again")

    assert [world.live(stage) for stage in STAGES] == [arn(2)] * 2
    assert world.finished["again"].outcome["verdict"] in ("released", "nothing-to-do")


@settings(max_examples=60)
@given(st.integers(0, 30), st.integers(1, 3))
def test_an_execution_that_dies_between_any_two_states_is_made_good_by_the_next_one(death: int, slowness: int) -> None:
    world = World()
    world.sagemaker.slowness = slowness
    world.registry.put(1, "Approved")
    world.run("approved", 1, "2026-11-20T09:00:00Z", "first")
    world.registry.put(2, "Approved")
    dying = world.execution("approved", 2, "2026-11-20T10:00:00Z", "dying")
    for _ in range(death):
        next(dying, None)
        world.sagemaker.tick()
    del dying

    world.run("approved", 2, "2026-11-20T10:30:00Z", "after")

    assert [world.live(stage) for stage in STAGES] == [arn(2)] * 2


@settings(max_examples=60)
@given(st.integers(0, 30))
def test_a_question_that_is_asked_twice_has_one_effect(place: int) -> None:
    """Lambda may run a function once more whose answer was lost: the plan is made again from the same question."""
    world = World()
    world.registry.put(2, "Approved")
    plan, asked = world.plan, []

    def twice(question: Any) -> Any:
        asked.append(question)
        if len(asked) == place:
            plan(question)
        return plan(question)

    world.plan = twice  # type: ignore[method-assign]  # the second time
    world.run("approved", 2, "2026-11-20T10:00:00Z")

    assert [world.live(stage) for stage in STAGES] == [arn(2)] * 2
    assert len(world.sagemaker.moves) == 2
    assert all(world.sagemaker.has_config(config) for _, config in world.sagemaker.moves)


def test_a_disturbed_call_may_happen_all_the_same() -> None:
    world = Disturbed([("States.Timeout", True), ("States.Timeout", False), None])

    assert world.disturb("create-model") == (failed("States.Timeout", None), True)
    assert world.disturb("wait") is None
    assert world.disturb("create-model") == (failed("States.Timeout", None), False)
    assert world.disturb("create-model") is None
    assert DONE == {"result": None}


def live_through(world: World, changes: list[tuple[int, bool, int, int]], random: Any) -> None:
    """Make the changes in the registry, deliver their events, and let everything that starts come to its end."""
    running: dict[str, Iterator[str]] = {}
    late: list[tuple[int, str, int, str]] = []
    for number, (version, approved, times, delay) in enumerate(changes):
        world.registry.put(version, "Approved" if approved else "Rejected")
        at = f"2026-11-20T10:00:{number:02}Z"
        late += [(number + delay, at, version, f"run-{number}-{time}") for time in range(times)]
        due, late = [one for one in late if one[0] <= number], [one for one in late if one[0] > number]
        deliver(world, running, due)
        advance(world, running, random, steps=8)
    deliver(world, running, late)
    advance(world, running, random, steps=10_000)
    assert not running


def deliver(world: World, running: dict[str, Iterator[str]], events: list[tuple[int, str, int, str]]) -> None:
    """Start what the event's function would start: it acts on the status of now, under the time of the change."""
    for _, at, version, name in events:
        trigger: Trigger = "approved" if world.registry.packages[arn(version)].approved else "rejected"
        running[name] = world.execution(trigger, version, at, name)


def advance(world: World, running: dict[str, Iterator[str]], random: Any, steps: int) -> None:
    """Let executions that are chosen at random take a step each."""
    for _ in range(steps):
        if not running:
            return
        name = random.choice(sorted(running))
        if next(running[name], None) is None:
            del running[name]
        world.sagemaker.tick()
