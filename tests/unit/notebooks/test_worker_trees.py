"""The worker on whole trees: what is saved is restored, and the second snapshot moves only what changed."""

import gzip
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described, every_kind, special

from signalbox_snapshot.cli import main
from signalbox_snapshot.reading import Reader

type Make = Callable[[str], Instance]

_SUPPORTED = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SECRET = "AKIA" + "Q" * 16


def python(version: str) -> str:
    """Return an interpreter of this machine; skip the test where it has none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"this machine has no Python {version}")
    return str(found[-1])


def backed_up(saved: Instance) -> str:
    """Back an instance up, name the snapshot in the tags, and return its name."""
    done = saved.run("backup")
    assert done.returncode == 0, done.stderr
    saved.state.tags["backup-snapshot"] = saved.state.tags["snapshot-name"]
    return saved.state.tags["snapshot-name"]


def reported(state: State, operation: str) -> dict[str, str]:
    """Return what the last report names, with its reasons."""
    (key,) = [key for key in state.objects() if key.startswith(f"reports/nb/{operation}-")]
    lines = gzip.decompress(state.objects()[key]).decode().splitlines()
    return {line["path"]: line["reason"] for line in map(json.loads, lines)}


@pytest.mark.parametrize("version", _SUPPORTED)
def test_every_kind_of_file_is_restored_equal_under_each_python_of_the_machine(
    version: str, state: State, instance: Make
) -> None:
    saved, restored, program = instance("saved"), instance("restored"), python(version)
    every_kind(saved.home)

    done = saved.run("backup", python=program)
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    back = restored.run("restore", python=program)

    assert (done.returncode, back.returncode) == (0, 0), done.stderr + back.stderr
    assert described(restored.home) == described(saved.home)
    assert str(state.status("restore")["python"]).startswith(version + ".")
    assert state.moved < 4 * 18 * 1024 * 1024  # and not the 100 GB of the sparse file
    assert (restored.home / "sparse.img").stat().st_blocks * 512 < 1 << 24


def test_what_only_one_python_wrote_every_other_reads(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    every_kind(saved.home)

    saved.run("backup", python=python("3.6"))
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    restored.run("restore")

    assert described(restored.home) == described(saved.home)


def test_the_status_the_tags_and_the_markers_tell_a_complete_backup(state: State, instance: Make) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    special(saved.home)

    snapshot = backed_up(saved)

    status = state.status("backup")
    assert (status["state"], status["snapshot"], status["reason"]) == ("complete", snapshot, None)
    assert status["files"] == {"total": 20, "done": 20, "left_out": 2}
    assert status["bytes"]["done"] == status["bytes"]["total"]  # type: ignore[index]  # it is JSON
    assert state.tags["snapshot-status"] == "complete 20 files - 2 left out"
    assert any(told.startswith("running ") for told in state.told)
    assert json.loads(state.objects()[f"results/complete/nb/backup-{snapshot}.json"])["state"] == "complete"
    assert reported(state, "backup") == {"pipe": "is a named pipe", "socket": "is a socket"}
    marker = (saved.home / "BACKUP_COMPLETE").read_bytes()
    assert marker == state.objects()[f"snapshots/{snapshot}/BACKUP_COMPLETE"]
    first, second, third = marker.decode().splitlines()
    assert first == f"Created s3://backups/snapshots/{snapshot}/"
    assert second.startswith("Completed at 20")
    assert third == "Files left out: 2 (see the report in the bucket)"
    assert b"is complete: 20 files" in state.objects()[f"logs/nb/backup-{snapshot}.log"]


def test_a_second_snapshot_puts_only_what_changed_and_reads_nothing_else(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    every_kind(saved.home)
    first = backed_up(saved)
    before, moved = set(state.objects()), state.moved
    (saved.home / "a/b/c/large.bin").open("ab").write(b"more")
    (saved.home / "added").write_text("added")
    (saved.home / "twin").unlink()

    second = backed_up(saved)
    restored.run("restore")

    contents = {key for key in set(state.objects()) - before if key.startswith(("content/", "packs/"))}
    assert len(contents) == 2  # the last piece of the large file, and a pack with the added one
    assert second != first
    assert state.moved - moved < 2 * 18 * 1024 * 1024  # of which the restore has one
    assert described(restored.home) == described(saved.home)


def test_a_start_in_a_second_that_has_a_snapshot_makes_another_and_does_not_call_the_old_one_its_own(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = instance("saved")
    (saved.home / "a").write_text("first")
    for name, value in saved.environment().items():
        monkeypatch.setenv(name, value)
    moments = itertools.count()
    monkeypatch.setattr("signalbox_snapshot.keys.snapshot_name", lambda name, _: f"{name}_2020-{next(moments) // 2}")
    for text in ("first", "second"):
        (saved.home / "a").write_text(text)
        assert main(saved.command("backup")[2:]) == 0
    complete = [key for key in state.objects() if key.endswith("/complete.json")]
    assert len(complete) == 2


def test_an_unchanged_file_is_not_opened_again(state: State, instance: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    time.sleep(0.06)  # as long as a file system may give two changes one time
    backed_up(saved)
    (saved.home / "script.sh").write_text("changed")
    opened: list[bytes] = []

    class _Remembered(Reader):
        def __init__(self, full: bytes) -> None:
            opened.append(full)
            super().__init__(full)

    monkeypatch.setattr("signalbox_snapshot.saving.Reader", _Remembered)
    for name, value in saved.environment().items():
        monkeypatch.setenv(name, value)
    calls = state.calls["PUT"]

    assert main(saved.command("backup")[2:]) == 0

    assert opened == [os.fsencode(saved.home / "script.sh")]
    # A pack, the manifest's part, its document, the marker, the log, the result, the status twice.
    assert state.calls["PUT"] - calls == 8


def test_files_with_secrets_are_left_out_and_named_without_the_secret(state: State, instance: Make) -> None:
    saved = instance("saved")
    (saved.home / "keys.ipynb").write_text(f'"key = {SECRET}"')
    (saved.home / "plain").write_text("AKIAIOSFODNN7EXAMPLE is an example")

    backed_up(saved)

    assert state.status("backup")["secrets"] == 1
    assert reported(state, "backup") == {"keys.ipynb": "has what looks like a secret: AWS access key"}
    assert not any(SECRET.encode() in body for body in state.objects().values())
    assert state.tags["snapshot-status"] == "complete 1 files - 1 left out"


def test_with_consent_files_with_secrets_are_saved_and_counted_and_no_longer_when_it_is_taken_back(
    state: State, instance: Make
) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "keys").write_text(SECRET)
    (saved.home / "large").write_bytes(bytes(9 << 20) + b"-----BEGIN RSA PRIVATE KEY-----" + bytes(1 << 20))
    time.sleep(0.06)
    state.tags["snapshot-secrets"] = "include"

    backed_up(saved)
    restored.run("restore")
    with_consent = (state.status("backup")["secrets"], state.status("backup")["files"])
    del state.tags["snapshot-secrets"]
    backed_up(saved)

    assert described(restored.home) == described(saved.home)
    assert with_consent == (2, {"total": 2, "done": 2, "left_out": 0})
    assert state.status("backup")["files"] == {"total": 2, "done": 0, "left_out": 2}


def test_newer_files_are_kept_and_named_until_the_tag_says_otherwise(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    every_kind(saved.home)
    backed_up(saved)
    (restored.home / "script.sh").write_text("newer work")
    (restored.home / "a").mkdir()
    (restored.home / "own").write_text("is in no snapshot")

    kept = restored.run("restore")
    said, marker = reported(state, "restore"), (restored.home / "SYNC_COMPLETE").read_text()

    assert kept.returncode == 0
    assert said["script.sh"] == "is newer on the volume: it is kept"
    assert (restored.home / "script.sh").read_text() == "newer work"
    assert "Files left out: 1 (see the report in the bucket)" in marker
    state.tags["snapshot-overwrite"] = "newer"
    assert restored.run("restore").returncode == 0
    assert (restored.home / "own").exists()
    (restored.home / "own").unlink()
    assert described(restored.home).keys() == described(saved.home).keys()
    assert (restored.home / "script.sh").read_bytes() == (saved.home / "script.sh").read_bytes()


def test_a_link_on_the_volume_is_never_written_through(state: State, instance: Make, tmp_path: Path) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "folder").mkdir()
    (saved.home / "folder" / "file").write_text("content")
    backed_up(saved)
    outside = tmp_path / "outside"
    outside.mkdir()
    (restored.home / "folder").symlink_to(outside)

    done = restored.run("restore")

    assert list(outside.iterdir()) == []
    assert done.returncode == 1  # the link is newer: it is kept, and what belongs below it is not restored
    assert not (restored.home / "SYNC_COMPLETE").exists()
    state.tags["snapshot-overwrite"] = "newer"
    assert restored.run("restore").returncode == 0
    assert (restored.home / "folder" / "file").read_text() == "content"
    assert list(outside.iterdir()) == []


def test_markers_and_lost_and_found_are_no_part_of_a_snapshot(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "lost+found").mkdir()
    (saved.home / "lost+found" / "inode").touch()
    (saved.home / "deep" / "lost+found").mkdir(parents=True)
    (saved.home / "SYNC_COMPLETE").touch()

    backed_up(saved)
    backed_up(saved)
    restored.run("restore")

    assert {path.name for path in restored.home.rglob("*")} == {"SYNC_COMPLETE", "deep", "lost+found"}
    assert (restored.home / "SYNC_COMPLETE").read_text().startswith("Completed at")


def test_snapshots_of_one_prefix_stand_below_it(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "file").write_text("content")
    state.tags["snapshot-prefix"] = "/people/ana/"

    backed_up(saved)
    backed_up(saved)
    restored.run("restore")

    assert all(key.startswith("people/ana/") for key in state.objects())
    assert described(restored.home) == described(saved.home)
    assert len([key for key in state.objects() if "/packs/" in key]) == 1


def test_listings_and_tags_of_many_pages_are_read_whole(state: State, instance: Make) -> None:
    saved = instance("saved")
    state.page = 2
    every_kind(saved.home)
    backed_up(saved)
    contents = len([key for key in state.objects() if key.startswith("content/")])

    backed_up(saved)

    assert contents > 4
    assert len([key for key in state.objects() if key.startswith("content/")]) == contents


def test_a_content_that_may_soon_expire_is_put_again(state: State, instance: Make) -> None:
    saved = instance("saved")
    (saved.home / "file").write_text("content")
    time.sleep(0.06)
    backed_up(saved)
    (pack,) = [kept for key, kept in state.buckets["backups"].items() if key.startswith("packs/")]
    pack.modified = "2020-01-01T00:00:00.000Z"

    backed_up(saved)

    (pack,) = [kept for key, kept in state.buckets["backups"].items() if key.startswith("packs/")]
    assert pack.modified > "2026"


def test_a_request_that_is_complete_is_not_carried_out_again(state: State, instance: Make) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "file").write_text("content")
    state.tags["snapshot-request"] = "r1"
    first = backed_up(saved)
    restored.run("restore")
    objects = set(state.objects())
    (restored.home / "file").unlink()
    (saved.home / "later").write_text("later")

    again = backed_up(saved)
    restored.run("restore")

    assert again == first
    assert set(state.objects()) == objects
    assert not (restored.home / "file").exists()
    assert state.status("backup")["files"] == {"total": 1, "done": 1, "left_out": 0}


def test_verify_names_what_differs_in_the_tree_and_in_the_bucket(state: State, instance: Make) -> None:
    saved = instance("saved")
    every_kind(saved.home)
    backed_up(saved)
    equal = saved.run("verify")
    (saved.home / "script.sh").chmod(0o600)
    (saved.home / "link").unlink()
    (saved.home / "added").touch()
    pack = next(key for key in state.objects() if key.startswith("packs/"))
    state.buckets["backups"][pack].body = state.buckets["backups"][pack].body[:-1] + b"?"

    found = saved.run("verify")

    assert (equal.returncode, json.loads(equal.stdout)["equal"]) == (0, True), equal.stdout
    answer = json.loads(found.stdout)
    assert (found.returncode, answer["equal"], answer["extra"], answer["damaged"]) == (1, False, 1, 1)
    reasons = {one["path"]: one["reason"] for one in answer["named"]}
    assert reasons["link"] == "is not there"
    assert reasons["script.sh"].startswith("its mode is 600")
