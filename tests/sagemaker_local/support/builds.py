"""Builds on a local cloud: projects with a buildspec of a test, and how their builds end."""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.contract.world import World, allow, name, until

from sagemaker_local.process import LocalCloud, Options

if TYPE_CHECKING:
    from pathlib import Path

BUILDER = "codebuild.amazonaws.com"
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
MINUTE = 1.0
"""Seconds of a minute of a build's time limit: five of them are the least."""


def spec(*commands: str, **more: Any) -> str:
    """Return a buildspec that runs commands in its phase BUILD."""
    return yaml.safe_dump({"version": 0.2, "phases": {"build": {"commands": list(commands)}}, **more})


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a ZIP file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return packed.getvalue()


@dataclass
class Builder:
    """A cloud in which builds run."""

    cloud: LocalCloud
    world: World
    _roles: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Any:
        """CodeBuild, as the owner asks it."""
        return self.world.client("codebuild")

    def role(self, *statements: Mapping[str, Any]) -> str:
        """Return a role that CodeBuild may assume, which may write logs and do what the statements say."""
        key = json.dumps(statements)
        if key not in self._roles:
            self._roles[key] = self.world.role(LOGS, *statements, service=BUILDER)
        return self._roles[key]

    def project(self, buildspec: str = "", *statements: Mapping[str, Any], **more: Any) -> str:
        """Make a project without a source, and return its name."""
        made = name("project")
        request = {
            "name": made,
            "source": {"type": "NO_SOURCE", "buildspec": buildspec},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": environment(),
            "serviceRole": self.role(*statements),
        }
        self.api.create_project(**{**request, **more})
        return made

    def start(self, project: str, **overrides: Any) -> str:
        """Start a build, and return its id."""
        return str(self.api.start_build(projectName=project, **overrides)["build"]["id"])

    def described(self, build: str) -> dict[str, Any]:
        """Return a build as it is now."""
        [found] = self.api.batch_get_builds(ids=[build])["builds"]
        return dict(found)

    def ended(self, build: str) -> dict[str, Any]:
        """Wait for a build's end, and return it."""
        return until(lambda: found if (found := self.described(build))["buildComplete"] else None)

    def built(self, buildspec: str, *statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Build once, and return the build at its end."""
        return self.ended(self.start(self.project(buildspec, *statements, **more)))

    def log(self, build: Mapping[str, Any]) -> str:
        """Return what a build has printed, as it is in CloudWatch Logs."""
        logs = self.world.client("logs")
        place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        found = logs.get_log_events(**place, startFromHead=True)["events"]
        return "\n".join(event["message"] for event in found)

    def put(self, files: Mapping[str, str]) -> str:
        """Put a ZIP file of files into a bucket of its own, and return its place."""
        bucket = name("bucket")
        s3 = self.world.client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="source.zip", Body=zipped(files))
        return f"{bucket}/source.zip"


def environment(**more: Any) -> dict[str, Any]:
    """Return a project's environment."""
    kind = {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"}
    return {**kind, **more}


def statuses(build: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of each phase of a build."""
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


def context(build: Mapping[str, Any]) -> tuple[str, str]:
    """Return status code and message of the phase that failed."""
    [failed] = [one for phase in build["phases"] for one in phase.get("contexts", []) if one["statusCode"]]
    return failed["statusCode"], failed["message"]


def command_lines() -> list[str]:
    """Return the command lines of all processes of this machine."""
    return subprocess.run(["ps", "-axo", "args="], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """Start a local cloud in which a minute of a build is a second."""
    folder: Path = tmp_path_factory.mktemp("cloud")
    with LocalCloud(Options(folder=folder, repeat_events=1.0, build_minute=MINUTE)) as running:
        yield Builder(running, World(running.url, running.environment["AWS_SECRET_ACCESS_KEY"]))
