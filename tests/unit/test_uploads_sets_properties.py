"""Whatever happens, a set is run whole: its files are in one run, or named as missing, and each upload is in one place.

The world of `test_uploads_properties` with a project that takes sets: files and what names them are put and overwritten
in any order; some manifests name what never comes, some cannot be read; functions die before or after any call.
"""

import json
from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.samples import with_detail
from tests.support.sets import LONGEST, with_sets
from tests.support.uploads import BUCKET, PIPELINE, MemoryProjects
from tests.unit.test_uploads_properties import NATIVE, World, fates, play

from signalbox.uploads import rules
from signalbox.uploads.model import Run, Upload

# What the manifest of each number names; the fourth names a file that is never put, the fifth is none.
FILES = [["0.csv", "1.csv"], ["2.csv"], ["1.csv", "3.csv"], ["3.csv", "never.csv"], None]


class WorldOfSets(World):
    """The upload journey with sets, and everything that can go wrong around it."""

    def __init__(self, fate: Any, *, replaces: bool) -> None:
        super().__init__(fate)
        self.replaces = replaces
        self.projects.found = MemoryProjects(with_sets(replace=replaces or None)).found
        self.named: dict[str, list[str]] = {}  # the keys of each version of a manifest that can be read

    def name(self, number: int, times: int) -> None:
        """Put or overwrite the manifest of a set; the events about it are under way."""
        files, key = FILES[number], f"incoming/{number}-manifest.json"
        version = self._put(key, times)
        if files is not None:
            self.named[version] = [f"incoming/{file}" for file in files]
        self.objects.texts[f"s3://{BUCKET}/{key}", version] = json.dumps(files)

    def put_file(self, number: int, times: int) -> None:
        """Put or overwrite a file."""
        self._put(f"incoming/{number}.csv", times)

    def _put(self, key: str, times: int) -> str:
        self.versions += 1
        version = f"v{self.versions}"
        self.objects.put(key, version, second=self.versions % 60)
        told = NATIVE["detail"]["object"] | {"key": key, "version-id": version}
        self.events += [with_detail(NATIVE, object=told)] * times
        return version

    def settle(self) -> None:
        """Deliver everything that is due, also after the longest wait."""
        super().settle()
        self.clock.forward(LONGEST)
        super().settle()

    def of_run(self, run: Run) -> tuple[list[Upload], list[Upload]]:
        """Return what a run has taken: what names sets, and data."""
        taken = self.table.taken(run)
        return [one for one in taken if one.names_files], [one for one in taken if not one.names_files]


def check(world: WorldOfSets) -> None:
    """Hold the invariants against a world in which everything due was delivered."""
    taken = Counter((one.key, one.version) for run in world.table.runs for one in world.table.taken(run))
    assert all(times == 1 for times in taken.values())
    waiting = {(one.key, one.version) for one in world.table.waiting()}
    aside = {(one.key, one.version) for one in world.table.uploads.values() if one.state}
    recorded = {(key, version) for _, key, version in world.table.uploads}
    assert recorded == {*taken, *waiting, *aside}
    assert len(recorded) == len(taken) + len(waiting) + len(aside)
    assert not any(key.endswith("manifest.json") for key, _ in waiting)
    assert world.most_running <= 1
    for run in world.table.runs:
        check_run(world, run)
    newest = {key: stored.version for (_, key), stored in world.objects.content.items()}
    states = {one.state for one in world.table.uploads.values() if one.version == newest[one.key]}
    assert "replaced" not in states
    if not world.replaces:
        assert all(one.key.endswith("manifest.json") for one in world.table.uploads.values() if one.state)
    took = [run for run in world.table.runs if world.table.taken(run)]
    assert (rules.open_wish(world.table.wish(), world.table.latest()) is None) or not took
    told = Counter((mail["manifest"], mail["since"]) for mail in world.set_mails)
    assert all(times <= 1 + world.deaths for times in told.values())
    refused = {one.uri for one in world.table.uploads.values() if one.state == "refused"}
    assert refused <= {mail["manifest"] for mail in world.set_mails}
    world.requests.sent.clear()
    world.run()
    assert world.requests.sent == []  # nothing is open, so nobody looks again


def check_run(world: WorldOfSets, run: Run) -> None:
    """Hold a run against the sets that it has: it has all their files, or says what is missing, and no other file."""
    manifests, data = world.of_run(run)
    named = {key for manifest in manifests for key in world.named[manifest.version]}
    keys = {one.key for one in data}
    assert keys <= named
    assert all(key in run.lacks for key in named - keys)
    assert bool(manifests) == bool(data)
    if named - keys:
        assert {one.uri for one in manifests} & {mail["manifest"] for mail in world.set_mails}
    if data:
        assert json.loads(world.objects.manifests[run.id])[1:] == sorted(keys)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("file"), st.integers(0, 4), st.integers(1, 2)),
        st.tuples(st.just("name"), st.integers(0, 4), st.integers(1, 2)),
        st.tuples(st.just("hear"), st.integers(0, 50)),
        st.tuples(st.just("hear and run"), st.integers(0, 50)),
        st.tuples(st.just("run")),
        st.tuples(st.just("end"), st.integers(0, 2)),
        st.tuples(st.just("push"), st.integers(1, 2), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, LONGEST)),
    ),
    min_size=3,
    max_size=20,
)


def play_sets(world: WorldOfSets, story: list[Any]) -> None:
    for name, *arguments in story:
        if name in ("file", "name"):
            (world.put_file if name == "file" else world.name)(*arguments)
        else:
            play(world, [(name, *arguments)])


@settings(max_examples=150)
@given(story=steps, destiny=fates, replaces=st.booleans())
def test_each_set_is_run_whole_or_says_what_is_missing(
    story: list[Any], destiny: dict[int, str], replaces: bool
) -> None:
    calls = count()
    world = WorldOfSets(lambda: destiny.get(next(calls), "lives"), replaces=replaces)
    play_sets(world, story)
    world.settle()
    check(world)


WHOLE = [("file", 0, 1), ("name", 0, 2), ("hear and run", 0), ("hear and run", 0), ("file", 1, 1), ("hear", 0)]
STORIES = {
    "two sets, a file of one late": [
        *WHOLE,
        ("name", 1, 1),
        ("file", 2, 1),
        ("hear", 0),
        ("hear and run", 0),
        ("end", 1),
    ],
    "a file that never comes": [("name", 3, 1), ("file", 3, 1), ("hear", 0), ("hear and run", 0), ("wait", LONGEST)],
    "nothing comes": [("name", 3, 1), ("hear and run", 0), ("wait", LONGEST), ("run",)],
    "a push beside a set that is not whole": [
        *WHOLE,
        ("run",),
        ("end", 1),
        ("name", 1, 1),
        ("hear", 0),
        ("push", 1, 0),
    ],
    "a manifest that is none": [("file", 0, 1), ("name", 4, 1), ("hear", 0), ("hear and run", 0), ("run",)],
    "versions": [("file", 2, 1), ("hear", 0), ("file", 2, 1), ("hear", 0), ("name", 1, 1), ("hear", 0), ("name", 1, 1)],
}


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("call", range(40))
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_death_at_any_call_of_a_set_changes_nothing(story: list[Any], call: int, fate: str) -> None:
    calls = count()
    world = WorldOfSets(lambda: fate if next(calls) == call else "lives", replaces=True)
    play_sets(world, [*story, ("hear", 0), ("run",), ("run",)])
    world.settle()
    check(world)
    assert PIPELINE in world.tables.by_pipeline
