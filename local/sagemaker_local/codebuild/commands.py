"""The commands of a build as a process: what the agent is told, and what it tells."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.codebuild.buildspec import PHASES, Buildspec, Phase
from sagemaker_local.codebuild.errors import PhaseError
from sagemaker_local.codebuild.git import credential_helper
from sagemaker_local.codebuild.place import Place
from sagemaker_local.runtime.process import Program, ProgramStartError

GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL of a build that is ended."""
_TICK = 0.1


@dataclass
class Commands:
    """The phases of a buildspec, to be run in a place. `role` has the variables by which programs act as the role."""

    place: Place
    spec: Buildspec
    role: Mapping[str, str]
    variables: Mapping[str, str]
    _heard: int = 0

    def run(self, stop: threading.Event, check: Callable[[], None], hear: Callable[[Mapping[str, Any]], None]) -> None:
        """Run all phases that are to run; `check` raises when the build has to end, `hear` is told what happens.

        Raises:
            PhaseError: the process could not be started.
        """
        (self.place.state / "plan.json").write_text(json.dumps(self._plan()))
        try:
            program = Program(environment=self.environment(), **self.place.program())
        except ProgramStartError as error:
            raise PhaseError("BUILD_CONTAINER_UNABLE_TO_START", str(error)) from error
        running = True
        try:
            while running:
                running = program.running()
                for event in self._events():
                    hear(event)
                check()
                stop.wait(_TICK if running else 0)
        except BaseException:
            program.terminate(GRACE)
            raise
        finally:
            program.finish()

    def environment(self) -> dict[str, str]:
        """Return all variables of the build; nobody's come over those of the role."""
        helper = credential_helper(self.role, self.place.python) if self.spec.git_credentials else {}
        return {**self.place.environment(), **helper, **self.variables, **self.role}

    def _plan(self) -> dict[str, Any]:
        phases = [(name, self.spec.phases.get(name, Phase())) for name in PHASES]
        return {
            "directory": self.place.seen(self.place.source()),
            "shell": self.spec.shell,
            "exported": self.spec.exported,
            "phases": [
                {"name": name.upper(), "commands": one.commands, "finally": one.finally_, "on_failure": one.on_failure}
                for name, one in phases
            ],
        }

    def _events(self) -> Iterator[dict[str, Any]]:
        """Yield what the agent has told since the last time."""
        path = self.place.state / "events"
        if not path.is_file():
            return
        with path.open("rb") as stream:
            stream.seek(self._heard)
            while (line := stream.readline()).endswith(b"\n"):
                self._heard = stream.tell()
                with contextlib.suppress(ValueError):
                    yield json.loads(line)
