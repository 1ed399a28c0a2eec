"""The chapter of a push: what it changes is there, what its build prints is shown as it comes, and it needs git."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from signalbox_local.demo import pushing
from signalbox_local.demo.pushing import Build, Clone
from signalbox_local.demo.reviewers import AutomaticReviewer
from signalbox_local.demo.steps import Demo
from signalbox_local.demo.terminal import StepError, Terminal
from signalbox_local.project import ROOT

COMMIT = "5" * 40
LINES = [
    "[Container] 2026/11/26 12:00:01.000001 Entering phase BUILD",
    "[Container] 2026/11/26 12:00:01.000002 Running command signalbox check .",
    "project abalone can be deployed",
    "pipeline signalbox-abalone updated",
]


class CodeBuildAndLogs:
    """A build that ends with its third look; its log has a line more each time, and all in the end."""

    def __init__(self, status: str) -> None:
        self.status, self.looks, self.asked = status, 0, 0

    def list_builds_for_project(self, **_: object) -> dict[str, Any]:
        """List an older build and this one."""
        return {"ids": ["signalbox-abalone:0", "signalbox-abalone:1"]}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        """Return what is asked for."""
        self.looks += 1
        status = "IN_PROGRESS" if self.looks < 4 else self.status
        logs = {"groupName": "g", "streamName": "s"}
        one = {"id": "signalbox-abalone:1", "sourceVersion": COMMIT, "buildStatus": status, "logs": logs}
        return {"builds": [{**one, "id": "signalbox-abalone:0", "sourceVersion": "0" * 40}, one][-len(ids) :]}

    def get_log_events(self, **request: Any) -> dict[str, Any]:
        """Return the lines behind those of before."""
        assert int(request.get("nextToken", "0")) == self.asked
        behind = LINES[self.asked : self.asked + 1] if self.looks < 4 else LINES[self.asked :]
        self.asked += len(behind)
        return {"events": [{"message": line} for line in behind], "nextForwardToken": str(self.asked)}


class OneClient(Demo):
    """A demo whose services are all one."""

    one: object = None

    def client(self, service: str) -> Any:
        """Return it."""
        return self.one


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return io.StringIO()


def demo(told: io.StringIO, client: object = None) -> Demo:
    cloud: Any = None  # which nobody asks
    made = OneClient(cloud, Terminal(Console(file=told, width=200)), AutomaticReviewer(), {"Prefix": "s"})
    made.one = client
    return made


def test_without_git_the_chapter_is_left_out_with_a_sentence(
    told: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    pushing.push(demo(told), tmp_path / "push")

    assert pushing.WITHOUT_GIT in told.getvalue()
    assert not (tmp_path / "push").exists()


def test_a_git_that_only_says_how_it_is_installed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho 'no developer tools were found' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not pushing.has_git()


def test_the_hyperparameter_that_is_changed_is_in_the_project_once() -> None:
    text = (ROOT / "projects" / pushing.PROJECT / pushing.FILE).read_text()

    assert text.count(pushing.BEFORE) == 1
    assert pushing.AFTER not in text


def test_what_a_build_prints_is_shown_once_and_of_codebuilds_own_lines_the_commands(told: io.StringIO) -> None:
    assert Build(demo(told, CodeBuildAndLogs("SUCCEEDED")), COMMIT).follow() == "SUCCEEDED"

    assert told.getvalue().splitlines() == [
        "  │ $ signalbox check .",
        "  │ project abalone can be deployed",
        "  │ pipeline signalbox-abalone updated",
    ]


def test_a_build_that_fails_ends_the_demo(told: io.StringIO) -> None:
    with pytest.raises(StepError, match="the build of the push FAILED"):
        Build(demo(told, CodeBuildAndLogs("FAILED")), COMMIT).follow()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git is installed here")
def test_a_commit_asks_for_nothing_of_a_persons_settings(
    tmp_path: Path, environment: Callable[[], dict[str, str]]
) -> None:
    clone = Clone(tmp_path, environment())
    clone.git("init", "--quiet")
    (tmp_path / "file").write_text("text\n")

    commit = clone.commit("A file")

    assert clone.git("log", "--format=%H %an %s") == f"{commit} Ann A file"
    with pytest.raises(StepError, match="git checkout nowhere: "):
        clone.git("checkout", "nowhere")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """Give a person whose commits are signed, which nobody could do here."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[commit]\n\tgpgsign = true\n")
    monkeypatch.setenv("HOME", str(home))
    return lambda: pushing.person({})
