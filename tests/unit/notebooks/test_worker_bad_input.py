"""What cannot be done ends in a status that says what is wrong and what to do; nothing is called complete."""

import json
import os
import pwd
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described

from signalbox_snapshot import attributes, walking
from signalbox_snapshot.cli import main

type Make = Callable[[str], Instance]


def small(one: Instance) -> Instance:
    """Give an instance one file."""
    (one.home / "file").write_text("content")
    return one


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"ebs-backup-bucket": ""}, "it has no tag ebs-backup-bucket"),
        ({"ebs-backup-bucket": "My Bucket"}, "its tag ebs-backup-bucket names no bucket"),
        ({"snapshot-owner": "me"}, "its tag snapshot-owner is no account"),
        ({"snapshot-prefix": "../ana"}, "its tag snapshot-prefix is no prefix"),
        ({"snapshot-request": "a/b"}, "its tag snapshot-request has a slash"),
        ({"snapshot-secrets": "yes"}, "its tag snapshot-secrets is yes"),
    ],
)
def test_a_tag_that_asks_for_nothing_that_can_be_done_is_named(
    tags: dict[str, str], reason: str, state: State, instance: Make
) -> None:
    state.tags.update(tags)

    done = small(instance("saved")).run("backup")

    assert done.returncode == 1
    assert f"failed: {reason}" in done.stderr
    assert state.tags["snapshot-status"].startswith(f"failed: {reason}")
    assert state.objects() == {}


def test_a_file_that_describes_no_instance_is_named(instance: Make) -> None:
    one = instance("saved")
    one.metadata.write_text(json.dumps({"ResourceArn": "arn:aws:sagemaker:eu-west-1:123456789012:app/d/u/x/y"}))

    said = one.run("backup").stderr

    assert "app/d/u/x/y is neither a notebook instance nor of a space: run this on a notebook instance" in said


