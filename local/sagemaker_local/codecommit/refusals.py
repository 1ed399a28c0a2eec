"""The codes by which CodeCommit refuses a request that breaks its model: each member has its own.

Which there are is in botocore's model, in the errors of each operation; what a member's are is in their documentation.
"""

import re
from collections.abc import Sequence

from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.shapes import Problem, service_model

_REQUIRED = {
    "repositoryName": "RepositoryNameRequiredException",
    "oldName": "RepositoryNameRequiredException",
    "newName": "RepositoryNameRequiredException",
    "repositoryNames": "RepositoryNamesRequiredException",
    "branchName": "BranchNameRequiredException",
    "defaultBranchName": "BranchNameRequiredException",
    "commitId": "CommitIdRequiredException",
    "afterCommitSpecifier": "CommitRequiredException",
    "filePath": "PathRequiredException",
    "folderPath": "PathRequiredException",
    "fileContent": "FileContentRequiredException",
    "resourceArn": "ResourceArnRequiredException",
    "tags": "TagsMapRequiredException",
    "tagKeys": "TagKeysListRequiredException",
    "kmsKeyId": "EncryptionKeyRequiredException",
}
_INVALID = {
    "repositoryName": "InvalidRepositoryNameException",
    "oldName": "InvalidRepositoryNameException",
    "newName": "InvalidRepositoryNameException",
    "repositoryNames": "InvalidRepositoryNameException",
    "repositoryDescription": "InvalidRepositoryDescriptionException",
    "branchName": "InvalidBranchNameException",
    "defaultBranchName": "InvalidBranchNameException",
    "fileContent": "FileContentSizeLimitExceededException",
    "fileMode": "InvalidFileModeException",
    "sortBy": "InvalidSortByException",
    "order": "InvalidOrderException",
    "tags": "InvalidTagsMapException",
    "tagKeys": "InvalidTagKeysListException",
    "kmsKeyId": "EncryptionKeyInvalidIdException",
}


def refuse(operation: str, wrong: Sequence[Problem]) -> ApiError:
    """Return the error of the first thing that is wrong; a ValidationException where the operation has no own."""
    known = {error.name for error in service_model("codecommit").operation_model(operation).error_shapes}
    code = next((code for one in wrong if (code := _code(one)) in known), "ValidationException")
    return ApiError(code, "; ".join(map(str, wrong)))


def _code(problem: Problem) -> str:
    member = re.sub(r"\[\d+\]|(\['| key ).*", "", problem.path).rpartition(".")[2]
    if problem.fault == "missing":
        return _REQUIRED.get(member, "")
    return _INVALID.get(member, "") if problem.about_value else ""
