"""Requests of CodeCommit with every member that is honoured, and those with members that are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sagemaker_local.support.pipelines import FakeEvents
from tests.sagemaker_local.support.service import ACCOUNT, FakeAccess

from sagemaker_local.codecommit.handlers import put_together
from sagemaker_local.codecommit.repositories import Repositories, Surroundings
from sagemaker_local.core.cloud import Call

CALLER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ARN = f"arn:aws:codecommit:us-east-1:{ACCOUNT}:b"
NAMED = {"repositoryName": "b"}
ON_MAIN = {**NAMED, "branchName": "main"}


class CodeCommitRequests:
    """The handlers of a region among fakes, and requests to them."""

    def __init__(self, folder: Path) -> None:
        self.events = FakeEvents()
        here = Surroundings(ACCOUNT, "us-east-1", folder, FakeAccess(), self.events)
        self.handlers = put_together(Repositories(here))

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make a request."""
        return self.handlers[operation](Call(operation, request, "KEY", CALLER))

    def make_all(self) -> None:
        """Make a request of every operation, with all that is honoured."""
        self.call("CreateRepository", repositoryName="a", repositoryDescription="d", tags={"a": "b"})
        self.call("UpdateRepositoryName", oldName="a", newName="b")
        self.call("UpdateRepositoryDescription", **NAMED, repositoryDescription="e")
        self.call("UpdateRepositoryEncryptionKey", **NAMED, kmsKeyId="k")
        self.call("GetRepository", **NAMED)
        self.call("BatchGetRepositories", repositoryNames=["b"])
        self.call("ListRepositories", nextToken="0", sortBy="repositoryName", order="ascending")
        self.call("TagResource", resourceArn=ARN, tags={"c": "d"})
        self.call("ListTagsForResource", resourceArn=ARN, nextToken="0")
        self.call("UntagResource", resourceArn=ARN, tagKeys=["c"])
        self._commits()

    def _commits(self) -> None:
        file = {"filePath": "x/a", "fileContent": b"a", "fileMode": "EXECUTABLE"}
        who = {"authorName": "Ann", "email": "a@b.c", "commitMessage": "m"}
        first = self.call("CreateCommit", **ON_MAIN, **who, putFiles=[file])["commitId"]
        changed = {**file, "fileContent": b"b", "parentCommitId": first, "commitMessage": "m"}
        second = self.call("PutFile", **ON_MAIN, **changed, name="Ann", email="a@b.c")["commitId"]
        gone = [{"filePath": "x/a"}]
        self.call("CreateCommit", **ON_MAIN, parentCommitId=second, putFiles=[], deleteFiles=gone)
        self.call("CreateBranch", **NAMED, branchName="c", commitId=first)
        self.call("UpdateDefaultBranch", **NAMED, defaultBranchName="c")
        self.call("GetBranch", **ON_MAIN)
        self.call("ListBranches", **NAMED, nextToken="0")
        self.call("GetCommit", **NAMED, commitId=first)
        self.call("GetFile", **NAMED, commitSpecifier="c", filePath="x/a")
        self.call("GetFolder", **NAMED, commitSpecifier="c", folderPath="x")
        sides = {"beforeCommitSpecifier": first, "afterCommitSpecifier": second}
        paths = {"beforePath": "x", "afterPath": "x", "MaxResults": 1, "NextToken": "0"}
        self.call("GetDifferences", **NAMED, **sides, **paths)
        self.call("DeleteBranch", **ON_MAIN)
        self.call("DeleteRepository", **NAMED)

    def kept(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Yield operations that keep members: the request, and what is shown of it."""
        made = {"repositoryName": "k", "kmsKeyId": "k1"}
        self.call("CreateRepository", **made)
        yield "CreateRepository", made, self._shown()
        changed = {"repositoryName": "k", "kmsKeyId": "k2"}
        self.call("UpdateRepositoryEncryptionKey", **changed)
        yield "UpdateRepositoryEncryptionKey", changed, self._shown()

    def _shown(self) -> dict[str, Any]:
        return dict(self.call("GetRepository", repositoryName="k")["repositoryMetadata"])