def test_a_bucket_that_does_not_exist_is_made_private_versioned_encrypted_and_for_tls_alone(
    state: State, instance: Make
) -> None:
    state.buckets.clear()

    done = small(instance("saved")).run("backup")

    assert done.returncode == 0, done.stderr
    settings = state.settings["backups"]
    assert settings["publicAccessBlock"].count(b"true") == 4
    assert b"<Status>Enabled</Status>" in settings["versioning"]
    assert b"AES256" in settings["encryption"]
    (statement,) = json.loads(settings["policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_bucket_whose_maker_died_before_it_was_protected_is_protected_at_the_next_start(
    state: State, instance: Make
) -> None:
    small(instance("saved")).run("backup")

    assert "policy" in state.settings["backups"]


def test_a_bucket_with_anything_in_it_keeps_its_settings(state: State, instance: Make) -> None:
    saved = small(instance("saved"))
    saved.run("backup")
    state.settings.clear()

    saved.run("backup")

    assert "policy" not in state.settings.get("backups", {})


def test_a_bucket_in_which_somebody_else_has_files_keeps_its_settings(state: State, instance: Make) -> None:
    saved = small(instance("saved"))
    saved.run("backup")
    state.settings.clear()
    state.tags["snapshot-prefix"] = "people/ana"

    assert saved.run("backup").returncode == 0

    assert state.settings.get("backups", {}) == {}


def test_a_bucket_of_another_account_is_not_used(state: State, instance: Make) -> None:
    state.others.add("backups")

    done = small(instance("saved")).run("backup")

    assert done.returncode == 1
    said = "the bucket backups is not one of account 123456789012, or the role may not use it"
    assert said in done.stderr
    assert state.tags["snapshot-status"] == f"failed: {said}".replace(",", "")
    assert state.objects() == {}


def test_a_bucket_that_another_account_owns_is_never_made(state: State, instance: Make) -> None:
    state.buckets.clear()
    state.tags["snapshot-owner"] = "210987654321"

    done = small(instance("saved")).run("backup")

    assert "there is no bucket backups: create it in the account of the tag snapshot-owner" in done.stderr
    assert state.buckets == {}


def test_a_key_that_may_not_be_used_is_named(state: State, instance: Make) -> None:
    message = "User is not authorized to perform: kms:GenerateDataKey on resource: the-key"
    state.refuse_puts = ("AccessDenied", message)

    done = small(instance("saved")).run("backup")

    assert done.returncode == 1
    assert "kms:GenerateDataKey on resource: the-key" in done.stderr
    assert "let the instance's role use the bucket's key" in done.stderr


@pytest.mark.parametrize(
    ("name", "reason", "what"),
    [
        ("", "it has no tag backup-snapshot", "give the instance the tag backup-snapshot"),
        (
            "nb_2020",
            "there is no snapshot nb_2020 in s3://backups/snapshots/",
            "the whole name of a complete snapshot: nb_",
        ),
        ("other_1", "there is no snapshot other_1 in s3://backups/snapshots/", "the whole name of a complete snapshot"),
    ],
)
def test_a_snapshot_that_does_not_exist_or_is_the_beginning_of_another_is_not_restored(
    name: str, reason: str, what: str, state: State, instance: Make
) -> None:
    small(instance("saved")).run("backup")
    state.tags["backup-snapshot"] = name and state.tags["snapshot-name"][:7] if name == "nb_2020" else name
    wanted = reason.replace("nb_2020", state.tags["backup-snapshot"])

    restored = instance("restored")
    done = restored.run("restore")

    assert done.returncode == 1
    assert f"failed: {wanted}: " in done.stderr
    assert what in done.stderr
    assert list(restored.home.iterdir()) == []


def test_a_snapshot_that_is_not_complete_is_not_restored(state: State, instance: Make) -> None:
    saved = small(instance("saved"))
    saved.run("backup")
    name = state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    del state.buckets["backups"][f"snapshots/{name}/complete.json"]

    done = instance("restored").run("restore")

    assert f"failed: snapshot {name} in s3://backups/snapshots/ is not complete" in done.stderr


def test_a_restore_from_a_bucket_that_is_gone_says_so_and_makes_none(state: State, instance: Make) -> None:
    state.buckets.clear()
    state.tags["backup-snapshot"] = "nb_x"

    done = instance("restored").run("restore")

    assert "failed: there is no bucket backups: name the snapshot's bucket" in done.stderr
    assert state.buckets == {}


def test_a_role_that_may_only_read_tags_is_enough_and_the_objects_tell_the_end(state: State, instance: Make) -> None:
    state.refuse_tags = True

    done = small(instance("saved")).run("backup")

    assert done.returncode == 0, done.stderr
    assert state.status("backup")["state"] == "complete"
    assert any(key.startswith("results/complete/") for key in state.objects())
    assert "the tags could not be written: AccessDeniedException" in done.stderr


def test_a_bucket_of_another_region_is_used_there(state: State, instance: Make) -> None:
    state.region = "us-west-2"
    saved, restored = small(instance("saved")), instance("restored")

    done = saved.run("backup")
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    back = restored.run("restore")

    assert (done.returncode, back.returncode) == (0, 0), done.stderr + back.stderr
    assert described(restored.home) == described(saved.home)


def test_a_clock_that_is_wrong_is_set_by_that_of_aws(state: State, instance: Make) -> None:
    state.strict_clock, state.ahead = True, timedelta(days=400)

    done = small(instance("saved")).run("backup")

    assert done.returncode == 0, done.stderr
    assert "the instance's clock is wrong by 345" in done.stderr
    assert state.tags["snapshot-name"] > "nb_2027-12"


def in_process(one: Instance, *words: str) -> int:
    """Run the worker here, where a test can change what it meets."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment().items():
            patch.setenv(name, value)
        return main(one.command(*words)[2:])


def test_a_volume_that_is_too_small_is_said_with_numbers_before_anything_is_written(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "file").write_bytes(os.urandom(3 << 20))
    saved.run("backup")
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    real = os.statvfs(restored.home)
    values = list(real)
    values[4] = (1 << 20) // real.f_frsize
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(values))

    assert in_process(restored, "restore") == 1

    assert state.status("restore")["reason"] == "the snapshot needs 0.0 GB and the volume has 0.0 GB free"
    assert str(state.status("restore")["advice"]).startswith("give the instance a volume of at least ")
    assert not (restored.home / "file").exists()


def test_files_that_cannot_be_read_are_named_and_the_backup_is_no_complete_one(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, restored = small(instance("saved")), instance("restored")
    (saved.home / "bad").write_text("on a bad block")
    real = os.pread

    def failing(file: int, size: int, start: int) -> bytes:
        if Path(f"/proc/self/fd/{file}").readlink().name == "bad":
            raise OSError(5, "Input/output error")
        return real(file, size, start)

    monkeypatch.setattr(os, "pread", failing)

    assert in_process(saved, "backup") == 1

    status = state.status("backup")
    assert status["reason"] == "1 files could not be read: 1 are saved in the partial snapshot"
    assert status["left_out"] == [{"path": "bad", "reason": "cannot be read: Input/output error"}]
    assert not any(key.endswith(("complete.json", "BACKUP_COMPLETE")) for key in state.objects())
    assert not (saved.home / "BACKUP_COMPLETE").exists()
    state.tags["backup-snapshot"] = str(status["snapshot"])
    assert "is not complete" in restored.run("restore").stderr
    state.tags["snapshot-partial"] = "restore"
    assert restored.run("restore").returncode == 0
    assert (restored.home / "file").read_text() == "content"


def test_a_file_that_changes_all_the_time_is_named(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = small(instance("saved"))
    busy = saved.home / "busy"
    busy.write_text("x")
    real = os.pread

    def written_meanwhile(file: int, size: int, start: int) -> bytes:
        if Path(f"/proc/self/fd/{file}").readlink().name == "busy":
            busy.write_text(busy.read_text() + "x")
        return real(file, size, start)

    monkeypatch.setattr(os, "pread", written_meanwhile)

    assert in_process(saved, "backup") == 0

    assert state.status("backup")["left_out"] == [{"path": "busy", "reason": "changes all the time"}]
    assert state.tags["snapshot-status"] == "complete 1 files - 1 left out"
    assert busy.read_text() == "xxxxx"


def test_another_file_system_is_left_out_and_named(
    state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, restored = small(instance("saved")), instance("restored")
    (saved.home / "my efs").mkdir()
    (saved.home / "my efs" / "shared").touch()
    place = str(saved.home / "my efs").replace(" ", "\\040")
    table = f"36 35 98:0 / {place} rw,noatime master:1 - nfs4 fs-1:/ rw\n".encode()
    assert walking.mount_points(table) == {os.fsencode(saved.home / "my efs")}
    monkeypatch.setattr(walking, "_mounted", lambda: walking.mount_points(table))

    assert in_process(saved, "backup") == 0

    assert state.status("backup")["left_out"] == [{"path": "my efs", "reason": "another file system is mounted here"}]
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    restored.run("restore")
    assert described(restored.home).keys() == {"file"}


def test_owners_are_found_by_their_names_where_numbers_differ_between_platforms(
    instance: Make, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    saved, restored = small(instance("saved")), instance("restored")
    given: list[object] = []
    mine = pwd.getpwuid(os.getuid()).pw_name
    in_process(saved, "backup")
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda _, user, __, **___: given.append(user))
    attributes.user_number.cache_clear()
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid={mine: 1234}[name]))

    in_process(restored, "restore")

    attributes.user_number.cache_clear()
    assert given == [1234]


class _Metadata(BaseHTTPRequestHandler):
    """The metadata service of an instance, of its second version, or of its first alone."""

    asked: list[str] = []  # noqa: RUF012 - it is the memory of all requests
    first_alone = False

    def do_PUT(self) -> None:
        self._answer(404 if self.first_alone else 200, b"the-token")

    def do_GET(self) -> None:
        self.asked.append(str(self.headers.get("X-aws-ec2-metadata-token")))
        role = self.path == "/latest/meta-data/iam/security-credentials/"
        keys = {
            "AccessKeyId": "testing",
            "SecretAccessKey": "testing",
            "Token": "token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        self._answer(200, b"the-role" if role else json.dumps(keys).encode())

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize(("first_alone", "token"), [(False, "the-token"), (True, "None")])
def test_keys_come_from_the_metadata_service_of_either_version(
    first_alone: bool, token: str, state: State, instance: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = small(instance("saved"))
    monkeypatch.setattr(_Metadata, "first_alone", first_alone)
    monkeypatch.setattr(_Metadata, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", saved.url)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}/")

    assert main(saved.command("backup")[2:]) == 0

    server.shutdown()
    server.server_close()
    assert _Metadata.asked == [token, token]


def test_an_instance_without_a_role_says_so(instance: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    saved = small(instance("saved"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", saved.url)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/")

    assert main(saved.command("backup")[2:]) == 1
