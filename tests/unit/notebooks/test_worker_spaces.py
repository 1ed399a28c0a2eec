"""A snapshot of an instance is restored into a folder of a Studio space, by root or by the space's user."""

import grp
import json
import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.notebook_cloud import ACCOUNT, REGION, State
from tests.support.notebooks import Instance, described, every_kind

from signalbox_snapshot import attributes, settings
from signalbox_snapshot.errors import SnapshotError

type Make = Callable[[str], Instance]

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
APP = {"AppType": "JupyterLab", "DomainId": "d-abc", "SpaceName": "Ana-1", "ResourceName": "default"}
NOBODY = 65534
PYTHON = "/usr/bin/python3"
"""One that everybody may start."""


def space_of(one: Instance) -> Instance:
    """Make an instance's folder that of a space, as its app's metadata file says it."""
    one.metadata.write_text(json.dumps({**APP, "ResourceArn": f"{ARN}app/d-abc/Ana-1/JupyterLab/default"}))
    return one


def saved(state: State, make: Make) -> Instance:
    """Save an instance with every kind of file, and ask for its snapshot in a folder."""
    one = make("saved")
    every_kind(one.home)
    os.setxattr(one.home / "secretive", "user.note", b"on a file that is read-only")
    assert one.run("backup").returncode == 0
    state.tags |= {"backup-snapshot": state.tags["snapshot-name"], "snapshot-folder": "ana-1"}
    return one


def test_every_kind_of_file_is_restored_equal_into_the_folder_and_what_is_beside_it_stays(
    state: State, instance: Make
) -> None:
    one, space = saved(state, instance), space_of(instance("space"))
    (space.home / "plain.txt").write_text("of the space")

    done = space.run("restore")

    assert done.returncode == 0, done.stderr
    assert described(space.home / "ana-1") == described(one.home)
    assert {path.name for path in space.home.iterdir()} == {"plain.txt", "ana-1"}
    assert (space.home / "plain.txt").read_text() == "of the space"
    assert json.loads(space.run("verify").stdout)["equal"]


def test_the_bucket_knows_a_space_by_its_domain_and_name(state: State, instance: Make) -> None:
    saved(state, instance)
    space_of(instance("space")).run("restore")

    told = json.loads(state.objects()["status/d-abc.Ana-1/restore.json"])

    assert (told["state"], told["instance"], told["arn"]) == ("complete", "d-abc.Ana-1", f"{ARN}space/d-abc/Ana-1")
    assert any(key.startswith("results/complete/d-abc.Ana-1/restore-nb_") for key in state.objects())


