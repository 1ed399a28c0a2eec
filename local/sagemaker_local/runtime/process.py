"""Run one program in a process group of its own: log file, exit code, time limit, stop, and no orphan."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sagemaker_local.runtime import guard

TRAINING_GRACE = 120.0
"""Seconds between SIGTERM and SIGKILL of a job (developer guide, "Run training with your own container")."""
SERVING_GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL of a model server (developer guide, "Custom inference code")."""
_TICK = 0.05
_SIGNALLED = 128  # what a shell and a container runtime add to the number of the signal that ended a program


class End(Enum):
    """Why a program ended."""

    EXITED = "exited"
    STOPPED = "stopped"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Result:
    """How a program ended: `exit_code` is 128 + n after signal n; `log` holds its standard output and error."""

    end: End
    exit_code: int
    log: Path

    def tail(self, lines: int = 10) -> str:
        """Return the last lines of the log."""
        return tail(self.log, lines)


class ProgramStartError(Exception):
    """A program could not be started at all."""

    def __init__(self, command: Sequence[str], error: OSError) -> None:
        super().__init__(f"cannot start {command[0]!r}: {error.strerror or error}")


class Program:
    """A running program that leads a process group; everything it started is gone once `finish` returns."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        """Start `command` in `folder`; its output goes to `log`.

        Raises:
            ProgramStartError: there is no such program, or it may not be executed.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    cwd=folder,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProgramStartError(command, error) from error
        self._finishing = threading.Lock()
        self._finished = False
        guard.watch(self._process.pid)

    @property
    def group(self) -> int:
        """The process group's id, which is the program's process id."""
        return self._process.pid

    def running(self) -> bool:
        """Return whether the program itself still runs."""
        return self._process.poll() is None

    def terminate(self, grace: float) -> None:
        """Send SIGTERM to the group, and SIGKILL if the program is still there after `grace` seconds."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.finish()

    def finish(self) -> int:
        """Kill whatever is left of the group, collect the program and return its exit code. May be called again."""
        with self._finishing:
            if not self._finished:
                self._signal(signal.SIGKILL)
                self._process.wait()
                guard.forget(self.group)
                self._finished = True
        code = self._process.returncode
        return code if code >= 0 else _SIGNALLED - code

    def _signal(self, number: signal.Signals) -> None:
        # The leader may be gone while its children are not: the group exists until the last of them ends.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)


class LogFollower:
    """Hand each whole line that is added to a log file to a callback, once."""

    def __init__(self, log: Path, on_line: Callable[[str], None] | None) -> None:
        self._log = log
        self._on_line = on_line
        self._read = 0
        self._rest = b""

    def follow(self, *, last: bool = False) -> None:
        """Pass on the lines written since the last call; with `last`, an unfinished line as well."""
        if self._on_line is None:
            return
        with self._log.open("rb") as stream:
            stream.seek(self._read)
            added = stream.read()
        self._read += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    stop: threading.Event,
    limit: float | None = None,
    grace: float = TRAINING_GRACE,
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end, until `stop` is set or for at most `limit` seconds.

    Raises:
        ProgramStartError: the program could not be started.
    """
    program = Program(command, environment=environment, folder=folder, log=log)
    follower = LogFollower(log, on_line)
    deadline = None if limit is None else time.monotonic() + limit
    end = End.EXITED
    try:
        while program.running():
            follower.follow()
            if stop.is_set() or (deadline is not None and time.monotonic() >= deadline):
                end = End.STOPPED if stop.is_set() else End.TIMED_OUT
                program.terminate(grace)
                break
            _wait(program, stop)
    finally:
        code = program.finish()
    follower.follow(last=True)
    return Result(end, code, log)


def _wait(program: Program, stop: threading.Event) -> None:
    # `stop` wakes this up at once; the end of the program is noticed within one tick.
    if program.running():
        stop.wait(_TICK)


def tail(log: Path, lines: int = 10) -> str:
    """Return the last `lines` lines of a log file; nothing if there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 64 * 1024))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
