"""CI installs a browser where it may, and goes on where it may not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.chromium import PROGRAMS
from tests.support.documents import ROOT

RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def ran(folder: Path, *, uid: int, apt: int | None, browser: str = "") -> str:
    """Run `.ci/run` with programs of our own, and return what they were asked and what was said."""
    programs = {"make": "echo make $*", "id": f"echo {uid}"}
    programs |= {} if apt is None else {"apt-get": f"echo apt-get $*; exit {apt}"}
    programs |= {browser: "true"} if browser else {}
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or "")
    command = [str(folder / "bash"), str(ROOT / ".ci" / "run")]
    done = subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_browser_is_installed_from_debians_packages_by_root(tmp_path: Path) -> None:
    said = ran(tmp_path, uid=0, apt=0)
    assert said.splitlines() == [
        "apt-get update -q",
        "apt-get install -q -y --no-install-recommends chromium",
        "make test",
    ]


@pytest.mark.parametrize(("uid", "apt"), [(1000, 0), (0, None), (0, 100)])
def test_the_tests_run_without_a_browser_where_none_can_be_installed(tmp_path: Path, uid: int, apt: int | None) -> None:
    *_, sentence, last = ran(tmp_path, uid=uid, apt=apt).splitlines()
    assert "browser tests are named as skipped" in sentence
    assert last == "make test"


@pytest.mark.parametrize("browser", PROGRAMS)
def test_nothing_is_installed_where_a_browser_is(tmp_path: Path, browser: str) -> None:
    assert ran(tmp_path, uid=0, apt=0, browser=browser).splitlines() == ["make test"]


def test_the_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert RUN.rstrip().endswith("make test")
