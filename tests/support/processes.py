"""Which processes a program has left behind: found by a mark in their environment, or by the folder they work in."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

MARK = "SIGNALBOX_TEST_MARK"
_PATIENCE = 10.0


def running(mark: str, folder: Path) -> set[str]:
    """Return `<pid> <command line>` of each process with the mark, or with `folder` as or above its working folder.

    A child that was given an environment of its own is known by the folder, or by the folder in its command line. Where
    there is no `/proc`, by its command line alone.
    """
    listed = subprocess.run(["ps", "-axo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = set()
    for line in listed.splitlines():
        pid, state, arguments = line.split(maxsplit=2)
        ours = str(folder) in arguments or _marked(int(pid), mark) or _works_in(int(pid), folder)
        if ours and int(pid) != os.getpid() and not state.startswith("Z"):
            found.add(f"{pid} {arguments}")
    return found


def left_behind(before: set[str], mark: str, folder: Path) -> set[str]:
    """Return the processes that were not there before, after a moment in which the last ones may end."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if not running(mark, folder) - before:
            return set()
        time.sleep(0.2)
    return running(mark, folder) - before


def _marked(pid: int, mark: str) -> bool:
    with contextlib.suppress(OSError):
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _works_in(pid: int, folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder)
    return False
