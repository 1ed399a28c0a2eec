"""Stands for a machine that runs: `python -I -S agent.py <folder>`, with `plan.json` in that folder.

It runs the lifecycle scripts, one after the other, and then stays until it is killed: what a script has left behind
runs as long as it does. A script that is not through in its time is killed with its process group. What happens goes to
the file `events`, a JSON document a line. It needs the standard library alone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MARK = "NOTEBOOK_INSTANCE_START"
_ROUNDS, _PAUSE = 50, 0.05


def main(state: Path) -> None:
    """Run the scripts; stay where all of them succeed."""
    plan: dict[str, Any] = json.loads((state / "plan.json").read_text())
    environment = dict(os.environ)
    if plan["mark"]:
        environment[_MARK] = plan["mark"]
        _watch(plan["mark"], state / "swept")
    with (state / "events").open("a", buffering=1) as events:
        for script in plan["scripts"]:
            code = _run(script, plan, environment)
            events.write(f"{json.dumps({'ends': script['name'], 'code': code})}\n")
            if code != 0:
                return
        events.write(f"{json.dumps({'ready': True})}\n")
    while True:
        signal.pause()


def _run(script: dict[str, str], plan: dict[str, Any], environment: dict[str, str]) -> int | None:
    """Return the exit status of a script; None where its time was up. Scripts are called from bash, as on AWS."""
    user, group = plan["user"] or (None, None)
    command = ["bash", "-c", '"$0"', script["path"]]
    with Path(script["log"]).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
    try:
        code = process.wait(plan["limit"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    return code if code >= 0 else 128 - code


def _watch(mark: str, swept: Path) -> None:
    """Have another process wait for the end of this one, however it comes, and kill what the scripts have started.

    A process namespace does that better; this is for machines that give none.
    """
    reading, _held = os.pipe()  # the writing end is held until this process ends, and no script gets it
    if os.fork():
        os.close(reading)
        return
    os.setsid()
    os.close(_held)
    os.read(reading, 1)
    for _ in range(_ROUNDS):
        if not _kill(mark):
            break
        time.sleep(_PAUSE)
    swept.touch()
    os._exit(0)


def _kill(mark: str) -> bool:
    """Kill every process with the mark in its environment; tell whether there was one."""
    found = list(_marked(f"{_MARK}={mark}"))
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)


def _marked(text: str) -> Iterator[int]:
    if sys.platform == "linux":
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and text.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
        return
    listed = subprocess.run(["ps", "-axEww", "-o", "pid=,command="], capture_output=True, check=False).stdout
    yield from (int(line.split()[0]) for line in listed.splitlines() if text.encode() in line.split())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
