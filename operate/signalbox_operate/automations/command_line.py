"""The command line that builds run: this one, as it is here, with the versions of the libraries that it has here."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import signalbox
import signalbox_features
import signalbox_operate
import signalbox_snapshot
from signalbox_operate.automations import archives
from signalbox_operate.stack import OperateError

DISTRIBUTION = "signalbox"
PROGRAM = "bin/signalbox"
REQUIREMENTS = "requirements.txt"
_PACKAGES = (signalbox, signalbox_features, signalbox_operate, signalbox_snapshot)
_REQUIRED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*[^;]*(;(?P<marker>.*))?")
_STARTS = '''\
#!/usr/bin/env python3
"""Run the command line beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from signalbox_operate.cli import app

app(prog_name="signalbox")
'''


@dataclass(frozen=True)
class CommandLine:
    """A zip, and its key in the artifacts bucket: another content, another key."""

    key: str
    content: bytes


def make() -> CommandLine:
    """Return the command line of this process as a zip.

    Raises:
        OperateError: a library that it needs is not installed as such, so its version is not known.
    """
    files = dict(_files())
    files[PROGRAM] = _STARTS.encode()
    files[REQUIREMENTS] = "".join(f"{line}\n" for line in requirements()).encode()
    named = f"{signalbox_operate.__version__}-{archives.digest(files, [PROGRAM])}"
    return CommandLine(f"command-line/{named}.zip", archives.pack(files, [PROGRAM]))


def _files() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the packages, without what Python makes of them."""
    for package in _PACKAGES:
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def requirements() -> list[str]:
    """Return the libraries that the command line needs, those that these need too, each with its version here.

    Raises:
        OperateError: one is not installed as such.
    """
    found: dict[str, str] = {}
    waiting = [(name, "") for name in _named(_needed())]
    while waiting:
        name, by = waiting.pop()
        if name in found:
            continue
        try:
            known = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            if by:  # for another platform, or an older Python
                continue
            raise OperateError(
                f"the version of {name} that runs here is not known, since it is not installed as a library: install "
                "the command line with `uv tool install ./operate`, or `make install`, and run it from there"
            ) from error
        found[name] = known.version
        waiting += [(further, name) for further in _named(known.requires or [])]
    return [f"{name}=={found[name]}" for name in sorted(found)]


def _needed() -> list[str]:
    """Return what the command line itself needs: from its project file in a clone, else from what is installed."""
    written = Path(signalbox_operate.__file__).parents[1] / "pyproject.toml"
    if written.is_file():
        needed: list[str] = tomllib.loads(written.read_text(encoding="utf-8"))["project"]["dependencies"]
        return needed
    return importlib.metadata.requires(DISTRIBUTION) or []


def _named(requirements: list[str]) -> Iterator[str]:
    """Yield the names in requirements, but for those of extras."""
    for text in requirements:
        found = _REQUIRED.fullmatch(text.strip())
        if found and "extra" not in (found["marker"] or ""):
            yield re.sub(r"[-_.]+", "-", found["name"]).lower()
