"""The worker is killed at any moment, on any network: it ends complete and equal, or failed and saying so."""

import os
import random
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.support.faults import Fault, Weather
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described, every_kind

if TYPE_CHECKING:
    import subprocess

ROUNDS = int(os.environ.get("SIGNALBOX_DEATHS", "2"))
"""Deaths at each share of lost calls, of a backup and of a restore each; the hundred of the acceptance list are 17."""
_FAULTS: tuple[Fault, ...] = ("drop", "throttle", "refuse", "lose", "cut")

type Make = Callable[[str], Instance]


def _chance(seed: float) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


def killed(one: Instance, operation: str, chance: random.Random, number: signal.Signals = signal.SIGKILL) -> int:
    """Start the worker and kill it at a moment near some call; return how it ended, negative where it was killed."""
    process = one.start(operation)
    call = one.state.calls.total() + chance.randrange(1, 30)
    timer = threading.Timer(chance.random() * 0.03, process.send_signal, [number])
    one.state.at_call = (call, timer.start, chance.random() < 0.5)
    process.communicate()
    timer.cancel()
    one.state.at_call = None
    return process.returncode


def to_its_end(one: Instance, operation: str) -> "subprocess.CompletedProcess[str]":
    """Start the worker again, as the next start of its instance does: it says how it ended."""
    done = one.run(operation)
    if done.returncode == 0:
        assert one.state.status(operation)["state"] == "complete"
        assert one.state.tags["snapshot-status"].startswith("complete")
    else:
        assert done.returncode == 1
        assert "failed: " in done.stderr, done.stderr
        # The worker that was killed may have been done: a marker is there only if it is true.
        made = one.home / "BACKUP_COMPLETE"
        if made.exists() and operation == "backup":
            snapshot = made.read_text().split("/snapshots/")[1].split("/")[0]
            assert f"snapshots/{snapshot}/complete.json" in one.state.objects()
    return done


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5])
def test_who_is_killed_at_any_moment_ends_complete_and_equal_or_says_that_it_failed(
    share: float, state: State, instance: Make
) -> None:
    chance = _chance(share)
    saved = instance("saved")
    every_kind(saved.home)
    for attempt in range(ROUNDS):
        state.weather = Weather(share=share, kinds=_FAULTS, chance=_chance(attempt))
        state.tags["snapshot-request"] = f"r{share}-{attempt}"
        killed(saved, "backup", chance)
        if to_its_end(saved, "backup").returncode:
            state.weather = Weather()
            assert to_its_end(saved, "backup").returncode == 0
        state.tags["backup-snapshot"] = state.tags["snapshot-name"]
        restored = instance(f"restored-{attempt}")
        state.weather = Weather(share=share, kinds=_FAULTS, chance=_chance(-attempt))
        killed(restored, "restore", chance)
        if to_its_end(restored, "restore").returncode:
            equal = described(restored.home) == described(saved.home)
            assert equal or not (restored.home / "SYNC_COMPLETE").exists()
            state.weather = Weather()
            assert to_its_end(restored, "restore").returncode == 0
        assert described(restored.home) == described(saved.home)
        for key in [key for key in state.objects() if key.startswith(("content/", "packs/", "snapshots/"))]:
            del state.buckets["backups"][key]
        (saved.home / "BACKUP_COMPLETE").unlink()


def test_a_backup_that_was_cut_goes_on_under_its_name_and_puts_no_content_twice(state: State, instance: Make) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    state.tags["snapshot-request"] = "r1"
    process = saved.start("backup")
    state.at_call = ("/manifest/", process.kill, False)
    process.communicate()
    pieces = {key: kept.modified for key, kept in state.buckets["backups"].items() if key.startswith("content/")}
    (request,) = [body for key, body in state.objects().items() if key.startswith("requests/")]
    state.at_call = None
    puts = state.calls["PUT"]

    saved.run("backup")

    assert pieces
    assert state.tags["snapshot-name"] in request.decode()
    contents = [key for key in state.objects() if key.startswith("content/")]
    others = 11  # pack, manifest, document, marker, log, report, result, status twice or more
    assert state.calls["PUT"] - puts <= len(contents) - len(pieces) + others


def test_a_restore_that_was_cut_gets_no_file_twice(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    every_kind(saved.home)
    saved.run("backup")
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    restored.run("restore")
    (restored.home / "a/b/c/large.bin").unlink()
    gets = state.calls["GET"]

    done = restored.run("restore")

    assert done.returncode == 0, done.stderr
    # The listing, the document, the manifest, the three pieces, and the pack once for the file that has further names.
    assert state.calls["GET"] - gets == 7
    assert described(restored.home) == described(saved.home)


def test_who_is_told_to_stop_says_that_the_work_was_cut(state: State, instance: Make) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    process = saved.start("backup")
    state.at_call = ("/content/", process.terminate, False)

    _, told = process.communicate()

    state.at_call = None
    assert process.returncode == 1, told
    status = state.status("backup")
    assert (status["state"], status["reason"]) == ("failed", "cut: the instance was stopped before the work was done")
    assert status["advice"] == "start the instance again: the work goes on where it was cut"
    assert state.tags["snapshot-status"].startswith("failed: cut: ")
    assert any(key.startswith("results/failed/nb/backup-") for key in state.objects())
    assert saved.run("backup").returncode == 0


def test_a_second_worker_of_an_instance_leaves_the_work_to_the_first(state: State, instance: Make) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    process = saved.start("backup")
    second: list[subprocess.CompletedProcess[str]] = []
    state.at_call = ("/manifest/", lambda: second.append(saved.run("restore")), False)
    process.communicate()

    assert second[0].returncode == 3
    assert "another worker is at work on nb" in second[0].stderr
    assert process.returncode == 0
    assert state.tags["snapshot-status"].startswith("complete")
