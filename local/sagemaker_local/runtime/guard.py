"""The guard: one small process that outlives the cloud by a moment and kills the programs it left behind.

The cloud writes the id of each process group that it starts (`+1234`) and that has ended (`-1234`) to the guard's
standard input. However the cloud dies, SIGKILL included, the pipe closes; the guard then kills the groups that are left
and ends. Unlike Linux's parent-death signal this reaches grandchildren, works on macOS, and does not depend on which
thread of the cloud started the program.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import BinaryIO, NamedTuple, TextIO

_lock = threading.Lock()
_groups: set[int] = set()
_state: dict[str, "_Guard"] = {}


class _Guard(NamedTuple):
    process: subprocess.Popen[bytes]
    list: BinaryIO


def watch(group: int) -> None:
    """Have the process group killed if this process dies before `forget` is called."""
    with _lock:
        _groups.add(group)
        _send(f"+{group}\n")


def forget(group: int) -> None:
    """Take a process group that has ended off the guard's list."""
    with _lock:
        _groups.discard(group)
        _send(f"-{group}\n")


def _send(line: str) -> None:
    guard = _state.get("guard")
    if guard is not None and guard.process.poll() is None:
        with contextlib.suppress(BrokenPipeError):  # it was killed a moment ago
            guard.list.write(line.encode())
            return
    _start()


def _start() -> None:
    """Start a guard that has the whole list before it runs: one that was killed took its own with it."""
    reads, writes = os.pipe()
    os.write(writes, "".join(f"+{group}\n" for group in _groups).encode())
    # -I -S: nothing but the standard library, up in about 10 ms. A session of its own: Ctrl-C is not for it.
    command = [sys.executable, "-I", "-S", __file__]
    process = subprocess.Popen(command, stdin=reads, start_new_session=True)
    os.close(reads)
    if "guard" not in _state:
        atexit.register(_dismiss)
    _state["guard"] = guard = _Guard(process, os.fdopen(writes, "wb", buffering=0))
    threading.Thread(target=_replace, args=(guard,), daemon=True).start()


def _replace(guard: _Guard) -> None:
    """Start another guard as soon as this one was killed: it may be needed before the next program starts."""
    guard.process.wait()
    with _lock:
        if _state.get("guard") is guard:
            _send("")


def _dismiss() -> None:
    """Close the pipe at a regular end and collect the guard, so that not even a zombie is left."""
    with _lock, contextlib.suppress(OSError, subprocess.TimeoutExpired):
        guard = _state.pop("guard")
        guard.list.close()
        guard.process.wait(5)


def keep(lines: TextIO) -> None:
    """Follow the list until the pipe closes, then kill every group that is still on it."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    keep(sys.stdin)
