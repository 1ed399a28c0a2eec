"""What `make` needs and does not find, it says in a sentence, before it makes anything."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.documents import ROOT

NODE = "tests/gates/node/node_modules/ready"
_NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a space in its name that has what the first rules of the Makefile read, and nothing else."""
    made = tmp_path / "a b"
    (made / "tests/gates/node").mkdir(parents=True)
    for name in ("Makefile", "uv.lock", "pyproject.toml", "tests/gates/node/package-lock.json"):
        shutil.copy(ROOT / name, made / name)
    return made


def program(folder: Path, name: str, *lines: str) -> Path:
    """Write a program into a folder of its own."""
    file = folder / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)
    return file


def make(folder: Path, *words: str, path: str = "/usr/bin:/bin", user: int | None = None) -> str:
    """Run `make`, which has to stop; return what it says."""
    done = subprocess.run(
        ["make", *words], cwd=folder, env={"PATH": path}, user=user, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (folder / ".venv").exists()
    return done.stdout


def test_without_python_it_says_which_it_needs(folder: Path) -> None:
    assert "needs Python 3.13: install it, or name yours" in make(folder, "demo", "PYTHON=no-such-python")


def test_another_version_of_python_is_named(folder: Path, tmp_path: Path) -> None:
    older = program(tmp_path, "python3.12", 'test "$1" = --version && echo "Python 3.12.9" && exit 0', "exit 1")
    said = make(folder, "demo", f"PYTHON={older}")
    assert f"needs Python 3.13, and {older} is Python 3.12.9" in said


def test_another_version_of_node_is_named(folder: Path, tmp_path: Path) -> None:
    program(tmp_path, "npm")
    node = program(tmp_path, "node", 'test "$1" = --version && echo v18.2.0 && exit 0', "exit 1")
    assert "Node 20 or later, and this is v18.2.0" in make(folder, NODE, path=f"{node.parent}:/usr/bin:/bin")


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node is installed here")
def test_a_node_that_is_new_enough_is_taken(folder: Path, tmp_path: Path) -> None:
    npm = program(tmp_path, "npm", 'echo "npm was asked to $1"', "exit 1")
    said = make(folder, NODE, path=f"{npm.parent}:{Path(str(shutil.which('node'))).parent}:/usr/bin:/bin")
    assert "npm was asked to ci" in said
    assert "needs Node" not in said


def test_without_node_it_says_which_it_needs(folder: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "test", "echo"):
        (tools / name).symlink_to(str(shutil.which(name)))
    assert "needs Node 20 or later with npm" in make(folder, NODE, path=str(tools))


@pytest.mark.parametrize("target", ["demo", "up", "check", NODE])
def test_without_the_right_to_write_it_says_so(folder: Path, target: str) -> None:
    for place in (folder, *folder.parents[:3]):
        place.chmod(0o755)  # pytest's folders are their owner's alone
    folder.chmod(0o555)
    said = make(folder, target, user=_NOBODY if os.geteuid() == 0 else None)
    folder.chmod(0o755)
    assert f"may not write into {folder}" in said


def test_the_list_of_targets_has_each_with_what_it_does(folder: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=folder, capture_output=True, text=True, check=True)
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert {"demo", "up", "env", "test", "clean"} <= set(lines)
    assert lines["check"] == "Format, lint, types"


def test_a_folder_with_a_space_in_its_name_reaches_the_tests_whole(folder: Path) -> None:
    done = subprocess.run(["make", "-n", "unit"], cwd=folder, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if "tests/unit" in line)
    given = dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)

    # pip takes a list with spaces between, so it is given an address.
    assert given["PIP_FIND_LINKS"] == (folder.resolve() / ".cache/wheels").as_uri()
    assert given["PATH"].startswith(f"{folder.resolve()}/.venv/bin:")
    assert given["PYTHONPATH"].split(":")[0] == str(folder.resolve())


def test_the_rules_use_no_option_that_only_gnu_programs_have() -> None:
    text = "\n".join((ROOT / name).read_text() for name in ("Makefile", "layers/signalbox/Makefile", ".ci/run"))
    # `sed` reads its own script differently on each system; the others have options of one system only.
    assert re.findall(r"\b(?:sed|realpath|grep -P|readlink -f|stat -c|date -d|xargs -r|sort -V) .*", text) == []
