"""The operations of CodeCommit put together."""

from sagemaker_local.codecommit.branch_calls import BranchCalls
from sagemaker_local.codecommit.commit_calls import CommitCalls
from sagemaker_local.codecommit.file_calls import FileCalls
from sagemaker_local.codecommit.repositories import Repositories
from sagemaker_local.codecommit.repository_calls import RepositoryCalls
from sagemaker_local.core.cloud import Handler


def put_together(repositories: Repositories) -> dict[str, Handler]:
    """Return the handlers of all operations, by their names."""
    parts = (
        RepositoryCalls(repositories),
        BranchCalls(repositories),
        FileCalls(repositories),
        CommitCalls(repositories),
    )
    found: dict[str, Handler] = {}
    for part in parts:
        found |= part.operations()
    return found
