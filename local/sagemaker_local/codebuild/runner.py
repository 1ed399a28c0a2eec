"""One build, from its record to its end, in a thread of the cloud."""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.codebuild import buildspec, variables
from sagemaker_local.codebuild.artifacts import Artifacts
from sagemaker_local.codebuild.commands import Commands
from sagemaker_local.codebuild.environment import codebuild_variables, expanded
from sagemaker_local.codebuild.errors import BuildEndedError, PhaseError, client_error, yaml_error
from sagemaker_local.codebuild.git import RemoteOf
from sagemaker_local.codebuild.place import Place
from sagemaker_local.codebuild.progress import Progress
from sagemaker_local.codebuild.sources import Fetching, from_s3, text_of
from sagemaker_local.core.cloud import Cloud
from sagemaker_local.runtime import namespaces
from sagemaker_local.sagemaker.logs import LogStream
from sagemaker_local.sagemaker.logs import Place as LogPlace

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger("sagemaker_local")
ENDPOINT = "AWS_ENDPOINT_URL"
_SAID = ("DOWNLOAD_SOURCE", "UPLOAD_ARTIFACTS")
_CONTEXTS = {"TIMED_OUT": ("BUILD_TIMED_OUT", "Build has timed out. ")}


@dataclass
class Run:
    """A build that runs. `stop` is set when it is to be stopped; `codecommit` says where a repository is."""

    cloud: Cloud
    build: dict[str, Any]
    codecommit: RemoteOf
    stop: threading.Event
    _failed: str = ""
    _hidden: frozenset[str] = frozenset()
    _reached: list[str] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        """Find the build's folder, its role's rights, and its end."""
        project, _, number = self.build["id"].rpartition(":")
        folder = self.cloud.folder / "builds" / f"{project}-{number}"
        self._progress = Progress(self.cloud, self.build["id"])
        self._place = Place(folder, str(int(number[:8], 16)), namespaces.allowed())
        self._role, self._session = self.build["serviceRole"], f"AWSCodeBuild-{number}"
        self._rights = self.cloud.access.environment(self._role, self._session)
        self._commands = Commands(self._place, buildspec.Buildspec(), self._rights, {})
        self._deadline = time.monotonic() + self.build["timeoutInMinutes"] * self.cloud.timing.build_minute

    def run(self) -> None:
        """Run the build to its end, and write down how it ended."""
        self._progress.tell()
        try:
            self._phases()
        except BuildEndedError as ended:
            self._fail(ended.status, *_CONTEXTS.get(ended.status, ("", "")))
        except Exception as error:  # noqa: BLE001  # whatever it is: the build must not stay in progress for ever
            _LOG.exception("build %s failed unexpectedly", self.build["id"])
            self._fail("FAULT", "INTERNAL_SERVICE_ERROR", repr(error))
        self._finish()

    def _phases(self) -> None:
        """Go through the phases (User Guide, "Build phase transitions")."""
        before: tuple[tuple[str, Callable[[], None]], ...] = (
            ("SUBMITTED", self._check),
            ("QUEUED", self._begin_log),
            ("PROVISIONING", self._furnish),
            ("DOWNLOAD_SOURCE", self._download),
        )
        for name, work in before:
            with self._phase(name):
                work()
            if self._failed:
                return
        self._run_commands()
        if "POST_BUILD" in self._reached:
            with self._phase("UPLOAD_ARTIFACTS"):
                self._upload()

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self._progress.begin(name)
        code = message = ""
        try:
            self._check()
            yield
        except PhaseError as error:
            code, message = error.code, error.message
            self._fail("FAILED", code, message)
        else:
            self._progress.end()
        if name in _SAID:
            self._say(f"Phase complete: {name} State: {'FAILED' if code else 'SUCCEEDED'}")
            self._say(f"Phase context status code: {code} Message: {message}")

    def _fail(self, status: str, code: str, message: str) -> None:
        """End the phase that goes on, and in the end the build; the first failure counts."""
        self._failed = self._failed or status
        if self._progress.open():
            self._progress.end(status, code, message)

    def _check(self) -> None:
        """Raise when the build was stopped, or its time is up."""
        if self.stop.is_set():
            raise BuildEndedError("STOPPED")
        if time.monotonic() >= self._deadline:
            raise BuildEndedError("TIMED_OUT")

    def _client(self, service: str) -> Any:
        return self.cloud.access.client(service, self._role, self._session)

    def _begin_log(self) -> None:
        """Make the stream of the build's log, which its role has to be allowed."""
        self._place.folder.mkdir(parents=True)
        self._place.log.touch()
        logs = self.build["logs"]
        if "groupName" not in logs:
            return
        try:
            _make_stream(self._client("logs"), logs["groupName"], logs["streamName"])
        except (ClientError, BotoCoreError) as error:
            told = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
            raise PhaseError(
                "ACCESS_DENIED",
                f"Service role {self._role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams "
                f"for build {self.build['arn']}. Error message: {told}",
            ) from error

    def _furnish(self) -> None:
        privileged = self.build["environment"].get("privilegedMode")
        # Docker has the rights of whoever logs in, and needs the cloud's address alone.
        address = {ENDPOINT: self._rights[ENDPOINT]}
        self._place.furnish(address if privileged else None)

    def _download(self) -> None:
        try:
            self._fetch()
            spec = buildspec.read(self._buildspec())
            given = self.build["environment"].get("environmentVariables", [])
            found = variables.resolved(variables.declared(spec, given), self._client)
            self._hidden = found.hidden
            own = codebuild_variables(self.build, self._place)
            self._commands = Commands(self._place, spec, self._rights, {**found.values, **own})
        finally:
            self._pass_on_log()

    def _fetch(self) -> None:
        fetching = Fetching(
            self._client("s3"),
            self._rights,
            self.codecommit,
            self._place.folder,
            self.stop,
            self._deadline - time.monotonic(),
        )
        commit = fetching.fetch(self.build["source"], self.build.get("sourceVersion", ""), self._place.source())
        if commit:
            self._progress.set(resolvedSourceVersion=commit)
            self.build["resolvedSourceVersion"] = commit
        versions = {one["sourceIdentifier"]: one["sourceVersion"] for one in self.build["secondarySourceVersions"]}
        for source in self.build["secondarySources"]:
            name = source["sourceIdentifier"]
            fetching.fetch(source, versions.get(name, ""), self._place.source(name))

    def _buildspec(self) -> str:
        given = self.build["source"].get("buildspec") or "buildspec.yml"
        if buildspec.is_inline(given):
            return str(given)
        if given.startswith("arn:aws:s3:::"):
            return from_s3(self._client("s3"), given)
        base = self._place.source()
        text = text_of(base / given, base)
        if text is None:
            where = given if Path(given).is_absolute() else self._place.seen(base / given)
            raise yaml_error(f"stat {where}: no such file or directory")
        return text

    def _pass_on_log(self) -> None:
        """Pass the log on from now on: what is hidden in it is known."""
        logs = self.build["logs"]
        if "groupName" in logs:
            hide = variables.mask({*self._hidden, self._rights["AWS_ACCESS_KEY_ID"]})
            place = LogPlace(logs["groupName"], logs["streamName"])
            stream = LogStream(self._client("logs"), place, self._place.log, hide, made=True)
            self._open.callback(stream.close)

    def _run_commands(self) -> None:
        try:
            self._commands.run(self.stop, self._check, self._hear)
        except PhaseError as error:
            self._progress.begin("INSTALL")
            self._fail("FAILED", error.code, error.message)
        if self._progress.open():
            self._fail("FAILED", "COMMAND_EXECUTION_ERROR", "the build's process ended before its commands did")

    def _hear(self, event: Mapping[str, Any]) -> None:
        """Take what the agent tells."""
        if "begins" in event:
            self._reached.append(event["begins"])
            self._progress.begin(event["begins"])
        elif event.get("status") == "SUCCEEDED":
            self._progress.end()
        elif "ends" in event:
            self._fail("FAILED", event["code"], variables.mask(self._hidden)(event["message"]))
        elif "exported" in event:
            shown = [{"name": name, "value": value} for name, value in event["exported"].items()]
            self._progress.set(exportedEnvironmentVariables=shown)

    def _upload(self) -> None:
        spec = self._commands.spec
        if self.build["outputs"]["artifacts"]["type"] == "S3":
            self._progress.set(artifacts=self._put(self.build["outputs"]["artifacts"], spec.artifacts))
        others = [one for one in self.build["outputs"]["secondaryArtifacts"] if one["type"] == "S3"]
        if others:
            shown = [self._put(one, spec.secondary.get(one["artifactIdentifier"])) for one in others]
            self._progress.set(secondaryArtifacts=shown)

    def _put(self, settings: Mapping[str, Any], files: buildspec.Files | None) -> dict[str, Any]:
        if files is None:
            raise client_error(f"the buildspec has no artifacts {settings.get('artifactIdentifier', '')}".rstrip())
        artifacts = Artifacts(settings, self.build["id"].rpartition(":")[2], self.build["projectName"])
        named = replace(files, name=expanded(files.name, self._commands.environment()))
        return artifacts.upload(self._client("s3"), named, self._place.source(), self._place.folder)

    def _finish(self) -> None:
        self._progress.begin("FINALIZING")
        self._open.close()
        # What it has built is in S3 and ECR; its log stays.
        for part in (self._place.base, self._place.folder / "home"):
            shutil.rmtree(part, ignore_errors=True)
        self._progress.end()
        self._progress.complete(self._failed or "SUCCEEDED")

    def _say(self, text: str) -> None:
        with self._place.log.open("a", encoding="utf-8") as log:
            log.write(f"[Container] {datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f} {text}\n")


def _make_stream(logs: Any, group: str, stream: str) -> None:
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
