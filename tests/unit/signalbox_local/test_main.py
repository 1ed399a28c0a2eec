"""What the commands cannot do, they say in a sentence."""

import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signalbox_local import __main__ as program
from signalbox_local import project, shell


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signals of this process as they are."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("deaf")
def test_without_the_right_to_write_the_demo_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(_: object) -> None:
        raise PermissionError(13, "Permission denied", "/clone [1]/.signalbox/cloud")

    monkeypatch.setattr(project, "STATE", tmp_path)
    monkeypatch.setattr(program, "ProjectCloud", refused)
    done = CliRunner().invoke(program.app, ["demo", "--yes"])
    assert done.exit_code == 1
    assert "No right to write: /clone [1]/.signalbox/cloud: give yourself that right" in done.output


@pytest.mark.usefixtures("deaf")
def test_the_demo_reaches_its_cloud_directly_where_the_environment_names_a_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(_: object) -> None:
        raise PermissionError(13, "Permission denied", "/clone")

    monkeypatch.setattr(project, "STATE", tmp_path)
    monkeypatch.setattr(program, "ProjectCloud", refused)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "internal.example.com")

    CliRunner().invoke(program.app, ["demo", "--yes"])

    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "internal.example.com,127.0.0.1,localhost"


def test_without_a_cloud_the_line_for_a_second_terminal_sets_nothing_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> dict[str, str]:
        raise shell.NoCloudError

    monkeypatch.setattr(shell, "read", none)
    done = CliRunner().invoke(program.app, ["env"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "start one with make up" in done.stderr


def test_with_a_cloud_the_line_for_a_second_terminal_sets_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "read", lambda: {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566\n" in CliRunner().invoke(program.app, ["env"]).stdout
