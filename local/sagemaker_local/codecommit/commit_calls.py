"""The operations that make a commit: CreateCommit and PutFile."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.codecommit.commits import GIT_MODES, Draft, FileChange, check_paths, make
from sagemaker_local.codecommit.file_calls import LARGEST, MODES
from sagemaker_local.codecommit.git import BRANCHES, FULL_ID, NOTHING, TAGS, Bare, Entry, GitError
from sagemaker_local.codecommit.paths import checked
from sagemaker_local.codecommit.repositories import Change, Repositories, Repository
from sagemaker_local.core.cloud import Call, Handler
from sagemaker_local.core.errors import ApiError

# What a commit by the API may have (User Guide, "Quotas"; botocore's model for a file): files, and bytes of all.
MOST_FILES, MOST_BYTES = 100, 7_000_000
_LONGEST_MESSAGE = 256 * 1024  # bytes (API reference, CreateCommit)


@dataclass(frozen=True)
class Author:
    """Who makes a commit, and why; empty for what the service says itself."""

    name: str = ""
    email: str = ""
    message: str = ""


@dataclass(frozen=True)
class Made:
    """A commit that a branch has got, with the files before and after it."""

    commit: str
    tree: str
    before: dict[str, Entry]
    after: dict[str, Entry]


class CommitCalls:
    """Making commits on the tip of a branch."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {"CreateCommit": self.create, "PutFile": self.put}

    def create(self, call: Call) -> dict[str, Any]:
        """Put and delete files in one commit."""
        request = call.request
        changes = [*map(_put, request.get("putFiles", [])), *map(_deleted, request.get("deleteFiles", []))]
        _check_limits(changes)
        author = Author(*(request.get(name, "") for name in ("authorName", "email", "commitMessage")))
        made = self._committed(call, changes, author)
        return {"commitId": made.commit, "treeId": made.tree, **_files(made, changes)}

    def put(self, call: Call) -> dict[str, Any]:
        """Put one file in a commit of its own."""
        request = call.request
        change = _put(request)
        _check_limits([change])
        author = Author(*(request.get(name, "") for name in ("name", "email", "commitMessage")))
        made = self._committed(call, [change], author)
        return {"commitId": made.commit, "treeId": made.tree, "blobId": made.after[change.path].id}

    def _committed(self, call: Call, changes: Sequence[FileChange], author: Author) -> Made:
        repository, branch = self._repositories.get(call.request["repositoryName"]), call.request["branchName"]
        if not repository.git.takes(BRANCHES + branch):
            raise ApiError("InvalidBranchNameException", f"{branch} cannot be the name of a branch.")
        parent = _parent(repository, branch, call.request.get("parentCommitId"))
        same = "SameFileContentException" if call.operation == "PutFile" else "NoChangeException"
        return self.commit(repository, branch, parent, changes, author, call.principal, same)

    def commit(
        self,
        repository: Repository,
        branch: str,
        parent: str | None,
        changes: Sequence[FileChange],
        author: Author,
        principal: str,
        same: str = "NoChangeException",
    ) -> Made:
        """Make a commit, and let a branch have it.

        Raises:
            ApiError: it does not fit, changes nothing, or the branch moved meanwhile.
        """
        git, before = repository.git, repository.git.files(parent) if parent else {}
        check_paths(changes, before)
        _check_author(author)
        name = author.name or principal.rpartition("/")[2].rpartition(":")[2]
        message = author.message or f"Changed {len(changes)} file{'s' if len(changes) > 1 else ''}"
        draft = Draft(parent, name, author.email, message, self._repositories.here.clock(), tuple(changes))
        commit = _written(git, draft)
        tree = git.tree_of(commit)
        if parent and tree == git.tree_of(parent):
            raise ApiError(same, "The commit would change nothing.")
        try:
            self._repositories.change(repository, Change(parent or NOTHING, commit, BRANCHES + branch), principal)
        except GitError as error:
            moved = repository.branch(branch) != parent
            code = "ParentCommitIdOutdatedException" if moved else "InvalidBranchNameException"
            raise ApiError(code, f"{branch} cannot have the commit: {error}") from error
        return Made(commit, tree, before, git.files(commit))


