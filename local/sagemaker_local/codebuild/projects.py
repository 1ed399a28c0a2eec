"""CreateProject, UpdateProject, DeleteProject, BatchGetProjects and ListProjects."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.access import trusts
from sagemaker_local.codebuild.errors import missing, refused
from sagemaker_local.codebuild.git import is_here
from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import NameTakenError, NoRecordError, Record

PROJECT = "Project"
SERVICE = "codebuild.amazonaws.com"
PAGE = 100
_TO_CODEBUILD = {"iam:PassedToService": SERVICE}
_IMAGES = "aws/codebuild/"
_GIT = ("GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET")


class Projects:
    """The build projects of one region."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateProject": self.create,
            "UpdateProject": self.update,
            "DeleteProject": self.delete,
            "BatchGetProjects": self.batch_get,
            "ListProjects": self.list,
        }

    def arn(self, name: str) -> str:
        """Return the ARN of a project."""
        return f"arn:aws:codebuild:{self._cloud.region}:{self._cloud.account}:project/{name}"

    def get(self, name_or_arn: str) -> Record:
        """Return a project.

        Raises:
            ApiError: ResourceNotFoundException.
        """
        name = name_or_arn.rpartition(":project/")[2]
        try:
            return self._cloud.store.get(PROJECT, name)
        except NoRecordError:
            raise missing(f"Project cannot be found: {self.arn(name)}") from None

    def create(self, call: Call) -> dict[str, Any]:
        """Keep a new project."""
        request = call.request
        self.pass_role(call, request["serviceRole"])
        check(request)
        now, name = self._cloud.clock(), request["name"]
        record = {**self._defaults(), **request, "arn": self.arn(name), "created": now, "lastModified": now}
        record["environment"] = {**_ENVIRONMENT, **request["environment"]}
        try:
            self._cloud.store.create(PROJECT, name, _limited(record))
        except NameTakenError:
            raise ApiError("ResourceAlreadyExistsException", f"Project already exists: {self.arn(name)}") from None
        return {"project": self._shown(name)}

    def update(self, call: Call) -> dict[str, Any]:
        """Change those members of a project that a request has."""
        changes = call.request
        name = self.get(changes["name"])["name"]
        if "serviceRole" in changes:
            self.pass_role(call, changes["serviceRole"])

        def change(record: Record) -> None:
            record |= {**changes, "name": name, "lastModified": self._cloud.clock()}
            record["environment"] = {**_ENVIRONMENT, **record["environment"]}
            check(record)
            _limited(record)

        self._cloud.store.change(PROJECT, name, change)
        return {"project": self._shown(name)}

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget a project; its builds stay, and one that is not there is none."""
        try:
            self._cloud.store.delete(PROJECT, call.request["name"].rpartition(":project/")[2])
        except NoRecordError:
            return {}
        return {}

    def batch_get(self, call: Call) -> dict[str, Any]:
        """Return projects by their names or ARNs."""
        found, lost = [], []
        for given in call.request["names"]:
            name = given.rpartition(":project/")[2]
            self._cloud.access.require(call.access_key, "codebuild:BatchGetProjects", self.arn(name))
            try:
                found.append(self._shown(name))
            except ApiError:
                lost.append(given)
        return {"projects": found, "projectsNotFound": lost}

    def list(self, call: Call) -> dict[str, Any]:
        """Return the names of all projects."""
        key = {"CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}.get(
            call.request.get("sortBy", ""), "name"
        )
        records = sorted(self._cloud.store.all(PROJECT), key=lambda record: record[key])
        if call.request.get("sortOrder") == "DESCENDING":
            records.reverse()
        return page(call.request, "projects", [record["name"] for record in records])

    def pass_role(self, call: Call, role: str) -> None:
        """Let the caller pass a role to CodeBuild, and CodeBuild assume it.

        Raises:
            ApiError: one of the two is not allowed.
        """
        if not role.startswith("arn:"):
            raise refused(f"Invalid service role: {role} is no ARN of a role")
        self._cloud.access.require(call.access_key, "iam:PassRole", role, _TO_CODEBUILD)
        if not trusts(role, SERVICE):
            raise refused(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")

    def _shown(self, name: str) -> dict[str, Any]:
        return project(service_model("codebuild").shape_for("Project"), self.get(name))

    def _defaults(self) -> dict[str, Any]:
        place = f"{self._cloud.region}:{self._cloud.account}"
        return {
            "secondarySources": [],
            "secondarySourceVersions": [],
            "secondaryArtifacts": [],
            "cache": {"type": "NO_CACHE"},
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "encryptionKey": f"arn:aws:kms:{place}:alias/aws/s3",
            "tags": [],
            "badge": {"badgeEnabled": False},
        }


_ENVIRONMENT = {"environmentVariables": [], "privilegedMode": False, "imagePullCredentialsType": "CODEBUILD"}


def _limited(record: Record) -> Record:
    """Let a limit of -1 be none (API reference, UpdateProject)."""
    if record.get("concurrentBuildLimit") == -1:
        del record["concurrentBuildLimit"]
    return record


def check(settings: Mapping[str, Any]) -> None:
    """Hold a project, or what a build comes to, to what CodeBuild asks for beside its model.

    Raises:
        ApiError: InvalidInputException.
    """
    _source(settings["source"])
    for source in settings.get("secondarySources", []):
        _source(source)
    _unique(settings.get("secondarySources", []), "sourceIdentifier")
    _unique(settings.get("secondaryArtifacts", []), "artifactIdentifier")
    for artifacts in (settings["artifacts"], *settings.get("secondaryArtifacts", [])):
        if artifacts["type"] == "S3" and not artifacts.get("location"):
            raise refused("Invalid artifacts: location is required for artifacts of type S3")
    image = settings["environment"]["image"]
    if not image.startswith(_IMAGES):
        raise refused(f"environment.image {image} is not emulated here: use {_IMAGES}standard:7.0")
    if settings.get("concurrentBuildLimit", 1) < 1 and settings["concurrentBuildLimit"] != -1:
        raise refused("Project-level concurrent build limit must be greater than 0")


def _source(source: Mapping[str, Any]) -> None:
    kind, location = source["type"], source.get("location", "")
    if kind == "NO_SOURCE" and location:
        raise refused("Invalid project source: location is not allowed for source type NO_SOURCE")
    if kind == "NO_SOURCE" and not source.get("buildspec") and not source.get("sourceIdentifier"):
        raise refused("Invalid project source: a buildspec is required for source type NO_SOURCE")
    if kind in ("S3", "CODECOMMIT", *_GIT) and not location:
        raise refused(f"Invalid project source: location is required for source type {kind}")
    if kind == "S3" and "/" not in location.removeprefix("arn:aws:s3:::"):
        raise refused(f"Invalid project source: {location} names no object of a bucket")
    if kind in _GIT and not is_here(location):
        raise refused(f"source.location {location} is not emulated here: name a clone on this machine, file://…")


def _unique(items: list[dict[str, Any]], member: str) -> None:
    names = [item.get(member, "") for item in items]
    if not all(names) or len(set(names)) < len(names):
        raise refused(f"{member} is required, and has to be unique")


def page(request: Mapping[str, Any], member: str, items: list[str]) -> dict[str, Any]:
    """Return a page of a list, and the token of the next one; an empty list, which the model has none of, is left out.

    Raises:
        ApiError: InvalidInputException: the token was not returned by this operation.
    """
    token = request.get("nextToken", "0")
    if not token.isdecimal():
        raise refused(f"Invalid nextToken: {token}")
    end = int(token) + PAGE
    found = items[int(token) : end]
    return {**({member: found} if found else {}), **({"nextToken": str(end)} if end < len(items) else {})}
