"""A commit made from changes of files, by git's fast-import: one process, however many files there are."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sagemaker_local.codecommit.git import IMPORTS, NOTHING, Bare
from sagemaker_local.codecommit.paths import above
from sagemaker_local.core.errors import ApiError

GIT_MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}


@dataclass(frozen=True)
class FileChange:
    """A file that is put, or one that is deleted: then it has no content."""

    path: str
    content: bytes | None
    mode: str = ""


@dataclass(frozen=True)
class Draft:
    """What a commit is made of."""

    parent: str | None
    name: str
    email: str
    message: str
    when: datetime
    changes: tuple[FileChange, ...]


def make(git: Bare, draft: Draft) -> str:
    """Write a commit, which no branch has yet, and return its id.

    Raises:
        GitError: git refuses it.
    """
    reference = f"{IMPORTS}{uuid.uuid4()}"
    git.run("fast-import", "--quiet", "--force", given=b"".join(_stream(draft, reference)))
    made = git.commit_of(reference) or NOTHING
    git.delete(reference, made)
    return made


def _stream(draft: Draft, reference: str) -> Iterator[bytes]:
    """Yield what fast-import reads (git-fast-import, "Input format")."""
    who = f"{_plain(draft.name)} <{_plain(draft.email)}> {int(draft.when.timestamp())} +0000"
    yield f"commit {reference}\ncommitter {who}\n".encode()
    yield from _data(draft.message.encode())
    if draft.parent:
        yield f"from {draft.parent}\n".encode()
    for change in draft.changes:
        if change.content is None:
            yield b"D " + _quoted(change.path) + b"\n"
    for change in draft.changes:
        if change.content is not None:
            yield f"M {change.mode} inline ".encode() + _quoted(change.path) + b"\n"
            yield from _data(change.content)


def _data(content: bytes) -> Iterator[bytes]:
    yield f"data {len(content)}\n".encode()
    yield content
    yield b"\n"


def _quoted(path: str) -> bytes:
    return b'"' + path.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _plain(text: str) -> str:
    """Return a name or an address without what ends it in git."""
    return "".join(letter for letter in text if letter not in "<>" and letter.isprintable()).strip()


def check_paths(changes: Iterable[FileChange], there: Iterable[str]) -> None:
    """Refuse changes that do not fit each other, or the files that are there.

    Raises:
        ApiError: a path comes twice, is a file and a folder, or names no file to delete.
    """
    changes, files = list(changes), set(there)
    put = {change.path for change in changes if change.content is not None}
    gone = {change.path for change in changes if change.content is None}
    if len(put) + len(gone) < len(changes) or put & gone:
        raise ApiError("SamePathRequestException", "The commit names the same path more than once.")
    for path in sorted(gone - files):
        raise ApiError("FileDoesNotExistException", f"There is no file {path} to delete.")
    left = files - gone
    folders = {folder for path in left for folder in above(path)}
    for path in sorted(put):
        if any(folder in put for folder in above(path)):
            raise ApiError("PutFileEntryConflictException", f"The commit makes a file and a folder of one in {path}.")
        if path in folders:
            raise ApiError("FileNameConflictsWithDirectoryNameException", f"{path} is a folder.")
        if any(folder in left for folder in above(path)):
            raise ApiError("DirectoryNameConflictsWithFileNameException", f"A folder of {path} is a file.")
