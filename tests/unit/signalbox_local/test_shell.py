"""A second terminal works with the cloud that is up by one line, whatever shell, folder and proxy it has."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_local.direct import without_proxy
from signalbox_local import project, shell
from signalbox_local.project import ROOT


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that clouds have theirs in."""
    monkeypatch.setattr(project, "STATE", tmp_path)
    return tmp_path


@contextmanager
def cloud(state: Path, **variables: str) -> Iterator[str]:
    """Let something that answers stand for a cloud that is up, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        folder, address = state / f"cloud-{port}", f"http://127.0.0.1:{port}"
        folder.mkdir()
        with shell.told({"AWS_ENDPOINT_URL": address, **variables}, folder / shell.FILE):
            yield address


@pytest.mark.parametrize("program", ["sh", "bash"])
def test_one_line_sets_everything(program: str, state: Path) -> None:
    odd = 'it\'s a "value" $HOME'
    with cloud(state, ODD=odd) as address:
        text = shell.commands(shell.read(), {"no_proxy": "internal.example.com"})
    environment = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "mine", "GIVEN": text}
    show = 'eval "$GIVEN"; printf "%s\\n" "$ODD" "$AWS_ENDPOINT_URL" "$PATH" "$NO_PROXY" "${AWS_PROFILE-unset}"'
    done = subprocess.run([program, "-c", show], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        odd,
        address,
        f"{ROOT}/.venv/bin:{ROOT}/operate:/usr/bin:/bin",
        "internal.example.com,127.0.0.1,localhost",
        "unset",
    ]


def test_where_no_cloud_is_up_it_says_how_to_start_one(state: Path) -> None:
    with pytest.raises(shell.NoCloudError, match="start one with make up"):
        shell.read()
    with cloud(state):
        assert shell.read()
    with pytest.raises(shell.NoCloudError):
        shell.read()


def test_of_two_clouds_the_shell_works_with_the_one_that_came_up_last_and_the_other_is_left_alone(state: Path) -> None:
    with cloud(state) as first:
        with cloud(state) as second:
            assert shell.read()["AWS_ENDPOINT_URL"] == second
            project.clear()
        assert shell.read()["AWS_ENDPOINT_URL"] == first


def test_a_cloud_that_was_killed_is_not_up_and_its_folder_is_cleared_away(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        folder = state / f"cloud-{server.getsockname()[1]}"
    folder.mkdir()
    with shell.told({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, folder / shell.FILE):
        with pytest.raises(shell.NoCloudError):
            shell.read()
        project.clear()
        assert folder.exists(), "a cloud that is being started does not answer yet"
        os.utime(folder, (0, 0))
        project.clear()
        assert not folder.exists()


def test_only_the_owner_of_the_files_reads_the_secret(tmp_path: Path) -> None:
    with shell.told({"AWS_SECRET_ACCESS_KEY": "secret"}, tmp_path / shell.FILE):
        assert (tmp_path / shell.FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a.b, localhost"}, "a.b,localhost,127.0.0.1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,b,127.0.0.1,localhost"),
    ],
)
def test_this_machine_is_excepted_from_a_proxy_with_whatever_was_before(given: dict[str, str], value: str) -> None:
    assert without_proxy(given) == {"no_proxy": value, "NO_PROXY": value}
