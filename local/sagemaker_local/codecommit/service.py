"""CodeCommit in one region: its operations put together, and what IAM decides about."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.codecommit.commit_calls import Author, CommitCalls
from sagemaker_local.codecommit.commits import FileChange
from sagemaker_local.codecommit.handlers import put_together
from sagemaker_local.codecommit.refusals import refuse
from sagemaker_local.codecommit.repositories import Repositories, Surroundings
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.core.wire import members
from sagemaker_local.sagemaker.api import Api, Caller

_NAMING = ("repositoryName", "oldName")


class Service:
    """CodeCommit, as ministack calls a service."""

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        self.repositories = Repositories(here)
        self._api = Api(put_together(self.repositories), service="codecommit", refuse=refuse)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        """Answer one request that ministack has authorised."""
        del method, path
        key = ministack.access_key(headers, query)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        return await self._api.answer_json(operation, body, Caller(key, ministack.principal_of(key)))

    def resource_arn(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN of the repository that a request is about; `*` where it is about none, or all."""
        del method, path, headers
        request = members(body)
        if "resourceArn" in request:
            return str(request["resourceArn"])
        several = request.get("repositoryNames")
        named = several[:1] if isinstance(several, list) else [request[name] for name in _NAMING if name in request]
        return self.here.arn(str(named[0])) if named else "*"

    def commit_first(self, name: str, branch: str, files: list[FileChange], access_key: str) -> None:
        """Fill an empty repository with files, however many: CloudFormation's first commit.

        Raises:
            ApiError: the holder of the key may not, or the files are none that git takes.
        """
        context = {"codecommit:References": f"refs/heads/{branch}"}
        self.here.access.require(access_key, "codecommit:CreateCommit", self.here.arn(name), context)
        author, principal = Author(message="Initial commit"), ministack.principal_of(access_key)
        CommitCalls(self.repositories).commit(self.repositories.get(name), branch, None, files, author, principal)

    def close(self) -> None:
        """Nothing runs between two requests."""