@pytest.mark.skipif(os.geteuid() != 0 or not Path(PYTHON).exists(), reason="only root is somebody else")
def test_a_space_whose_user_is_not_root_gets_files_of_others_as_its_own(state: State, instance: Make) -> None:
    one = saved(state, instance)
    # The folders of the tests are root's alone.
    with tempfile.TemporaryDirectory() as folder:
        space = space_of(Instance(Path(folder) / "space", one.url, state))
        for path in (Path(folder), space.folder, *space.folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = [*user, *space.command("restore", python=PYTHON)]

        done = subprocess.run(command, env=space.environment(), text=True, capture_output=True, check=False)

        found = described(space.home / "ana-1")
    assert done.returncode == 0, done.stderr
    assert {owner(facts) for facts in found.values()} == {(NOBODY, NOBODY)}
    assert {name: unowned(facts) for name, facts in found.items()} == {
        name: unowned(facts) for name, facts in described(one.home).items()
    }


def owner(facts: object) -> tuple[int, int]:
    """Return the numbers of a file's user and group."""
    ((_, user, group, *_), _) = cast("tuple[tuple[Any, ...], object]", facts)
    return user, group


def unowned(facts: object) -> object:
    """Return all else of a file."""
    (mode, _, _, *more), names = cast("tuple[tuple[Any, ...], object]", facts)
    return mode, more, names


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The users and groups of a space: sagemaker-user, whose group is users, and no ec2-user."""
    monkeypatch.setattr(pwd, "getpwnam", {"sagemaker-user": SimpleNamespace(pw_uid=1000, pw_gid=100)}.__getitem__)
    monkeypatch.setattr(grp, "getgrnam", {"users": SimpleNamespace(gr_gid=100)}.__getitem__)
    yield
    attributes.user_number.cache_clear()
    attributes.group_number.cache_clear()


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize(
    ("name", "number", "owner"), [("ec2-user", 500, (1000, 100)), ("", 1001, (1001, 1001)), ("gone", 7, (7, 7))]
)
def test_what_was_the_ec2_users_is_the_sagemaker_users_in_a_space(
    name: str, number: int, owner: tuple[int, int]
) -> None:
    attributes.user_number.cache_clear()
    attributes.group_number.cache_clear()

    assert (attributes.user_number(name, number), attributes.group_number(name, number)) == owner


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_folder_that_root_makes_is_the_homes_owners(state: State, instance: Make) -> None:
    saved(state, instance)
    space = space_of(instance("space"))
    os.chown(space.home, 1000, 100)

    assert space.run("restore").returncode == 0

    made = (space.home / "ana-1").stat()
    assert (made.st_uid, made.st_gid) == (1000, 100)


@pytest.mark.parametrize("name", ["..", ".", "a/b"])
def test_a_folder_that_is_no_single_name_is_refused(state: State, instance: Make, name: str) -> None:
    saved(state, instance)
    state.tags["snapshot-folder"] = name
    space = space_of(instance("space"))

    assert space.run("restore").returncode == 1

    assert state.tags["snapshot-status"].startswith("failed: its tag snapshot-folder ")
    assert list(space.home.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_or_a_file_in_the_folders_place_is_not_followed_nor_overwritten_and_the_space_says_so(
    state: State, instance: Make, tmp_path: Path, kind: str
) -> None:
    saved(state, instance)
    space, elsewhere = space_of(instance("space")), tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "link":
        (space.home / "ana-1").symlink_to(elsewhere)
    else:
        (space.home / "ana-1").write_text("mine")

    assert space.run("restore").returncode == 1

    told = json.loads(state.objects()["status/d-abc.Ana-1/restore.json"])
    assert told["reason"] == "what is called ana-1 in the home is no folder, and the files have to go there"
    assert told["advice"] == "rename it, and start the space again"
    assert list(elsewhere.iterdir()) == []


def test_a_backup_saves_the_whole_home_whatever_the_folders_tag_says(state: State, instance: Make) -> None:
    one = instance("saved")
    (one.home / "file").write_text("content")
    state.tags["snapshot-folder"] = "ana-1"

    assert one.run("backup").returncode == 0
    assert state.status("backup")["files"] == {"total": 1, "done": 1, "left_out": 0}


@pytest.mark.parametrize(
    ("app", "space"),
    [
        ("app/d-abc/Ana-1/JupyterLab/default", "space/d-abc/Ana-1"),
        ("app/d-abc/ana-1/jupyterlab/default", "space/d-abc/ana-1"),
        ("app/d-abc/ana/jupyterlab/default", "space/d-abc/Ana-1"),
    ],
    ids=["as it is called", "in small letters", "of the profile"],
)
def test_a_space_is_known_by_its_apps_arn_where_that_names_it(tmp_path: Path, app: str, space: str) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({**APP, "ResourceArn": ARN + app}))

    found = settings.instance(str(metadata))

    assert (found.name, found.arn, found.kind) == ("d-abc.Ana-1", ARN + space, "space")


def test_an_app_without_a_space_is_named(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"DomainId": "d-abc", "ResourceArn": f"{ARN}app/d-abc/ana/JupyterServer/default"}))

    with pytest.raises(SnapshotError, match="is neither a notebook instance nor of a space"):
        settings.instance(str(metadata))
