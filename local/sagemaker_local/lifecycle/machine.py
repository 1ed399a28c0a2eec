"""One start of a machine: its processes, its role's credentials, and what its lifecycle scripts print."""

import contextlib
import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.lifecycle.credentials import PageServer, RoleCredentials
from sagemaker_local.lifecycle.places import MachinePlace
from sagemaker_local.runtime.lines import tail
from sagemaker_local.runtime.process import Program, ProgramStartError

SESSION = "SageMaker"
"""The name of a machine's session of its role."""
_TICK = 0.05
_SWEEPING_SECONDS = 5.0


class Closing(Protocol):
    """What is closed at its end."""

    def close(self) -> None:
        """Close it; everything is passed on by then."""


type Follow = Callable[[str, str, Path], Closing]
"""Has a file followed into the log stream of a name, as a role: called with role, stream and file."""


@dataclass(frozen=True)
class LifecycleScript:
    """A script of a lifecycle configuration.

    Attributes:
        hook: OnCreate or OnStart.
        content: its bytes.
        config: the ARN of the configuration.
        stream: the log stream that what it prints goes to.
    """

    hook: str
    content: bytes
    config: str
    stream: str


@dataclass
class Machine(ABC):
    """A machine that runs, from its start until it is closed. `record` is its resource's at the start."""

    cloud: Cloud
    record: Mapping[str, Any]
    role: str
    place: MachinePlace
    follow: Follow
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _program: Program | None = None
    _heard: int = 0

    @abstractmethod
    def metadata(self) -> dict[str, str]:
        """Return what resource-metadata.json says."""

    @abstractmethod
    def credentials_service(self, credentials: RoleCredentials) -> tuple[PageServer, dict[str, str]]:
        """Return what answers with the role's credentials, and the variables by which programs find it."""

    @abstractmethod
    def failure(self, script: LifecycleScript, code: int | None) -> str:
        """Return the reason of a script that ended with `code`, or for which it was too late."""

    def start(self, scripts: Sequence[LifecycleScript]) -> str | None:
        """Start it and run the scripts; return why it failed, None where it is in service.

        What runs when it failed is ended.
        """
        self.place.furnish(self.metadata())
        reason = self._run(scripts)
        if reason is not None:
            self.close()
        return reason

    def close(self) -> None:
        """End everything of it. May be called again."""
        if self._program is not None:
            self._program.finish()
            if not self.place.boxed:
                self._await_the_sweep()
        self._open.close()

    def _run(self, scripts: Sequence[LifecycleScript]) -> str | None:
        logs = {script: self.place.state / f"LifecycleConfig{script.hook}.log" for script in scripts}
        plan = {
            "limit": self.cloud.timing.script_seconds,
            "mark": "" if self.place.boxed else uuid.uuid4().hex,
            "user": self.place.user,
            "scripts": [
                {"name": script.hook, "path": self._keep(script), "log": self.place.seen(log)}
                for script, log in logs.items()
            ],
        }
        (self.place.state / "plan.json").write_text(json.dumps(plan))
        with contextlib.ExitStack() as streams:
            for script, log in logs.items():
                log.touch()
                streams.callback(self.follow(self.role, script.stream, log).close)
            return self._follow_through({script.hook: script for script in scripts})

    def _keep(self, script: LifecycleScript) -> str:
        return self.place.add_script(
            f"{script.hook}_{self.cloud.clock():%Y-%m-%d-%H-%M}{uuid.uuid4().hex[:8]}", script.content
        )

    def _follow_through(self, scripts: Mapping[str, LifecycleScript]) -> str | None:
        """Start the agent and hear how the scripts end; return why the start failed."""
        try:
            self._program = Program(environment=self._environment(), **self.place.program())
        except ProgramStartError as error:
            return f"It could not be started: {error}"
        while True:
            running = self._program.running()
            for event in self._events():
                if event.get("ready"):
                    return None
                if event["code"] != 0:
                    return self.failure(scripts[event["ends"]], event["code"])
            if not running:
                return f"It ended by itself while it was started. {tail(self._program.log, 3)}".strip()
            time.sleep(_TICK)

    def _environment(self) -> dict[str, str]:
        """Return the variables of the machine: its role's credentials come from its service alone."""
        credentials = RoleCredentials(
            lambda seconds: self.cloud.access.temporary(self.role, SESSION, seconds),
            self.cloud.timing.credential_seconds,
        )
        service, variables = self.credentials_service(credentials)
        self._open.callback(service.close)
        return {
            **self.place.environment(),
            "AWS_REGION": self.cloud.region,
            "AWS_DEFAULT_REGION": self.cloud.region,
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            **variables,
        }

    def _events(self) -> list[dict[str, Any]]:
        """Return what the agent has told since the last time."""
        path, found = self.place.state / "events", list[dict[str, Any]]()
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                stream.seek(self._heard)
                while (line := stream.readline()).endswith(b"\n"):
                    self._heard = stream.tell()
                    found.append(json.loads(line))
        return found

    def _await_the_sweep(self) -> None:
        """Wait until what the scripts have started is killed, where no namespace does it."""
        end = time.monotonic() + _SWEEPING_SECONDS
        while not (self.place.state / "swept").exists() and time.monotonic() < end:
            time.sleep(_TICK)
