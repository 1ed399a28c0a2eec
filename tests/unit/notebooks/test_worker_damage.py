"""Whatever is damaged, dropped or swapped in the bucket is found by a restore, which is then not called complete."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.notebook_cloud import Kept, State, cloud
from tests.support.notebooks import Instance, described, every_kind

from signalbox_snapshot.cli import main
from signalbox_snapshot.entries import FOLDER, Entry, from_line, to_line
from signalbox_snapshot.errors import DamagedError

type Harm = Callable[[dict[str, Kept], list[str], st.DataObject], None]


@dataclass(repr=False)
class Whole:
    """A snapshot in a bucket, the tree that it is of, and an instance to restore it to."""

    state: State
    objects: dict[str, Kept]
    tree: object
    instance: Instance

    def restore(self, *words: str) -> int:
        """Restore to an empty volume, in this process; return the exit code."""
        shutil.rmtree(self.instance.home)
        self.instance.home.mkdir()
        return in_process(self.instance, "restore", *words)


def in_process(one: Instance, *words: str) -> int:
    """Run the worker here, which takes no time to start; return the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment().items():
            patch.setenv(name, value)
        return main(one.command(*words)[2:])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Make a snapshot once."""
    folder = tmp_path_factory.mktemp("whole")
    state = State(buckets={"backups": {}}, tags={"ebs-backup-bucket": "backups"})
    with cloud(state) as url:
        saved, restored = Instance(folder / "saved", url, state), Instance(folder / "restored", url, state)
        every_kind(saved.home)
        assert in_process(saved, "backup") == 0
        state.tags["backup-snapshot"] = state.tags["snapshot-name"]
        yield Whole(state, dict(state.buckets["backups"]), described(saved.home), restored)


def _damage(objects: dict[str, Kept], keys: list[str], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(keys))
    body = bytearray(objects[key].body)
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    objects[key] = Kept(bytes(body), objects[key].modified)


def _shorten(objects: dict[str, Kept], keys: list[str], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(keys))
    body = objects[key].body
    objects[key] = Kept(body[: data.draw(st.integers(0, len(body) - 1))], objects[key].modified)


def _drop(objects: dict[str, Kept], keys: list[str], data: st.DataObject) -> None:
    del objects[data.draw(st.sampled_from(keys))]


def _swap(objects: dict[str, Kept], keys: list[str], data: st.DataObject) -> None:
    one, two = data.draw(st.lists(st.sampled_from(keys), min_size=2, max_size=2, unique=True))
    objects[one], objects[two] = objects[two], objects[one]


@settings(max_examples=30)
@given(harm=st.sampled_from([_damage, _shorten, _drop, _swap]), data=st.data())
def test_every_damage_to_the_snapshot_is_found_on_restore(whole: Whole, harm: Harm, data: st.DataObject) -> None:
    objects = dict(whole.objects)
    keys = sorted(
        key
        for key in objects
        if key.startswith(("content/", "packs/", "snapshots/")) and not key.endswith("BACKUP_COMPLETE")
    )
    harm(objects, keys, data)
    whole.state.buckets["backups"] = objects

    assert whole.restore() == 1

    status = whole.state.status("restore")
    assert status["state"] == "failed"
    assert status["reason"]
    assert status["advice"]
    assert not (whole.instance.home / "SYNC_COMPLETE").exists()
    assert whole.state.tags["snapshot-status"].startswith("failed: ")


def test_the_whole_snapshot_is_restored_equal(whole: Whole) -> None:
    whole.state.buckets["backups"] = dict(whole.objects)

    assert whole.restore() == 0
    assert described(whole.instance.home) == whole.tree


def test_what_is_not_damaged_is_restored_and_what_is_is_named(whole: Whole) -> None:
    objects = whole.state.buckets["backups"] = dict(whole.objects)
    pieces = sorted(key for key in objects if key.startswith("content/"))
    del objects[pieces[0]]

    assert whole.restore() == 1

    status = whole.state.status("restore")
    assert str(status["reason"]).startswith("1 files of snapshot ")
    (named,) = cast("list[dict[str, str]]", status["left_out"])
    assert named["reason"].startswith("NoSuchKey at GET /backups/" + pieces[0])
    assert (whole.instance.home / "plain.txt").exists()
    assert not (whole.instance.home / named["path"]).exists()


def test_asked_for_partially_a_damaged_snapshot_is_restored_but_for_what_is_named(whole: Whole) -> None:
    objects = whole.state.buckets["backups"] = dict(whole.objects)
    del objects[min(key for key in objects if key.startswith("content/"))]

    assert whole.restore("--partial") == 0

    assert whole.state.tags["snapshot-status"] == "complete 19 files - 1 left out"
    assert "Files left out: 1" in (whole.instance.home / "SYNC_COMPLETE").read_text()


@pytest.mark.parametrize("path", [b"/etc/x", b"../x", b"a/../../x", b"a//b", b"a\0b", b"./a"])
def test_a_manifest_that_names_a_place_outside_the_home_is_refused(path: bytes) -> None:
    line = to_line(Entry(path, FOLDER, 0o755, 0, 0, "", "", 0, 0, 0, 0, 0, 0))

    with pytest.raises(DamagedError, match="outside the home folder"):
        from_line(line)
