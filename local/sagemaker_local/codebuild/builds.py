"""StartBuild, StopBuild, RetryBuild, BatchGetBuilds, ListBuilds, ListBuildsForProject and BatchDeleteBuilds."""

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sagemaker_local.codebuild.errors import missing, refused
from sagemaker_local.codebuild.git import RemoteOf
from sagemaker_local.codebuild.overrides import overridden
from sagemaker_local.codebuild.progress import BUILD
from sagemaker_local.codebuild.projects import Projects, check, page
from sagemaker_local.codebuild.runner import Run
from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import NoRecordError, Record

if TYPE_CHECKING:
    from datetime import datetime

_RUNNING = "IN_PROGRESS"
_TOKEN_LIFE = timedelta(minutes=5)  # API reference, StartBuild, idempotencyToken
_ENDING_SECONDS = 10.0


class Builds:
    """The builds of one region."""

    def __init__(self, cloud: Cloud, projects: Projects, codecommit: RemoteOf) -> None:
        self._cloud = cloud
        self._projects = projects
        self._codecommit = codecommit
        self._running: dict[str, tuple[threading.Event, threading.Thread]] = {}
        self._tokens: dict[str, tuple[datetime, Mapping[str, Any], str]] = {}
        self._lock = threading.RLock()

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "StartBuild": lambda call: self._once(call, lambda: self._start(call, call.request)),
            "RetryBuild": lambda call: self._once(call, lambda: self._retry(call)),
            "StopBuild": self.stop,
            "BatchGetBuilds": self.batch_get,
            "BatchDeleteBuilds": self.batch_delete,
            "ListBuilds": lambda call: self._listed(call.request, self._cloud.store.all(BUILD)),
            "ListBuildsForProject": self.list_for_project,
        }

    def close(self) -> None:
        """Stop every build, and wait a moment for their ends."""
        with self._lock:
            running = list(self._running.values())
        for stop, _ in running:
            stop.set()
        for _, thread in running:
            thread.join(_ENDING_SECONDS)

    def _once(self, call: Call, start: Callable[[], str]) -> dict[str, Any]:
        """Start a build, or return the one that was started with the same token and the same parameters."""
        token, now = call.request.get("idempotencyToken"), self._cloud.clock()
        with self._lock:
            self._tokens = {key: item for key, item in self._tokens.items() if now - item[0] < _TOKEN_LIFE}
            known = self._tokens.get(f"{call.operation} {token}")
            if token and known and known[1] != call.request:
                raise refused("Parameter mismatch: the idempotencyToken was used with other parameters")
            build = known[2] if token and known else start()
            if token and not known:
                self._tokens[f"{call.operation} {token}"] = (now, call.request, build)
        return {"build": self._shown(build)}

    def _retry(self, call: Call) -> str:
        build = self._get(call.request.get("id", ""))
        return self._start(call, build["request"])

    def _start(self, call: Call, request: Mapping[str, Any]) -> str:
        """Start a build of a project as it is now, with a request's overrides; return its id."""
        given = self._projects.get(request["projectName"])
        if "serviceRoleOverride" in request:
            self._projects.pass_role(call, request["serviceRoleOverride"])
        settings = overridden(given, request)
        check(settings)
        if settings["source"]["type"] == "CODEPIPELINE":
            raise refused("Build cannot be started: a project with source type CODEPIPELINE is started by a pipeline")
        with self._lock:
            self._leave_room(given)
            build = self._record(settings, request, initiator(call.principal))
            self._cloud.store.create(BUILD, build["id"], build)
            self._run(build)
        return str(build["id"])

    def _leave_room(self, given: Record) -> None:
        limit, name = given.get("concurrentBuildLimit"), given["name"]
        running = [one for one in self._of(name) if one["buildStatus"] == _RUNNING]
        if limit is not None and len(running) >= limit:
            raise ApiError(
                "AccountLimitExceededException", f"Cannot have more than {limit} builds in progress for project {name}"
            )

    def _run(self, build: Record) -> None:
        stop = threading.Event()
        thread = self._cloud.work(lambda: self._to_its_end(build, stop), f"build-{build['id']}")
        self._running[build["id"]] = (stop, thread)

    def _to_its_end(self, build: Record, stop: threading.Event) -> None:
        try:
            Run(self._cloud, build, self._codecommit, stop).run()
        finally:
            with self._lock:
                self._running.pop(build["id"], None)

    def _record(self, settings: Mapping[str, Any], request: Mapping[str, Any], who: str) -> Record:
        name, number = settings["name"], str(uuid.uuid4())
        given = self._cloud.store.change("Project", name, _count)
        outputs = {member: settings[member] for member in ("artifacts", "secondaryArtifacts")}
        kept = ("source", "secondarySources", "secondarySourceVersions", "sourceVersion", "environment", "serviceRole")
        more = ("timeoutInMinutes", "queuedTimeoutInMinutes", "encryptionKey", "cache", "vpcConfig")
        return {
            **{member: settings[member] for member in (*kept, *more) if settings.get(member) not in (None, "")},
            "id": f"{name}:{number}",
            "arn": f"{self._projects.arn(name).replace(':project/', ':build/')}:{number}",
            "buildNumber": given["builds"],
            "projectName": name,
            "startTime": self._cloud.clock(),
            "currentPhase": "SUBMITTED",
            "buildStatus": _RUNNING,
            "buildComplete": False,
            "phases": [],
            "initiator": who,
            "artifacts": {"location": ""},
            "logs": self._logs(settings, number),
            "outputs": outputs,
            "request": dict(request),
        }

    def _logs(self, settings: Mapping[str, Any], number: str) -> dict[str, Any]:
        """Return where a build's log is (API reference, LogsLocation; the name of a stream is a prefix of it)."""
        config = settings.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
        if config["status"] == "DISABLED":
            return {"cloudWatchLogs": config}
        group, prefix = config.get("groupName") or f"/aws/codebuild/{settings['name']}", config.get("streamName")
        stream, region = f"{prefix}/{number}" if prefix else number, self._cloud.region
        spelled = group.replace("/", "$252F")
        return {
            "groupName": group,
            "streamName": stream,
            "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
            f"{spelled}/log-events/{stream.replace('/', '$252F')}",
            "cloudWatchLogsArn": f"arn:aws:logs:{region}:{self._cloud.account}:log-group:{group}:log-stream:{stream}",
            "cloudWatchLogs": config,
        }

    def stop(self, call: Call) -> dict[str, Any]:
        """Stop a build; one that has ended stays as it is."""
        build = self._get(call.request["id"])
        with self._lock:
            running = self._running.get(build["id"])
        if running:
            running[0].set()
        return {"build": self._shown(build["id"])}

    def batch_get(self, call: Call) -> dict[str, Any]:
        """Return builds by their ids or ARNs."""
        found, lost = [], []
        for given in call.request["ids"]:
            name = identity(given)
            self._require(call, name)
            try:
                found.append(self._shown(name))
            except ApiError:
                lost.append(given)
        return {"builds": found, "buildsNotFound": lost}

    def batch_delete(self, call: Call) -> dict[str, Any]:
        """Forget builds that have ended."""
        deleted, kept = [], []
        for given in call.request["ids"]:
            name = identity(given)
            self._require(call, name)
            try:
                build = self._get(name)
            except ApiError:
                kept.append({"id": given, "statusCode": "BUILD_NOT_FOUND"})
                continue
            if build["buildComplete"]:
                self._cloud.store.delete(BUILD, name)
                deleted.append(build["arn"])
            else:
                kept.append({"id": given, "statusCode": "BUILD_IN_PROGRESS"})
        return {"buildsDeleted": deleted, "buildsNotDeleted": kept}

    def list_for_project(self, call: Call) -> dict[str, Any]:
        """Return the ids of a project's builds."""
        name = self._projects.get(call.request["projectName"])["name"]
        return self._listed(call.request, self._of(name))

    def _of(self, name: str) -> list[Record]:
        return [build for build in self._cloud.store.all(BUILD) if build["projectName"] == name]

    @staticmethod
    def _listed(request: Mapping[str, Any], builds: list[Record]) -> dict[str, Any]:
        ids = [build["id"] for build in builds]
        return page(request, "ids", ids if request.get("sortOrder") == "ASCENDING" else ids[::-1])

    def _require(self, call: Call, name: str) -> None:
        arn = self._projects.arn(name.rpartition(":")[0])
        self._cloud.access.require(call.access_key, f"codebuild:{call.operation}", arn)

    def _get(self, name_or_arn: str) -> Record:
        try:
            return self._cloud.store.get(BUILD, identity(name_or_arn))
        except NoRecordError:
            raise missing(f"Build cannot be found: {name_or_arn}") from None

    def _shown(self, name: str) -> dict[str, Any]:
        return project(service_model("codebuild").shape_for("Build"), self._get(name))


def _count(given: Record) -> None:
    given["builds"] = given.get("builds", 0) + 1


def identity(id_or_arn: str) -> str:
    """Return the id of a build, which has its project's name before the colon."""
    return id_or_arn.rpartition(":build/")[2]


def initiator(principal: str) -> str:
    """Return who started a build, as it shows: a user's name, or a role and its session."""
    return principal.rpartition(":")[2].removeprefix("user/").removeprefix("assumed-role/")
