"""CodeBuild of one region, as ministack calls a service."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.codebuild.builds import Builds, identity
from sagemaker_local.codebuild.git import RemoteOf, codecommit
from sagemaker_local.codebuild.members import check
from sagemaker_local.codebuild.projects import Projects
from sagemaker_local.core.cloud import Cloud, Handler, HttpResponse
from sagemaker_local.core.wire import members
from sagemaker_local.sagemaker.api import Api, Caller


def handlers_of(projects: Projects, builds: Builds) -> dict[str, Handler]:
    """Return the handlers of all operations that are answered."""
    return {**projects.operations(), **builds.operations()}


class CodeBuild:
    """The API, and the builds behind it."""

    def __init__(self, cloud: Cloud, remote: RemoteOf = codecommit) -> None:
        self._projects = Projects(cloud)
        self._builds = Builds(cloud, self._projects, remote)
        self._api = Api(handlers_of(self._projects, self._builds), service="codebuild", check=check)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        """Answer one request that ministack has authorised."""
        del method, path
        key = ministack.access_key(headers, query)
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        return await self._api.answer_json(operation, body, Caller(key, ministack.principal_of(key)))

    def resource_arn(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN that IAM decides about: of a project always (Service Authorization Reference).

        Of several names the first counts here, and the handler decides on all of them.
        """
        del method, path, headers
        request = members(body)
        for member in ("projectName", "name"):
            if isinstance(request.get(member), str):
                return self._arn(request[member])
        for member in ("names", "ids"):
            named = request.get(member)
            if isinstance(named, list) and named and isinstance(named[0], str):
                return self._arn(named[0] if member == "names" else identity(named[0]).rpartition(":")[0])
        if isinstance(request.get("id"), str):
            return self._arn(identity(request["id"]).rpartition(":")[0])
        return "*"

    def close(self) -> None:
        """Stop every build."""
        self._builds.close()

    def _arn(self, name: str) -> str:
        return name if name.startswith("arn:") else self._projects.arn(name)
