"""Runs the phases of a buildspec in one shell: `python -I -S agent.py <folder>`, with `plan.json` in that folder.

It runs in a build's own world, so it needs the standard library alone. Version 0.2 runs all commands in one instance of
the shell (CodeBuild User Guide, "Buildspec versions"); a command that ends that shell fails, and another shell goes on
with the variables and in the folder that the one before had. What happens goes to the file `events`, a JSON document a
line; what commands print, to standard output.
"""

import json
import os
import select
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TICK = 0.05
_DRIVER = """
trap '_cb=$?; export -p > "{state}/variables"; pwd > "{state}/directory"; echo "$_cb" > "{state}/answers"' EXIT
while IFS= read -r _cb_script; do . "$_cb_script" </dev/null; echo "$?" > "{state}/answers"; done
trap - EXIT
"""


class Shell:
    """One shell that runs scripts, one after another, until it ends."""

    def __init__(self, name: str, state: Path, first: str) -> None:
        self._state = state
        answers = state / "answers"
        answers.unlink(missing_ok=True)
        os.mkfifo(answers)
        # Opened to write as well, it never comes to an end.
        self._answers = os.open(answers, os.O_RDWR | os.O_NONBLOCK)
        driver = state / "driver.sh"
        driver.write_text(first + _DRIVER.format(state=state))
        self._process = subprocess.Popen([name, str(driver)], stdin=subprocess.PIPE)

    def run(self, script: str) -> tuple[int, bool]:
        """Run a script; return its exit status, and whether the shell is still there."""
        path = self._state / "script.sh"
        path.write_text(f"{script}\n")
        stdin = self._process.stdin
        if stdin is not None:  # it is always there: opened with PIPE
            stdin.write(f"{path}\n".encode())
            stdin.flush()
        while not select.select([self._answers], [], [], _TICK)[0]:
            if self._process.poll() is not None and not select.select([self._answers], [], [], 0)[0]:
                return _status(self._process.returncode), False
        status = int(os.read(self._answers, 64).split()[0])
        return status, not self._gone()

    def _gone(self) -> bool:
        """Tell whether the answer was the last one: then the folder where the shell was is written down."""
        return (self._state / "directory").exists()

    def close(self) -> None:
        """End the shell and collect it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        os.close(self._answers)


def _status(code: int) -> int:
    return code if code >= 0 else 128 - code


class Agent:
    """Runs the phases of one plan."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._plan: dict[str, Any] = json.loads((state / "plan.json").read_text())
        self._events = (state / "events").open("a", buffering=1)
        self._shell: Shell | None = None
        self._succeeding = True

    def run(self) -> None:
        """Run every phase that is to run, then tell the variables that are exported."""
        os.chdir(self._plan["directory"])
        for phase in self._plan["phases"]:
            if not self._phase(phase):
                break
        self._tell(exported=self._exported())

    def _phase(self, phase: dict[str, Any]) -> bool:
        """Run a phase; return whether the next one follows."""
        name = phase["name"]
        self._say(f"Entering phase {name}")
        self._tell(begins=name)
        self._execute(f"export CODEBUILD_BUILD_SUCCEEDING={int(self._succeeding)}")
        failed = self._commands(phase["commands"])
        last = self._commands(phase["finally"]) if phase["finally"] else None
        failed = failed or last
        status = "FAILED" if failed else "SUCCEEDED"
        code = "COMMAND_EXECUTION_ERROR" if failed else ""
        message = f"Error while executing command: {failed[0]}. Reason: exit status {failed[1]}" if failed else ""
        self._say(f"Phase complete: {name} State: {status}")
        self._say(f"Phase context status code: {code} Message: {message}")
        self._tell(ends=name, status=status, code=code, message=message)
        if failed is None:
            return True
        self._succeeding = False
        # The build goes on after BUILD (User Guide, "Build phase transitions"), unless it is told otherwise.
        wanted = str(phase["on_failure"])
        return wanted == "CONTINUE" or (name == "BUILD" and wanted != "ABORT")

    def _commands(self, commands: list[str]) -> tuple[str, int] | None:
        """Run commands up to the first that fails; return that one and its exit status."""
        for command in commands:
            self._say(f"Running command {command}")
            status = self._execute(command)
            if status:
                self._say(f"Command did not exit successfully {command} exit status {status}")
                return command, status
        return None

    def _execute(self, script: str) -> int:
        if self._shell is None:
            self._shell = Shell(self._plan["shell"], self._state, self._earlier())
        status, there = self._shell.run(script)
        if not there:
            self._shell.close()
            self._shell = None
        return status

    def _earlier(self) -> str:
        """Return what a shell begins with that follows one which has ended."""
        directory = self._state / "directory"
        if not directory.exists():
            return ""
        where = directory.read_text().rstrip("\n")
        directory.unlink()
        quoted = "'" + where.replace("'", "'\\''") + "'"
        return f'. "{self._state}/variables" 2>/dev/null\ncd {quoted}\n'

    def _exported(self) -> dict[str, str]:
        found = {}
        for name in self._plan["exported"]:
            value = self._state / "value"
            value.unlink(missing_ok=True)
            self._execute(f'printf %s "${{{name}-}}" > "{value}"')
            found[name] = value.read_text(errors="replace") if value.exists() else ""
        return found

    def _tell(self, **event: Any) -> None:
        self._events.write(f"{json.dumps(event)}\n")

    @staticmethod
    def _say(text: str) -> None:
        sys.stdout.write(f"[Container] {datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f} {text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Agent(Path(sys.argv[1])).run()
