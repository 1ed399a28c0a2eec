"""A second terminal works with the cloud that is up by one line, whatever shell, folder and proxy it has."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_local.direct import without_proxy
from signalbox_local import shell
from signalbox_local.project import ROOT


@pytest.fixture
def address() -> Iterator[str]:
    """The address of something that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("program", ["sh", "bash"])
def test_one_line_sets_everything(program: str, address: str, tmp_path: Path) -> None:
    given = {"AWS_ENDPOINT_URL": address, "ODD": 'it\'s a "value" $HOME'}
    with shell.told(given, tmp_path / "up.json"):
        text = shell.commands(shell.read(tmp_path / "up.json"), {"no_proxy": "internal.example.com"})
    environment = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "mine", "GIVEN": text}
    show = 'eval "$GIVEN"; printf "%s\\n" "$ODD" "$AWS_ENDPOINT_URL" "$PATH" "$NO_PROXY" "${AWS_PROFILE-unset}"'
    done = subprocess.run([program, "-c", show], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        given["ODD"],
        address,
        f"{ROOT}/.venv/bin:{ROOT}/operate:/usr/bin:/bin",
        "internal.example.com,127.0.0.1,localhost",
        "unset",
    ]


def test_where_no_cloud_is_up_it_says_how_to_start_one(address: str, tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    with pytest.raises(shell.NoCloudError, match="start one with make up"):
        shell.read(file)
    with shell.told({"AWS_ENDPOINT_URL": address}, file):
        assert shell.read(file)
    with pytest.raises(shell.NoCloudError):
        shell.read(file)


def test_a_cloud_that_was_killed_is_not_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"http://127.0.0.1:{server.getsockname()[1]}"
    with shell.told({"AWS_ENDPOINT_URL": gone}, tmp_path / "up.json"), pytest.raises(shell.NoCloudError):
        shell.read(tmp_path / "up.json")


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
