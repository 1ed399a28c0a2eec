"""What a container's folder has to have before anything of it can run: two programs that can be executed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from signalbox_operate.containers.model import Step
from signalbox_operate.stack import OperateError

PROGRAMS = ("train", "serve")
_LINE = 256  # what the kernel reads of a first line
_SHELL = re.compile(r"#!\s*\S*/(env\s+)?(ba|da|z|k)?sh\b")
# What lets a shell pass SIGTERM on: it gives way to the server, or it takes the signal itself.
_PASSES_ON = re.compile(r"^\s*(exec|trap)\s", re.MULTILINE)


def folder_of(given: Path) -> Path:
    """Return the folder with a container's programs: the one that is given, or the only one of that kind in it.

    Raises:
        OperateError: there is none, or there are several.
    """
    if any((given / name).is_file() for name in PROGRAMS):
        return given
    found = sorted(
        {path.parent for name in PROGRAMS for path in (*given.glob(f"*/{name}"), *given.glob(f"*/*/{name}"))}
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise OperateError(f"{given} has several containers, {', '.join(map(str, found))}: name one of them")
    raise OperateError(f"{given} has no programs train and serve: name the folder of a container")


def check(folder: Path) -> Iterator[Step]:
    """Yield what keeps each program from being executed, or from ending."""
    for name in PROGRAMS:
        told = _problem(folder / name)
        yield Step(f"program {name}", "refused" if told else "ok", told)
    serve = folder / "serve"
    if serve.is_file() and _shell_keeps_signals(serve):
        told = (
            "it is a shell script, and as a container's first process a shell passes no SIGTERM on: the server that it "
            "starts is killed after 30 seconds, with the requests in work; start the server by exec"
        )
        yield Step("program serve", "warned", told)


def _problem(program: Path) -> str:
    """Return why a program cannot be executed, "" where it can."""
    if not program.is_file():
        return f"there is no {program.name} in {program.parent}: SageMaker runs docker run <image> {program.name}"
    with program.open("rb") as stream:
        start = stream.read(_LINE)
    first, newline, _ = start.partition(b"\n")
    problems = (
        (first.endswith(b"\r"), "its first line ends with a carriage return: save it with Unix line ends"),
        (start.startswith(b"\xef\xbb\xbf"), "it begins with a byte order mark: save it as UTF-8 without one"),
        (
            not start.startswith((b"#!", b"\x7fELF")),
            "its first line has to name its interpreter, as #!/usr/bin/env python3 does",
        ),
        (
            start.startswith(b"#!") and not newline and len(start) == _LINE,
            f"its first line is longer than the {_LINE} characters that are read of it",
        ),
        (not os.access(program, os.X_OK), f"it is not executable: run chmod +x {program}"),
    )
    return next((told for wrong, told in problems if wrong), "")


def _shell_keeps_signals(program: Path) -> bool:
    text = program.read_text(encoding="utf-8", errors="replace")
    return bool(_SHELL.match(text)) and not _PASSES_ON.search(text)
