"""A volume or a temporary folder that is full in the middle: the end says so, nothing is half, and it goes on later."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described, every_kind

from signalbox_snapshot import index
from signalbox_snapshot.cli import main
from signalbox_snapshot.walking import AT_WORK

type Make = Callable[[str], Instance]


def in_process(one: Instance, *words: str) -> int:
    """Run the worker here, where a test can change what it meets."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment().items():
            patch.setenv(name, value)
        return main(one.command(*words)[2:])


def full_after(patch: pytest.MonkeyPatch, size: int) -> None:
    """Let the volume take so many bytes more: the write that goes beyond them is cut, and the next one fails."""
    real, left, lock = os.pwrite, [size], threading.Lock()

    def pwrite(file: int, data: bytes, start: int) -> int:
        with lock:
            if left[0] <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = real(file, data[: left[0]], start)
            left[0] -= written
            return written

    patch.setattr(os, "pwrite", pwrite)


@pytest.mark.parametrize("size", [5_000_000, 18_300_000])
def test_a_restore_that_fills_the_volume_ends_failed_with_whole_files_alone_and_goes_on_when_there_is_room(
    size: int, state: State, instance: Make
) -> None:
    saved, restored = instance("saved"), instance("restored")
    every_kind(saved.home)
    assert saved.run("backup").returncode == 0
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    whole = {path.relative_to(saved.home): path for path in saved.home.rglob("*") if path.is_file()}

    with pytest.MonkeyPatch.context() as patch:
        full_after(patch, size)
        assert in_process(restored, "restore") == 1

    status = state.status("restore")
    advice = "give the instance a larger volume, and start it again"
    assert (status["state"], status["reason"], status["advice"]) == ("failed", "the volume is full", advice)
    assert state.tags["snapshot-status"] == "failed: the volume is full"
    own = os.fsdecode(AT_WORK)
    left = [path for path in restored.home.rglob("*") if path.is_file() and own not in path.parts]
    assert all(_same(path, whole[path.relative_to(restored.home)]) for path in left)
    assert Path("a/b/c/large.bin") in whole
    assert not (restored.home / "SYNC_COMPLETE").exists()
    assert restored.run("restore").returncode == 0
    assert described(restored.home) == described(saved.home)


def test_a_volume_that_takes_no_new_name_is_said_with_what_to_do(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "large").write_bytes(os.urandom(300_000))
    assert saved.run("backup").returncode == 0
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]

    def ftruncate(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "ftruncate", ftruncate)

    assert in_process(restored, "restore") == 1

    assert state.status("restore")["reason"] == "the instance: [Errno 28] No space left on device"
    advice = f"make room on the volume and in {restored.work}, and start the instance again"
    assert state.status("restore")["advice"] == advice
    assert not (restored.home / "large").exists()


def _same(one: Path, other: Path) -> bool:
    """Whether two files are equal; the sparse one, which no test reads whole, by its size."""
    if one.stat().st_size > 1 << 28 or one.stat().st_size != other.stat().st_size:
        return one.stat().st_size == other.stat().st_size
    return one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("operation", ["backup", "restore"])
@pytest.mark.parametrize("pages", [5, 20])
def test_a_worker_whose_notes_find_no_room_ends_failed_with_the_folder_and_does_its_work_when_there_is_some(
    operation: str, pages: int, state: State, instance: Make
) -> None:
    saved = instance("saved")
    for number in range(300):
        (saved.home / f"folder {number:03d} with a name that is as long as it takes to fill some pages").mkdir()
    if operation == "restore":
        assert saved.run("backup").returncode == 0
        state.tags["backup-snapshot"] = state.tags["snapshot-name"]

    with pytest.MonkeyPatch.context() as patch:
        # SQLite's own limit: it fails as it does on a full disk.
        patch.setattr(index, "_TABLES", (f"PRAGMA max_page_count={pages}", *index._TABLES))
        assert in_process(saved, operation) == 1

    status = state.status(operation)
    said = f"the worker cannot keep its notes in {saved.work}: database or disk is full"
    assert status["reason"] == said
    assert str(status["advice"]).startswith("make room there, or name another folder with --work")
    assert not (saved.home / {"backup": "BACKUP_COMPLETE", "restore": "SYNC_COMPLETE"}[operation]).exists()
    assert saved.run(operation).returncode == 0


@pytest.mark.parametrize("number", [1, 20_000])
def test_a_report_that_finds_no_room_makes_the_work_a_failed_one_and_the_end_is_told(
    number: int, state: State, instance: Make
) -> None:
    saved = instance("saved")
    for one in range(number // 20 + 1):
        os.mkfifo(saved.home / f"pipe {one}")
    saved.work.mkdir()
    (saved.work / "report.jsonl.gz").symlink_to("/dev/full")

    done = saved.run("backup")

    assert done.returncode == 1
    status = state.status("backup")
    assert status["reason"] == "the report of what is left out cannot be written: No space left on device"
    assert status["advice"] == f"make room in {saved.work}, and start the instance again"
    (saved.work / "report.jsonl.gz").unlink()
    assert saved.run("backup").returncode == 0
