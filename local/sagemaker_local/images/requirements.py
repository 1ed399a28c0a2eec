"""The Python of an own image: one that its folder brings, or one with what its requirements.txt names.

What the cloud's own Python has already is not installed again. Everything else gets a virtual environment, made once
for each content of the file and kept in the person's cache; after that nothing needs an index.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from sagemaker_local.images.catalog import Image

INSTALL_SECONDS = 900
_PINNED = re.compile(r"([\w.-]+)\s*(?:==\s*([\w.!+-]+))?")
_READY = "ready"
_SHOWN_LINES = 5


def with_python(image: Image, kept_in: Path | None = None) -> Image:
    """Return an image with the Python that its folder asks for; `kept_in` is where environments are kept.

    Raises:
        ContainerError: what it requires could not be installed.
    """
    if image.folder is None:
        return image
    if (image.folder / "bin" / "python3").exists():
        return replace(image, brings_python=True)
    wanted = image.folder / "requirements.txt"
    if not wanted.is_file() or _satisfied(wanted.read_text(errors="replace")):
        return image
    return replace(image, python=str(_environment(image, wanted, kept_in or _person_cache()) / "bin" / "python3"))


def _person_cache() -> Path:
    # HOME is the cloud's own folder.
    return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "sagemaker_local"


@cache
def _satisfied(text: str) -> bool:
    """Return whether this Python has every package of a requirements file, as far as that is plain to see."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return all(_has(line) for line in lines if line)


def _has(line: str) -> bool:
    match = _PINNED.fullmatch(line)
    try:
        return match is not None and (match[2] or version(match[1])) == version(match[1])
    except PackageNotFoundError:
        return False


def _environment(image: Image, wanted: Path, kept_in: Path) -> Path:
    key = f"{platform.python_version()} {platform.machine()} {sys.prefix}\n{wanted.read_text(errors='replace')}"
    folder = kept_in / f"{image.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
        # Several jobs, and several clouds, may want the same one at the same time.
        with (kept_in / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / _READY).exists():
                _make(folder, wanted)
                (folder / _READY).touch()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ContainerError(f"ClientError: {_not_installed(image)}: {error}") from error
    except subprocess.CalledProcessError as error:
        end = " ".join(error.stdout.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:])
        raise ContainerError(f"ClientError: {_not_installed(image)}: {end}") from error
    return folder


def _make(folder: Path, wanted: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], wanted.parent)
    pip = [str(folder / "bin" / "python3"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--quiet", "--requirement", str(wanted)], wanted.parent)


def _run(command: list[str], folder: Path) -> None:
    home = pwd.getpwuid(os.getuid()).pw_dir  # where pip finds the index that the person has set
    subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=INSTALL_SECONDS,
        check=True,
    )


def _not_installed(image: Image) -> str:
    return f"what requirements.txt of image {image.name!r} names could not be installed with pip"
