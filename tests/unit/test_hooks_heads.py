"""Of a repository that only webhooks tell of, a branch is where its moves end, in whatever order they are told."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from tests.support.dynamodb import created_table
from tests.support.pushes import HOOKED, MemoryHeads, PushWorld, commit, told
from tests.support.samples import sqs_event

from signalbox.aws.table import Table
from signalbox.pushes import heads, rules
from signalbox.pushes.handling import handle
from signalbox.pushes.heads import DeliveryTable, HeadTable
from signalbox.pushes.model import BranchConflictError, HeadUntoldError, Move

A, B, C, D = (commit(number) for number in range(1, 5))
GONE = ""
SAME, LATER = "2026-11-20T12:00:00.000000Z", "2026-11-20T12:00:01.000000Z"


def moves(*pairs: tuple[str, str], at: tuple[str, ...] = ()) -> list[Move]:
    """Return moves in the order of telling, by default at the same moment."""
    times = at or (SAME,) * len(pairs)
    return [Move(*pair, times[number], str(number)) for number, pair in enumerate(pairs)]


# ---- the rule ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "head"),
    [
        (moves((A, B)), B),
        (moves((A, B), (B, C)), C),
        (moves((B, C), (A, B)), C),
        (moves((A, B), (C, D), (B, C)), D),
        (moves((C, D), (B, C), (A, B)), D),
        (moves((A, B), (B, C), (C, A)), A),
        (moves((C, A), (A, B), (B, C), at=(LATER, SAME, SAME)), A),
        (moves((A, B), (C, D), at=(SAME, LATER)), D),
        (moves((C, D), (A, B), at=(LATER, SAME)), D),
        (moves((A, B), (B, GONE)), GONE),
        (moves((B, GONE), (A, B)), GONE),
        (moves((GONE, A), (A, GONE), (GONE, B)), B),
        (moves((A, B), (B, A), (A, C)), C),  # forced back, then pushed anew
        (moves((A, C), (A, B), (B, A)), C),
        (moves((A, B), (B, C), (A, B)), C),  # told twice, under two names
        (moves((A, B), (A, B)), B),
        (moves((A, B), (B, A), (A, B)), B),  # made twice
    ],
)
def test_a_branch_is_at_the_end_of_its_moves(known: list[Move], head: str) -> None:
    assert rules.newest_move(known).after == head


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=30).filter(lambda way: way[0] != way[-1]),
    st.integers(0, 2**32),
)
def test_doubled_late_and_shuffled_deliveries_end_at_the_last_pushed_head(way: list[int], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # a test's own dice
    commits = [commit(number) for number in way]
    pushed = [
        Move(before, after, SAME, str(number))
        for number, (before, after) in enumerate(itertools.pairwise(commits))
        if before != after
    ]
    deliveries = [*pushed, *dice.choices(pushed, k=3)]
    dice.shuffle(deliveries)
    table = MemoryHeads()
    for move in deliveries:
        table.tell(HOOKED, "main", move)
    assert table.newest(HOOKED, "main").after == commits[-1]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=20), st.integers(0, 2**32))
def test_where_the_chain_does_not_decide_the_time_does(way: list[int], seed: int) -> None:
    """A walk may come back to where it began, and deliveries may be lost, but the last one."""
    dice = random.Random(seed)  # noqa: S311  # a test's own dice
    commits = [commit(number) for number in way]
    pushed = [
        Move(before, after, f"2026-11-20T12:00:{number:02}.000000Z", str(number))
        for number, (before, after) in enumerate(itertools.pairwise(commits))
    ]
    closed = commits[0] == commits[-1]
    deliveries = pushed if closed else [move for move in pushed[:-1] if dice.random() < 0.7] + pushed[-1:]
    dice.shuffle(deliveries)
    newest = rules.newest_move(deliveries)
    ends = {move.after for move in deliveries}
    assert newest.after == commits[-1] or (not closed and newest.after in ends)
    if len(set(commits)) == len(commits) or closed:
        assert newest.after == commits[-1]


# ---- the table -----------------------------------------------------------------------------------------------------


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Table("pushes", created_table("pushes"))


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> Any:
    return MemoryHeads() if request.param == "memory" else HeadTable(request.getfixturevalue("dynamodb"))


def test_a_branch_that_nobody_was_told_of_is_not_taken_for_deleted(table: Any) -> None:
    with pytest.raises(HeadUntoldError, match="acme/wine has told of its branch feature/🌹"):
        table.newest(HOOKED, "feature/🌹")


def test_a_delivery_that_is_told_twice_counts_once_and_each_branch_by_itself(table: Any) -> None:
    for move in (*moves((A, B), (B, A)), *moves((A, B), (B, A)), Move(A, C, SAME, "2", "ann@example.com")):
        table.tell(HOOKED, "feature/🌹", move)
    table.tell(HOOKED, "main", Move(GONE, D, SAME, "2"))
    table.tell(HOOKED._replace(project="winery"), "main", Move(GONE, B, SAME, "2"))
    assert table.newest(HOOKED, "feature/🌹") == Move(A, C, SAME, "2", "ann@example.com")
    assert table.newest(HOOKED, "main").after == D


def test_the_oldest_moves_are_forgotten_and_the_end_stays(dynamodb: Table) -> None:
    table = HeadTable(dynamodb)
    for number in range(70):
        table.tell(HOOKED, "main", Move(commit(number), commit(number + 1), LATER, str(number)))
    item = dynamodb.get("heads#wine", "main")
    assert item is not None
    assert len(heads._moves(item)) == heads._MOVES_KEPT
    assert table.newest(HOOKED, "main").after == commit(70)
    table.tell(HOOKED, "main", Move(commit(3), commit(4), SAME, "again"))
    assert table.newest(HOOKED, "main").after == commit(70)


def test_what_was_told_of_a_deleted_branch_goes_after_a_month_and_of_others_never(dynamodb: Table) -> None:
    table = HeadTable(dynamodb)
    expiries = []
    for move in moves((GONE, A), (A, GONE), (GONE, B)):
        table.tell(HOOKED, "feature", move)
        item = dynamodb.get("heads#wine", "feature")
        expiries.append(item and item.get("expires"))
    assert expiries == [None, 1_795_176_000 + 30 * 86_400, None]


def test_two_who_are_told_of_a_branch_at_once_do_not_write_over_each_other(dynamodb: Table) -> None:
    class Behind(Table):
        """A table in which somebody writes between our look and our write."""

        def get(self, pk: str, sk: str) -> Any:
            found = super().get(pk, sk)
            HeadTable(dynamodb).tell(HOOKED, "main", Move(B, C, SAME, f"rival {found}"))
            return found

    behind = HeadTable(Behind("pushes", dynamodb._db))
    for _ in range(2):
        with pytest.raises(BranchConflictError):
            behind.tell(HOOKED, "main", Move(A, B, SAME, "ours"))


def test_a_delivery_is_written_down_once_and_known_when_it_was_sent(dynamodb: Table) -> None:
    world, table = PushWorld(), DeliveryTable(dynamodb)
    assert table.note("wine", "1", world.clock()) == SAME
    world.clock.forward(1)
    assert table.note("wine", "1", world.clock()) == SAME
    assert table.note("winery", "1", world.clock()) == LATER
    table.sent("wine", "1", world.clock())
    assert table.note("wine", "1", world.clock()) is None
    item = dynamodb.get("deliveries#wine", "1")
    assert item is not None
    assert item["expires"] == 1_795_176_000 + 30 * 86_400


# ---- the journey ---------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> PushWorld:
    made = PushWorld()
    made.automations = [HOOKED]
    return made


def deliver(world: PushWorld, *messages: Any) -> list[str]:
    response = handle(sqs_event(*messages, group="wine", queue="pushes"), world.ports())
    return [failed["itemIdentifier"] for failed in response["batchItemFailures"]]


def commits(world: PushWorld) -> list[str]:
    return [build.commit for build in world.builds.all.values()]


def test_a_push_that_a_webhook_tells_of_is_built_and_nobody_asks_the_repository(world: PushWorld) -> None:
    world.repositories.gone = True
    assert deliver(world, told(A, B)) == []
    assert commits(world) == [B]
    branch = world.branches.find("wine", "main")
    assert branch is not None
    assert branch.by == "ann"


def test_a_late_and_a_second_delivery_build_nothing_again(world: PushWorld) -> None:
    deliver(world, told(B, C))
    deliver(world, world.builds.end("signalbox-wine:1"))
    deliver(world, told(A, B), told(B, C))
    assert commits(world) == [C]


def test_pushes_during_a_build_are_built_at_the_newest_when_that_has_ended(world: PushWorld) -> None:
    deliver(world, told(A, B), told(C, D), told(B, C))
    deliver(world, world.builds.end("signalbox-wine:1"))
    assert commits(world) == [B, D]


def test_a_branch_that_a_webhook_tells_as_deleted_is_removed(world: PushWorld) -> None:
    deliver(world, told(None, A, branch="feature"), world.builds.end(world.builds.begin("signalbox-wine", "main", A)))
    (running,) = world.builds.running
    deliver(world, told(A, None, branch="feature"))
    deliver(world, world.builds.end(running))
    assert world.experiments.removed == ["feature"]
    assert world.branches.find("wine", "feature") is None


def test_a_build_that_people_start_of_a_branch_nobody_told_of_removes_nothing(world: PushWorld) -> None:
    build = world.builds.begin("signalbox-wine--branches", "feature", A)
    assert deliver(world, world.builds.end(build)) == []
    assert not world.experiments.removed


def test_what_is_told_of_another_providers_repository_starts_nothing(world: PushWorld) -> None:
    assert deliver(world, told(A, B, provider="gitlab")) == []
    world.automations = [HOOKED._replace(provider="codecommit")]
    assert deliver(world, told(A, B, provider="codecommit")) == []
    world.automations = []
    assert deliver(world, told(A, B)) == []
    assert not world.builds.all


def test_who_pushed_is_told_of_a_failure_by_the_address_in_the_commit(world: PushWorld) -> None:
    deliver(world, told(A, B, address="bob@example.com"))
    deliver(world, world.builds.end("signalbox-wine:1", "FAILED"))
    assert [mail["pusher"] for mail in world.mails] == ["bob@example.com"]


def test_the_address_of_a_newer_commit_is_not_told_of_the_failure_of_an_older_one(world: PushWorld) -> None:
    deliver(world, told(A, B, address="bob@example.com"))
    deliver(world, told(B, C, address="eve@example.com"))
    deliver(world, world.builds.end("signalbox-wine:1", "FAILED"))
    assert [mail["pusher"] for mail in world.mails] == [""]
