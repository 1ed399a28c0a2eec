"""Environments on a volume: real virtualenvs, folders as conda leaves them, and a program that stands for conda."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

SCRIPT = "recreate-environments.sh"
_CONDA = """#!/bin/bash
# Takes the words that conda takes, makes a virtualenv without pip, and keeps the file that it was given.
[ "$1" != --version ] || exit 0
[ "$1 $2 $3 $4 $6" = "env create --quiet --prefix --file" ] && [ ! -e "$5" ] || exit 2
cp "$7" "{asked}" && ! grep -q missing "$7" && "{python}" -m venv --without-pip "$5"
mkdir "$5/conda-meta"
"""
_PYTHON = """#!/bin/bash
# A Python whose virtualenvs have no pip, which takes a tenth of the time.
[ "$1 $2" != "-m venv" ] || exec "{python}" "$@" --without-pip
exec "{python}" "$@"
"""
_KERNEL = (
    "import pathlib, sys\npathlib.Path.home().joinpath('kernels').open('a').write(' '.join(sys.argv[1:]) + '\\n')\n"
)


def wheels(folder: Path) -> Path:
    """Make a folder of wheels that pip installs from without a network: a stand-in for ipykernel, and another."""
    folder.mkdir()
    for name, version, content in (("ipykernel", "6.29.5", _KERNEL), ("plain", "1.2", "")):
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            about = f"{name}-{version}.dist-info"
            wheel.writestr(f"{name}/__init__.py", "")
            wheel.writestr(f"{name}/__main__.py", content)
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


def programs(folder: Path, asked: Path) -> Path:
    """Make a folder with a `conda` that keeps the file that it was given in `asked`, and Pythons without pip."""
    folder.mkdir()
    versioned = f"python3.{sys.version_info.minor}"
    for name, program in {"conda": _CONDA, "python3": _PYTHON, versioned: _PYTHON}.items():
        (folder / name).write_text(program.format(python=sys.executable, asked=asked))
        (folder / name).chmod(0o755)
    return folder


def run(home: Path, *path: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the script of a home folder as a person does in a terminal; `path` is searched for programs first."""
    given = {
        "PATH": os.pathsep.join([*map(str, path), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home.parent),
        "PIP_NO_INDEX": "1",
        **more,
    }
    return subprocess.run(
        ["bash", str(home / SCRIPT)],
        env=given,
        cwd="/",
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=120,
    )


def virtualenv(place: Path) -> Path:
    """Make a virtualenv without pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    return place


def broken(place: Path) -> Path:
    """Take an environment's Python away, as a platform does that has another one."""
    for python in (place / "bin").glob("python*"):
        python.unlink()
        python.symlink_to("/nowhere/python")
    return place


def described_as(place: Path, name: str, version: str, direct_url: object = None) -> Path:
    """Add a package to an environment as pip describes it; return the folder of its description."""
    site = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    about = site / f"{name}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: no\n")
    (about / "INSTALLER").write_text("pip\n")
    if direct_url is not None:
        (about / "direct_url.json").write_text(json.dumps(direct_url))
    return about


def conda(place: Path, **packages: Mapping[str, object]) -> Path:
    """Make a folder as conda leaves it, whose Python does not start, with records of packages."""
    (place / "conda-meta").mkdir(parents=True)
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to("/nowhere/python")
    for name, given in packages.items():
        record = {"name": name, "build": "h1_0", **given}
        (place / "conda-meta" / f"{name}.json").write_text(json.dumps(record))
    return place
