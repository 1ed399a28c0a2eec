"""The operations that read files: one, a folder, and the differences between two commits."""

from typing import Any

from sagemaker_local.codecommit.git import Entry
from sagemaker_local.codecommit.paging import PAGE, page
from sagemaker_local.codecommit.paths import checked
from sagemaker_local.codecommit.repositories import Repositories, Repository
from sagemaker_local.core.cloud import Call, Handler
from sagemaker_local.core.errors import ApiError

LARGEST = 6 * 1024 * 1024  # bytes of a file in a request or an answer (botocore's model, FileContent)
MODES = {"100644": "NORMAL", "100755": "EXECUTABLE", "120000": "SYMLINK"}
type Side = dict[str, tuple[str, Entry]]
"""The files of one side of a comparison: their whole paths, by what they are called below the compared path."""


class FileCalls:
    """GetFile, GetFolder and GetDifferences."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {"GetFile": self.file, "GetFolder": self.folder, "GetDifferences": self.differences}

    def file(self, call: Call) -> dict[str, Any]:
        """Return a file's content."""
        found, commit, path = self._asked(call, "filePath")
        entry = found.git.entry(commit, path) if path else None
        if entry is None or entry.kind != "blob":
            raise ApiError("FileDoesNotExistException", f"{commit} has no file {path}.")
        size = found.git.size(entry.id)
        if size > LARGEST:
            raise ApiError("FileTooLargeException", f"{path} has {size:,} bytes, and {LARGEST:,} are the most.")
        return {
            "commitId": commit,
            "blobId": entry.id,
            "filePath": path,
            "fileMode": MODES[entry.mode],
            "fileSize": size,
            "fileContent": found.git.content("blob", entry.id),
        }

    def folder(self, call: Call) -> dict[str, Any]:
        """Return what is in a folder."""
        found, commit, path = self._asked(call, "folderPath")
        entry = found.git.entry(commit, path) if path else Entry("040000", "tree", found.git.tree_of(commit))
        if entry is None or entry.kind != "tree":
            raise ApiError("FolderDoesNotExistException", f"{commit} has no folder {path}.")
        answer: dict[str, Any] = {"subFolders": [], "files": [], "symbolicLinks": [], "subModules": []}
        for place, one in found.git.children(commit, path).items():
            names = {"absolutePath": place, "relativePath": place.removeprefix(f"{path}/")}
            if one.kind == "tree":
                answer["subFolders"].append({"treeId": one.id, **names})
            elif one.kind == "commit":
                answer["subModules"].append({"commitId": one.id, **names})
            else:
                place_of = "symbolicLinks" if MODES[one.mode] == "SYMLINK" else "files"
                answer[place_of].append({"blobId": one.id, "fileMode": MODES[one.mode], **names})
        return {"commitId": commit, "folderPath": path, "treeId": entry.id, **answer}

    def differences(self, call: Call) -> dict[str, Any]:
        """Return which files differ between two commits; without an earlier one, all of the later one's."""
        request = call.request
        found = self._repositories.get(request["repositoryName"])
        before, after = request.get("beforeCommitSpecifier"), request["afterCommitSpecifier"]
        old = _side(found, before, request.get("beforePath")) if before else {}
        new = _side(found, after, request.get("afterPath"))
        changes = [
            _difference(old.get(name), new.get(name))
            for name in sorted({*old, *new})
            if old.get(name, ("", None))[1] != new.get(name, ("", None))[1]
        ]
        size = request.get("MaxResults", PAGE)
        if size < 1:
            raise ApiError("InvalidMaxResultsException", f"MaxResults has to be above 0, not {size}.")
        return dict(page(changes, "differences", request.get("NextToken"), size, "NextToken"))

    def _asked(self, call: Call, member: str) -> tuple[Repository, str, str]:
        found = self._repositories.get(call.request["repositoryName"])
        commit = found.commit(call.request.get("commitSpecifier"))
        return found, commit, checked(call.request[member], root=member == "folderPath")


def _side(repository: Repository, specifier: str, given: str | None) -> Side:
    path = checked(given, root=True) if given else ""
    files = repository.git.files(repository.commit(specifier), path)
    if path and not files:
        raise ApiError("PathDoesNotExistException", f"{specifier} has nothing at {path}.")
    return {place.removeprefix(path).lstrip("/"): (place, entry) for place, entry in files.items()}


def _difference(old: tuple[str, Entry] | None, new: tuple[str, Entry] | None) -> dict[str, Any]:
    kind = "A" if old is None else "D" if new is None else "M"
    sides = {"beforeBlob": old, "afterBlob": new}
    blobs = {side: {"blobId": one[1].id, "path": one[0], "mode": one[1].mode} for side, one in sides.items() if one}
    return {**blobs, "changeType": kind}