def _written(git: Bare, draft: Draft) -> str:
    try:
        return make(git, draft)
    except GitError as error:
        raise ApiError("InvalidPathException", f"git does not take the files: {error}") from error


def _parent(repository: Repository, branch: str, given: str | None) -> str | None:
    """Return the commit that a branch has, and that a request has to name; None in an empty repository.

    Raises:
        ApiError: there is no such branch, or another commit is named, or none (API reference, CreateCommit).
    """
    tip = repository.branch(branch)
    if tip is None and repository.git.branches():
        if repository.git.commit_of(TAGS + branch):
            raise ApiError("BranchNameIsTagNameException", f"{branch} is a tag.")
        raise ApiError("BranchDoesNotExistException", f"{repository.name} has no branch {branch}.")
    if given is None:
        if tip:
            raise ApiError("ParentCommitIdRequiredException", f"{branch} is at {tip}: name it as the parent.")
        return None
    if not FULL_ID.fullmatch(given):
        raise ApiError("InvalidParentCommitIdException", f"{given} is no full commit ID.")
    if repository.git.commit_of(given) != given:
        raise ApiError("ParentCommitDoesNotExistException", f"{repository.name} has no commit {given}.")
    if given != tip:
        raise ApiError("ParentCommitIdOutdatedException", f"{branch} is at {tip}, not at {given}.")
    return tip


def _put(entry: Any) -> FileChange:
    if "fileContent" not in entry:
        raise ApiError("SourceFileOrContentRequiredException", f"{entry['filePath']} has no content.")
    mode = GIT_MODES[entry.get("fileMode") or "NORMAL"]
    return FileChange(checked(entry["filePath"]), entry["fileContent"], mode)


def _deleted(entry: Any) -> FileChange:
    return FileChange(checked(entry["filePath"]), None)


def _check_limits(changes: Sequence[FileChange]) -> None:
    """Hold a request to what the API takes at once.

    Raises:
        ApiError: it has no file, too many, or too large ones.
    """
    if not changes:
        raise ApiError("FileEntryRequiredException", "The commit names no file.")
    if len(changes) > MOST_FILES:
        message = f"The commit has {len(changes)} files, and {MOST_FILES} are the most: push them with git."
        raise ApiError("MaximumFileEntriesExceededException", message)
    folders: Counter[str] = Counter()
    for change in changes:
        folders[change.path.rpartition("/")[0]] += len(change.content or b"")
    if max(folders.values()) > LARGEST:
        raise ApiError("FolderContentSizeLimitExceededException", f"A folder has more than {LARGEST:,} bytes.")
    if folders.total() > MOST_BYTES:
        raise ApiError("FileContentSizeLimitExceededException", f"The files have more than {MOST_BYTES:,} bytes.")


def _check_author(author: Author) -> None:
    if len(author.message.encode()) > _LONGEST_MESSAGE:
        message = f"A commit message has at most {_LONGEST_MESSAGE:,} bytes."
        raise ApiError("CommitMessageLengthExceededException", message)


def _files(made: Made, changes: Sequence[FileChange]) -> dict[str, Any]:
    answer: dict[str, list[dict[str, str]]] = {"filesAdded": [], "filesUpdated": [], "filesDeleted": []}
    for change in changes:
        path = change.path
        kind = "Deleted" if change.content is None else "Updated" if path in made.before else "Added"
        entry = made.before[path] if kind == "Deleted" else made.after[path]
        answer[f"files{kind}"].append(
            {"absolutePath": path, "blobId": entry.id, "fileMode": MODES.get(entry.mode, "NORMAL")}
        )
    return answer
