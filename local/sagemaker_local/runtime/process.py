"""Run one program in a process group of its own: log file, exit code, time limit, stop, and no orphan."""

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sagemaker_local.runtime import forwarding, guard, namespaces
from sagemaker_local.runtime.lines import Lines, tail
from sagemaker_local.runtime.ports import LOOPBACK

TRAINING_GRACE = 120.0
"""Seconds between SIGTERM and SIGKILL of a job (developer guide, "Run training with your own container")."""
SERVING_GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL of a model server (developer guide, "Custom inference code")."""
_TICK = 0.05
_ENDING_SECONDS = 5.0  # that the kernel may take to end what is left of a namespace
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


_HINTS: Mapping[int | None, str] = {
    errno.ENOEXEC: ": its first line has to name its interpreter, as #!/usr/bin/env python3 does",
    errno.ENOENT: ": there is no such program, or its first line names an interpreter that is not there",
    errno.EACCES: ": it has to be executable (chmod +x)",
}


class ProgramStartError(Exception):
    """A program could not be started at all."""

    def __init__(self, command: Sequence[str], error: OSError | namespaces.NamespaceError) -> None:
        problem = (error.strerror if isinstance(error, OSError) else None) or str(error)
        super().__init__(f"cannot start {command[0]!r}: {problem}{_HINTS.get(getattr(error, 'errno', None), '')}")


class Program:
    """A running program that leads a process group; everything it started is gone once `finish` returns.

    In a box, which has a process namespace of its own, that holds for what has left the group as well.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        box: namespaces.Box | None = None,
    ) -> None:
        """Start `command` in `folder`, which is one inside of its box, if it has one; its output goes to `log`.

        Raises:
            ProgramStartError: there is no such program, or it may not be executed.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self._channel: socket.socket | None = None
        self._forwarding: forwarding.Forwarding | None = None
        self._asking = threading.Lock()
        self._box = box
        with log.open("ab") as output:
            try:
                if box is None:
                    self._process = _plainly(command, environment, folder, output.fileno())
                else:
                    self._process = self._boxed(box, command, environment, folder, output.fileno())
            except (OSError, namespaces.NamespaceError) as error:
                raise ProgramStartError(command, error) from error
        self._finishing = threading.Lock()
        self._finished = False
        guard.watch(self._process.pid)

    def _boxed(
        self, box: namespaces.Box, command: Sequence[str], environment: Mapping[str, str], folder: Path, output: int
    ) -> "subprocess.Popen[bytes]":
        boxed = namespaces.start(box, command, environment, str(folder), output)
        self._channel = boxed.channel
        if boxed.listener is not None and box.forward is not None:
            self._forwarding = forwarding.Forwarding(boxed.listener, box.forward.outside)
        return boxed.process

    def connect(self, port: int, timeout: float) -> socket.socket:
        """Return a connection to a port of 127.0.0.1 as the program sees it, where it has a network of its own.

        Raises:
            OSError: nobody listens there, or the program has ended.
        """
        if self._channel is None:
            return socket.create_connection((LOOPBACK, port), timeout)
        with self._asking:
            connection = namespaces.fresh_socket(self._channel)
        try:
            connection.settimeout(timeout)
            connection.connect((LOOPBACK, port))
        except OSError:
            connection.close()
            raise
        return connection

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
                self._end_box()
                self._signal(signal.SIGKILL)
                self._process.wait()
                guard.forget(self.group)
                self._finished = True
                if self._box is not None:
                    shutil.rmtree(self._box.root, ignore_errors=True)
        code = self._process.returncode
        return code if code >= 0 else _SIGNALLED - code

    def _end_box(self) -> None:
        """Have everything in the program's namespace killed, and wait for it: its launcher ends when all of it has."""
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDING_SECONDS)
            self._channel.close()
        if self._forwarding is not None:
            self._forwarding.close()

    def listens_on(self) -> list[str]:
        """Return where the program listens in a network of its own; nothing where it has none."""
        if self._box is None or not self._box.alone:
            return []
        own = f"{LOOPBACK}:{self._box.forward.inside}" if self._box.forward else ""
        return [address for address in namespaces.listening(self.group) if address != own]

    def _signal(self, number: signal.Signals) -> None:
        # The leader may be gone while its children are not: the group exists until the last of them ends.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)


def _plainly(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, output: int
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )


class _Listener:
    """Hands each line of a log to a callback, once."""

    def __init__(self, log: Path, on_line: Callable[[str], None] | None) -> None:
        self._lines = Lines(log)
        self._on_line = on_line

    def hear(self, *, last: bool = False) -> None:
        """Pass on some of the lines written since the last call; with `last`, all of them."""
        if self._on_line is not None:
            for line in self._lines.all() if last else self._lines.more():
                self._on_line(line)


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    stop: threading.Event,
    box: namespaces.Box | None = None,
    limit: float | None = None,
    grace: float = TRAINING_GRACE,
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end, until `stop` is set or for at most `limit` seconds.

    Raises:
        ProgramStartError: the program could not be started.
    """
    program = Program(command, environment=environment, folder=folder, log=log, box=box)
    listener = _Listener(log, on_line)
    deadline = None if limit is None else time.monotonic() + limit
    end = End.EXITED
    try:
        while program.running():
            listener.hear()
            if stop.is_set() or (deadline is not None and time.monotonic() >= deadline):
                end = End.STOPPED if stop.is_set() else End.TIMED_OUT
                program.terminate(grace)
                break
            _wait(program, stop)
    finally:
        code = program.finish()
    listener.hear(last=True)
    return Result(end, code, log)


def _wait(program: Program, stop: threading.Event) -> None:
    # `stop` wakes this up at once; the end of the program is noticed within one tick.
    if program.running():
        stop.wait(_TICK)
