"""One start of a notebook instance: its processes, its metadata service, and what its scripts print."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.notebooks.metadata import InstanceFacts, MetadataService, RoleCredentials
from sagemaker_local.notebooks.places import InstancePlace
from sagemaker_local.runtime.lines import tail
from sagemaker_local.runtime.process import Program, ProgramStartError

SESSION = "SageMaker"
"""The name of an instance's session of its role."""
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
    """A script of a lifecycle configuration: `hook` is OnCreate or OnStart, `config` the configuration's ARN."""

    hook: str
    content: bytes
    config: str


@dataclass
class NotebookMachine:
    """An instance that runs, from its start until it is closed. `record` is the instance's at its start."""

    cloud: Cloud
    record: Mapping[str, Any]
    follow: Follow
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _program: Program | None = None
    _heard: int = 0

    def __post_init__(self) -> None:
        """Find its place."""
        name = self.record["NotebookInstanceName"]
        self._place = InstancePlace.of(self.cloud.folder, name, self.cloud.region)

    def start(self, scripts: list[LifecycleScript]) -> str | None:
        """Start it and run the scripts; return why it failed, None where it is in service.

        What runs when it failed is ended.
        """
        self._place.furnish(
            {
                "ResourceArn": self.record["NotebookInstanceArn"],
                "ResourceName": self.record["NotebookInstanceName"],
            }
        )
        reason = self._run(scripts)
        if reason is not None:
            self.close()
        return reason

    def close(self) -> None:
        """End everything of it. May be called again."""
        if self._program is not None:
            self._program.finish()
            if not self._place.boxed:
                self._await_the_sweep()
        self._open.close()

    def _run(self, scripts: list[LifecycleScript]) -> str | None:
        paths = {self._stream(script): self._keep(script) for script in scripts}
        logs = {name: self._place.state / f"{name.partition('/')[2]}.log" for name in paths}
        plan = {
            "limit": self.cloud.timing.script_seconds,
            "mark": "" if self._place.boxed else uuid.uuid4().hex,
            "scripts": [
                {"name": script.hook, "path": paths[stream], "log": self._place.seen(logs[stream])}
                for script, stream in zip(scripts, paths, strict=True)
            ],
        }
        (self._place.state / "plan.json").write_text(json.dumps(plan))
        with contextlib.ExitStack() as streams:
            for stream, log in logs.items():
                log.touch()
                streams.callback(self.follow(self.record["RoleArn"], stream, log).close)
            return self._follow_through({script.hook: script for script in scripts})

    def _stream(self, script: LifecycleScript) -> str:
        return f"{self.record['NotebookInstanceName']}/LifecycleConfig{script.hook}"

    def _keep(self, script: LifecycleScript) -> str:
        return self._place.add_script(
            f"{script.hook}_{self.cloud.clock():%Y-%m-%d-%H-%M}{uuid.uuid4().hex[:8]}", script.content
        )

    def _follow_through(self, scripts: Mapping[str, LifecycleScript]) -> str | None:
        """Start the agent and hear how the scripts end; return why the start failed."""
        try:
            self._program = Program(environment=self._environment(), **self._place.program())
        except ProgramStartError as error:
            return f"The instance could not be started: {error}"
        while True:
            running = self._program.running()
            for event in self._events():
                if event.get("ready"):
                    return None
                if event["code"] != 0:
                    return self._failure(scripts[event["ends"]], event["code"])
            if not running:
                return f"The instance ended by itself while it was started. {tail(self._program.log, 3)}".strip()
            time.sleep(_TICK)

    def _failure(self, script: LifecycleScript, code: int | None) -> str:
        """Return the reason of a script that failed: in AWS's words where its time was up.

        People report those words for scripts that end with an error, too (as of bad interpreters), after the five
        minutes; how SageMaker tells the two apart is not documented. Here a script that has ended is told at once.
        """
        minutes = self.cloud.timing.script_seconds / 60
        what = f"took longer than {minutes:g} minutes" if code is None else f"failed: {script.hook} ended with {code}"
        return (
            f"Notebook Instance Lifecycle Config '{script.config}' for Notebook Instance "
            f"'{self.record['NotebookInstanceArn']}' {what}. Please check your CloudWatch logs for more details if "
            "your Notebook Instance has Internet access."
        )

    def _environment(self) -> dict[str, str]:
        """Return the variables of the instance: its role's credentials come from its metadata service alone."""
        role, access = self.record["RoleArn"], self.cloud.access
        credentials = RoleCredentials(
            lambda seconds: access.temporary(role, SESSION, seconds), self.cloud.timing.credential_seconds
        )
        version = self.record["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"]
        facts = InstanceFacts(
            self.cloud.account, self.cloud.region, self.record["InstanceType"], role, needs_token=version == "2"
        )
        service = MetadataService(facts, credentials)
        self._open.callback(service.close)
        return {
            **self._place.environment(),
            "AWS_REGION": self.cloud.region,
            "AWS_DEFAULT_REGION": self.cloud.region,
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url,
        }

    def _events(self) -> list[dict[str, Any]]:
        """Return what the agent has told since the last time."""
        path, found = self._place.state / "events", list[dict[str, Any]]()
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
        while not (self._place.state / "swept").exists() and time.monotonic() < end:
            time.sleep(_TICK)
