"""The repositories of a region: their records, their references, and what is told when one of those changes."""

import re
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sagemaker_local.codecommit.git import BRANCHES, FULL_ID, NOTHING, TAGS, Bare
from sagemaker_local.core.cloud import Access, Events
from sagemaker_local.core.errors import ApiError

# The pattern of the published resource schema, which is narrower than the API's (cfn-lint 1.53).
_NAME = re.compile(r"[a-zA-Z0-9._-]+(?<!\.git)")
_EVENT = "CodeCommit Repository State Change"


@dataclass(frozen=True)
class Surroundings:
    """Where the repositories are, who may do what, and where events go."""

    account: str
    region: str
    folder: Path
    access: Access
    events: Events
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def arn(self, name: str) -> str:
        """Return a repository's ARN."""
        return f"arn:aws:codecommit:{self.region}:{self.account}:{name}"


class Change(NamedTuple):
    """A reference that stands for another object than before; NOTHING where there was or is none."""

    old: str
    new: str
    reference: str


@dataclass
class Repository:
    """One repository, and what the API keeps of it."""

    id: str
    name: str
    git: Bare
    created: datetime
    modified: datetime
    description: str | None = None
    key: str | None = None
    default_branch: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def branch(self, name: str) -> str | None:
        """Return the commit of a branch."""
        return self.git.commit_of(BRANCHES + name) if self.git.takes(BRANCHES + name) else None

    def commit(self, specifier: str | None) -> str:
        """Return the commit that a request names: by an id, a branch, a tag, a full reference, HEAD, or not at all.

        Raises:
            ApiError: there is none, or it cannot be a name.
        """
        named = self.default_branch if specifier in (None, "", "HEAD") else specifier
        if not named:
            raise ApiError("CommitDoesNotExistException", f"{self.name} has no default branch: name a commit.")
        if FULL_ID.fullmatch(named):
            names = [named]
        else:
            names = [named] if named.startswith("refs/") else [BRANCHES + named, TAGS + named]
            if not self.git.takes(names[0]):
                raise ApiError("InvalidCommitException", f"{named} is neither a commit ID nor a branch, tag or HEAD.")
        found = next((commit for name in names if (commit := self.git.commit_of(name))), None)
        if not found:
            raise ApiError("CommitDoesNotExistException", f"{self.name} has no commit {named}.")
        return found


class Repositories:
    """All repositories of a region, by their names, which are as they are written."""

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        self.folder = here.folder / "codecommit" / here.region
        self._known: dict[str, Repository] = {}
        self._lock = threading.Lock()

    def create(self, name: str, description: str | None, key: str | None, tags: dict[str, str]) -> Repository:
        """Make an empty repository.

        Raises:
            ApiError: the name is taken, or cannot be one.
        """
        check_name(name)
        new, now = str(uuid.uuid4()), self.here.clock()
        made = Repository(new, name, Bare(self.folder / f"{new}.git"), now, now, description, key, tags=tags)
        with self._lock:
            self._require_free(name)
            made.git.create()
            self._known[name] = made
        return made

    def _require_free(self, name: str) -> None:
        if name in self._known:
            raise ApiError("RepositoryNameExistsException", f"Repository named {name} already exists")

    def find(self, name: str) -> Repository | None:
        """Return a repository; None where there is none."""
        return self._known.get(name)

    def get(self, name: str) -> Repository:
        """Return a repository.

        Raises:
            ApiError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise ApiError("RepositoryDoesNotExistException", f"{name} does not exist")
        return found

    def all(self) -> list[Repository]:
        """Return all repositories."""
        with self._lock:
            return list(self._known.values())

    def rename(self, old: str, new: str) -> None:
        """Give a repository another name.

        Raises:
            ApiError: there is none, or the name is taken or cannot be one.
        """
        check_name(new)
        with self._lock:
            found = self.get(old)
            self._require_free(new)
            self._known[new] = self._known.pop(old)
            found.name, found.modified = new, self.here.clock()

    def delete(self, name: str) -> Repository | None:
        """Delete a repository, and return what there was."""
        with self._lock:
            gone = self._known.pop(name, None)
        if gone:
            shutil.rmtree(gone.git.path, ignore_errors=True)
        return gone

    def change(self, repository: Repository, change: Change, principal: str) -> None:
        """Let a reference stand for another commit, and tell of it.

        Raises:
            GitError: it stands for something else than expected, or cannot be.
        """
        if change.new == NOTHING:
            repository.git.delete(change.reference, change.old)
        else:
            repository.git.set(change.reference, change.new, change.old)
        self.tell(repository, [change], principal)

    def tell(self, repository: Repository, changes: Sequence[Change], principal: str) -> None:
        """Keep what changed, and send an event for each branch and tag.

        The first branch that a repository gets is its default branch (User Guide, "Change branch settings").
        """
        with repository.lock:
            repository.modified = self.here.clock()
            made = [one.reference for one in changes if one.reference.startswith(BRANCHES) and one.new != NOTHING]
            if made and repository.default_branch is None:
                repository.default_branch = made[0].removeprefix(BRANCHES)
                repository.git.show_first(repository.default_branch)
        for change in changes:
            if detail := _detail(repository, change):
                arn = self.here.arn(repository.name)
                self.here.events.send(_EVENT, [arn], {**detail, "callerUserArn": principal})


def check_name(name: str) -> None:
    """Refuse what cannot be a repository's name.

    Raises:
        ApiError: InvalidRepositoryNameException.
    """
    if not _NAME.fullmatch(name):
        message = f"{name} has other characters than letters, digits, dots, dashes and underscores, or ends in .git."
        raise ApiError("InvalidRepositoryNameException", message)


def _detail(repository: Repository, change: Change) -> dict[str, Any] | None:
    """Return what an event says (User Guide, "Monitoring CodeCommit events"); a tag's commits are what it was set on.

    There is no `commitId` of a reference that is gone, and no `oldCommitId` of a new one.
    """
    kinds = {BRANCHES: "branch", TAGS: "tag"}
    prefix = next((one for one in kinds if change.reference.startswith(one)), None)
    if prefix is None:
        return None
    commits = {"commitId": change.new, "oldCommitId": change.old}
    event = {NOTHING: "referenceCreated"}.get(change.old) or {NOTHING: "referenceDeleted"}.get(change.new)
    return {
        "event": event or "referenceUpdated",
        "repositoryName": repository.name,
        "repositoryId": repository.id,
        "referenceType": kinds[prefix],
        "referenceName": change.reference.removeprefix(prefix),
        "referenceFullName": change.reference,
        **{name: repository.git.commit_of(one) or one for name, one in commits.items() if one != NOTHING},
    }
