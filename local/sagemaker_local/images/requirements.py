"""The Python of an image: one that an own image's folder brings, or one with what a requirements.txt names.

The file lies in an own image's folder, or in the user's code for a built-in one, on top of which AWS's toolkits install
it (github.com/aws/sagemaker-training-toolkit and sagemaker-inference-toolkit). What the cloud's own Python has already
is not installed again. Everything else gets a virtual environment, made once for each content of the file and kept in
the person's cache; after that nothing needs an index.
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
import sysconfig
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_local.images.catalog import Image

INSTALL_SECONDS = 900
_PINNED = re.compile(r"([\w.-]+)\s*(?:==\s*([\w.!+-]+))?")
_READY = "ready"
_SHOWN_LINES = 5


def with_python(image: Image, code: Sequence[Path] = (), kept_in: Path | None = None) -> Image:
    """Return an image with the Python that it is to run with.

    Args:
        image: The image.
        code: Folders of the user's code; the first with a requirements.txt counts, for a built-in image.
        kept_in: Where environments are kept.

    Raises:
        ContainerError: what is required could not be installed.
    """
    if image.folder is not None and (image.folder / "bin" / "python3").exists():
        return replace(image, brings_python=True)
    users = next((path for folder in code if (path := folder / "requirements.txt").is_file()), None)
    wanted = users if image.folder is None else image.requirements
    if wanted is None or _satisfied(wanted.read_text(errors="replace")):
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
                _make(folder, wanted, on_top=image.folder is None)
                (folder / _READY).touch()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ContainerError(f"ClientError: {_not_installed(image)}: {error}") from error
    except subprocess.CalledProcessError as error:
        end = " ".join(error.stdout.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:])
        raise ContainerError(f"ClientError: {_not_installed(image)}: {end}") from error
    return folder


def _make(folder: Path, wanted: Path, *, on_top: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], wanted.parent)
    if on_top:  # of what the image has, which is what this Python has
        here, there = (sysconfig.get_path("purelib", vars={"base": str(base)}) for base in (sys.prefix, folder))
        (Path(there) / "image.pth").write_text(f"{here}\n")
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
    return f"what the requirements.txt for image {image.name!r} names could not be installed with pip"
