"""Whatever happens to events, builds and the function, each branch ends at its newest commit, built once each time.

A small world is driven by hypothesis: branches are pushed, forced back and deleted; events come in any order, twice,
late or never; builds end well or badly; the function dies before or after any call. In the end everything that is due
is delivered, and the invariants hold.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mortal import Mortal
from tests.support.pushes import PushWorld, commit, pushed
from tests.support.samples import sqs_event

from signalbox.pushes.handling import handle

BRANCHES = ("main", "feature/a", "feature-a")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.sampled_from(BRANCHES), st.integers(1, 4)),
        st.tuples(st.just("delete"), st.sampled_from(BRANCHES[1:]), st.just(0)),
        st.tuples(st.just("end"), st.sampled_from(("SUCCEEDED", "FAILED", "STOPPED")), st.integers(0, 5)),
        st.tuples(st.just("deliver"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 900)),
    ),
    max_size=40,
)


class Code:
    """The journey of a push with everything that can go wrong around it."""

    def __init__(self, fate: Callable[[], str]) -> None:
        self.world = PushWorld()
        self.waiting: list[Any] = []
        self.started: Counter[tuple[str, str, int]] = Counter()
        world, ports = self.world, self.world.ports()
        mortal: dict[str, Any] = {
            name: Mortal(getattr(world, name), fate) for name in ("repositories", "builds", "branches", "experiments")
        }
        self.ports = ports._replace(**mortal, notify=Mortal(world, fate).notify)

    def step(self, kind: str, what: str, number: int) -> None:
        """Let one thing happen."""
        world = self.world
        world.clock.forward(1)  # nothing happens in no time
        if kind == "push":
            world.repositories.heads[what] = commit(number)
            self.waiting.append(pushed(what))
        elif kind == "delete":
            world.repositories.heads.pop(what, None)
            self.waiting.append(pushed(what))
        elif kind == "end" and world.builds.running:
            running = world.builds.running
            self.waiting.append(world.builds.end(running[number % len(running)], what))
        elif kind == "deliver" and self.waiting:
            self.deliver(self.waiting[number % len(self.waiting)])
        elif kind == "wait":
            world.clock.forward(number)
        self.check()

    def deliver(self, message: Any) -> bool:
        """Deliver a message; it stays where it is, so that it comes again."""
        response = handle(sqs_event(message, group="wine", queue="pushes"), self.ports)
        return not response["batchItemFailures"]

    def check(self) -> None:
        """Hold what is true at every moment: a branch has one build at a time."""
        running = Counter(self.world.builds.all[one].branch for one in self.world.builds.running)
        assert all(number == 1 for number in running.values())

    def settle(self) -> None:
        """Deliver everything until nothing is due, without deaths."""
        self.ports = self.world.ports()
        for _ in range(6):
            self.world.clock.forward(1)
            for message in [*self.waiting, *map(pushed, BRANCHES)]:
                assert self.deliver(message)
            for build in self.world.builds.running:
                assert self.deliver(self.world.builds.end(build))
            self.check()


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(0, 2**32), st.sampled_from((0.0, 0.1, 0.3)))
def test_every_branch_ends_at_its_newest_commit_and_what_is_deleted_is_gone(
    steps: list[tuple[str, str, int]], seed: int, danger: float
) -> None:
    dice = random.Random(seed)  # noqa: S311  # a test's own dice
    code = Code(lambda: dice.choice(("before", "after")) if dice.random() < danger else "")
    for step in steps:
        code.step(*step)
    code.settle()
    world = code.world
    for name in BRANCHES:
        head, found = world.repositories.heads.get(name), world.branches.find("wine", name)
        if head is None and name != "main":
            assert found is None
        elif head is not None:
            assert found is not None
            assert (found.commit, found.open) == (head, False)
            assert world.builds.all[found.build].commit == head
    mailed = {mail["build"] for mail in world.mails}
    failed = {build.id for build in world.builds.all.values() if build.status in ("FAILED", "STOPPED")}
    assert failed <= mailed  # those of branches that were deleted since, too
    if danger == 0.0:
        assert len(world.mails) == len(mailed)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 2**32))
def test_a_commit_is_built_no_more_often_than_a_branch_came_to_it(steps: list[tuple[str, str, int]], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # a test's own dice
    code = Code(lambda: dice.choice(("before", "after")) if dice.random() < 0.2 else "")
    came: Counter[tuple[str, str]] = Counter()
    for kind, what, number in steps:
        before = code.world.repositories.heads.get(what)
        code.step(kind, what, number)
        if kind == "push" and before != commit(number):
            came[what, commit(number)] += 1
    code.settle()
    built = Counter((build.branch, build.commit) for build in code.world.builds.all.values())
    assert all(number <= came[place] for place, number in built.items())
