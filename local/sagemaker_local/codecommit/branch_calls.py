"""The operations about branches, and what a commit is."""

from typing import Any

from sagemaker_local.codecommit.git import BRANCHES, FULL_ID, NOTHING, GitError
from sagemaker_local.codecommit.paging import page
from sagemaker_local.codecommit.repositories import Change, Repositories, Repository
from sagemaker_local.core.cloud import Call, Handler
from sagemaker_local.core.errors import ApiError


class BranchCalls:
    """Making, reading, listing and deleting branches, and choosing the default one."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateBranch": self.create,
            "GetBranch": self.get,
            "ListBranches": self.list,
            "DeleteBranch": self.delete,
            "UpdateDefaultBranch": self.choose,
            "GetCommit": self.commit,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Make a branch at a commit."""
        found, name = self._named(call)
        commit = _full_id(found, call.request["commitId"], "CommitDoesNotExistException")
        if found.branch(name):
            raise ApiError("BranchNameExistsException", f"{name} exists in {found.name}.")
        try:
            self._repositories.change(found, Change(NOTHING, commit, BRANCHES + name), call.principal)
        except GitError as error:
            raise ApiError("InvalidBranchNameException", f"{name} cannot be made: {error}") from error
        return {}

    def get(self, call: Call) -> dict[str, Any]:
        """Return a branch and its commit."""
        for member, code in (("repositoryName", "RepositoryName"), ("branchName", "BranchName")):
            if not call.request.get(member):
                raise ApiError(f"{code}RequiredException", f"{member}: is missing")
        found, name = self._named(call)
        return {"branch": {"branchName": name, "commitId": self._tip(found, name)}}

    def list(self, call: Call) -> dict[str, Any]:
        """List the names of the branches."""
        found = self._repositories.get(call.request["repositoryName"])
        return dict(page(found.git.branches(), "branches", call.request.get("nextToken")))

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete a branch; one that is not there is no error (API reference: it has none for it)."""
        found, name = self._named(call)
        if name == found.default_branch:
            message = f"{name} is the default branch of {found.name}: choose another one first."
            raise ApiError("DefaultBranchCannotBeDeletedException", message)
        commit = found.branch(name)
        if not commit:
            return {}
        self._repositories.change(found, Change(commit, NOTHING, BRANCHES + name), call.principal)
        return {"deletedBranch": {"branchName": name, "commitId": commit}}

    def choose(self, call: Call) -> dict[str, Any]:
        """Make a branch the default one."""
        found, name = self._named(call, "defaultBranchName")
        self._tip(found, name)
        with found.lock:
            found.default_branch = name
            found.git.show_first(name)
        return {}

    def commit(self, call: Call) -> dict[str, Any]:
        """Return a commit by its full id."""
        found = self._repositories.get(call.request["repositoryName"])
        commit = _full_id(found, call.request["commitId"], "CommitIdDoesNotExistException")
        return {"commit": {"commitId": commit, **_read(found.git.content("commit", commit))}}

    def _named(self, call: Call, member: str = "branchName") -> tuple[Repository, str]:
        found, name = self._repositories.get(call.request["repositoryName"]), call.request[member]
        if not found.git.takes(BRANCHES + name):
            raise ApiError("InvalidBranchNameException", f"{name} cannot be the name of a branch.")
        return found, name

    @staticmethod
    def _tip(repository: Repository, name: str) -> str:
        commit = repository.branch(name)
        if not commit:
            raise ApiError("BranchDoesNotExistException", f"{repository.name} has no branch {name}.")
        return commit


def _full_id(repository: Repository, given: str, missing: str) -> str:
    """Return a commit's id, which has to be given in full and to be a commit.

    Raises:
        ApiError: InvalidCommitIdException, or the code for what is not there.
    """
    if not FULL_ID.fullmatch(given):
        raise ApiError("InvalidCommitIdException", f"{given} is no full commit ID.")
    if repository.git.commit_of(given) != given:
        raise ApiError(missing, f"{repository.name} has no commit {given}.")
    return given


def _read(text: bytes) -> dict[str, Any]:
    """Return what git keeps of a commit: the lines of its head, which go on behind a blank, and the message."""
    head, _, message = text.decode(errors="replace").partition("\n\n")
    members: dict[str, Any] = {"parents": [], "message": message, "additionalData": ""}
    for line in head.replace("\n ", "\0").split("\n"):
        name, _, value = line.partition(" ")
        if name == "tree":
            members["treeId"] = value
        elif name == "parent":
            members["parents"].append(value)
        elif name in ("author", "committer"):
            members[name] = _person(value)
        else:
            members["additionalData"] += line.replace("\0", "\n ") + "\n"
    return members


def _person(line: str) -> dict[str, str]:
    name, _, rest = line.partition(" <")
    email, _, date = rest.partition("> ")
    return {"name": name, "email": email, "date": date}
