"""Commands run where a machine gives no namespaces, too: in one shell, with a Python of their own, and all end."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.contract.world import name
from tests.sagemaker_local.support.builds import command_lines, spec

from sagemaker_local.codebuild import buildspec
from sagemaker_local.codebuild.commands import Commands
from sagemaker_local.codebuild.errors import BuildEndedError
from sagemaker_local.codebuild.place import Place


def commands(folder: Path, *lines: str, docker: Mapping[str, str] | None = None, **more: Any) -> Commands:
    place = Place(folder, "123", boxed=False)
    place.furnish(docker)
    return Commands(place, buildspec.read(spec(*lines, **more)), {"AWS_REGION": "us-east-1"}, {"A": "b"})


def run(asked: Commands) -> list[Mapping[str, Any]]:
    heard: list[Mapping[str, Any]] = []
    asked.run(threading.Event(), lambda: None, heard.append)
    return heard


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_one_shell_runs_all_commands(tmp_path: Path, shell: str) -> None:
    lines = (
        "B=not-exported",
        "mkdir deep && cd deep",
        'echo "$B, $A, $(basename $(pwd))"',
        "set -e",
        "false",
        "echo no",
    )
    env = {"shell": shell, "exported-variables": ["A", "NONE"]}

    heard = run(commands(tmp_path, *lines, env=env))

    log = (tmp_path / "log").read_text()
    assert "\nnot-exported, b, deep\n" in log
    failed = [event for event in heard if event.get("status") == "FAILED"]
    assert [event["message"] for event in failed] == ["Error while executing command: false. Reason: exit status 1"]
    assert heard[-1] == {"exported": {"A": "b", "NONE": ""}}


def test_a_shell_that_is_killed_fails_its_command_and_another_goes_on(tmp_path: Path) -> None:
    heard = run(commands(tmp_path, "kill -9 $$"))

    ends = {event["ends"]: event for event in heard if "ends" in event}
    assert ends["BUILD"]["message"].endswith("exit status 137")
    assert ends["POST_BUILD"]["status"] == "SUCCEEDED"


def test_the_python_of_a_build_has_what_the_clouds_has_and_installs_into_its_own_place(tmp_path: Path) -> None:
    heard = run(
        commands(
            tmp_path,
            'test "$(python -c "import sys; print(sys.prefix)")" = "$VIRTUAL_ENV"',
            "pip install --no-index --quiet boto3",
            "pytest --version",
        )
    )

    assert not [event for event in heard if event.get("status") == "FAILED"], (tmp_path / "log").read_text()


def test_a_build_that_has_to_end_leaves_no_process(tmp_path: Path) -> None:
    mark = name("left")
    heard: list[Mapping[str, Any]] = []

    def check() -> None:
        if [line for line in command_lines() if mark in line]:
            raise BuildEndedError("STOPPED")

    with pytest.raises(BuildEndedError):
        commands(tmp_path, f"python -c 'import time; time.sleep(900)' {mark}").run(
            threading.Event(), check, heard.append
        )

    assert not [line for line in command_lines() if mark in line]
