"""However many uploads wait, a run is started in its minute: no more of them are looked at than it may take."""

from collections.abc import Sequence

import pytest
from tests.support.starting import REQUEST, World, a_world
from tests.support.uploads import ABALONE, PIPELINE, WINE, MemoryProjects, MemoryTable

from signalbox.uploads import rules
from signalbox.uploads.model import UNCLAIMED, Upload

MOST = 3


class ReadTable(MemoryTable):
    """A part of the table that knows the largest number of waiting uploads that it was asked for."""

    most: float = 0

    def waiting(self, most: int | None = None) -> Sequence[Upload]:
        """Return waiting uploads."""
        self.most = max(self.most, float("inf") if most is None else most)
        return super().waiting(most)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(rules, "MOST_UPLOADS", MOST)
    world = a_world()
    ReadTable(PIPELINE, world.tables)
    return world


def known(world: World) -> MemoryProjects:
    projects = world.ports.projects
    assert isinstance(projects, MemoryProjects)
    return projects


def keys(run: Sequence[Upload]) -> list[str]:
    return sorted(upload.key for upload in run)


def test_a_run_reads_no_more_of_what_waits_than_it_may_take(world: World) -> None:
    world.upload(*(f"{number}.csv" for number in range(10)))
    assert world.deliver(REQUEST) == []
    assert keys(world.table.taken(world.run)) == ["incoming/0.csv", "incoming/1.csv", "incoming/2.csv"]
    table = world.table
    assert isinstance(table, ReadTable)
    assert table.most == MOST


def test_what_another_project_claims_by_now_is_given_back_share_by_share_and_none_of_it_is_run(world: World) -> None:
    world.upload("0.csv", *(f"wine/{number}.csv" for number in range(1, 6)), "6.csv")
    known(world).found = (ABALONE, WINE)
    passes = 0
    while world.table.latest() is None:
        assert world.deliver(REQUEST) == []
        world.clock.forward(60)
        passes += 1
    assert passes == 4
    assert keys(world.table.taken(world.run)) == ["incoming/0.csv", "incoming/6.csv"]
    assert world.tables.waiting == {UNCLAIMED: [f"incoming/wine/{number}.csv" for number in range(1, 6)]}
    asked = [(body["kind"], body["pipeline"]) for body in world.requests.asked]
    assert asked[:2] == [("claim-requested", PIPELINE), ("run-requested", PIPELINE)]  # the rest is looked at later


def test_what_waits_for_a_removed_project_is_given_back_share_by_share(world: World) -> None:
    world.upload(*(f"{number}.csv" for number in range(7)))
    known(world).found = (WINE,)
    for _ in range(3):
        assert world.deliver(REQUEST) == []
        world.clock.forward(60)
    assert world.tables.waiting == {UNCLAIMED: [f"incoming/{number}.csv" for number in range(7)]}
    assert world.table.latest() is None
