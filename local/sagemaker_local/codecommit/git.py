"""A bare repository, worked on with the program `git`, which reads nobody's settings."""

import os
import re
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

NOTHING = "0" * 40
"""The id of no commit: what a reference was before it was made, and is when it is gone."""
FULL_ID = re.compile(r"[0-9a-f]{40}")
BRANCHES, TAGS = "refs/heads/", "refs/tags/"
IMPORTS = "refs/imports/"
"""Where commits of the API are made; nobody is shown it."""
REFUSAL_VARIABLE, CHANGES_VARIABLE = "CODECOMMIT_REFUSAL", "CODECOMMIT_CHANGES"
# What git runs before and after it takes a push (githooks): whoever starts it says why a push is refused, and where
# the references that changed are written down.
_HOOKS = {
    "pre-receive": f'#!/bin/sh\n[ -z "${REFUSAL_VARIABLE}" ] || {{ echo "${REFUSAL_VARIABLE}" >&2; exit 1; }}\n',
    "post-receive": f'#!/bin/sh\nexec cat >"${CHANGES_VARIABLE}"\n',
}
# Nothing goes on behind an answer, and what the API has under way is not shown.
_SETTINGS = {
    "gc.auto": "0",
    "receive.autogc": "false",
    "http.receivepack": "true",
    "transfer.hideRefs": IMPORTS.rstrip("/"),
}


class GitError(Exception):
    """git refused; the message is its own."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Entry:
    """A file, a link, a folder or a submodule of a commit."""

    mode: str
    kind: str
    id: str


def environment() -> dict[str, str]:
    """Return the variables that git is started with."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_LITERAL_PATHSPECS": "1",
    }


class Bare:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Make it, empty."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(self.path))
        for name, value in _SETTINGS.items():
            self.run("config", name, value)
        hooks = self.path / "hooks"
        hooks.mkdir()
        for name, text in _HOOKS.items():
            (hooks / name).write_text(text)
            (hooks / name).chmod(0o755)

    def run(self, *words: str, given: bytes = b"", passing: Collection[int] = (0,)) -> bytes:
        """Return what git prints.

        Raises:
            GitError: it ends with a status that is not among `passing`.
        """
        return self._run("--git-dir", str(self.path), *words, given=given, passing=passing)

    @staticmethod
    def _run(*words: str, given: bytes = b"", passing: Collection[int] = (0,)) -> bytes:
        done = subprocess.run(["git", *words], input=given, env=environment(), capture_output=True, check=False)
        if done.returncode not in passing:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def commit_of(self, name: str) -> str | None:
        """Return the commit that a full id or a reference stands for; a tag's is what it was set on."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self.run(*words, passing=(0, 1, 128)).decode().strip() or None

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""
        return self.run("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def branches(self) -> list[str]:
        """Return the names of the branches, sorted."""
        found = self.run("for-each-ref", "--format=%(refname)", BRANCHES).decode()
        return [line.removeprefix(BRANCHES) for line in found.splitlines()]

    def takes(self, reference: str) -> bool:
        """Tell whether a reference may be called so."""
        try:
            self.run("check-ref-format", reference)
        except (GitError, ValueError):  # a ValueError: no argument of a program is so
            return False
        return True

    def set(self, reference: str, new: str, old: str) -> None:
        """Let a reference stand for another commit, if it stands for `old` (NOTHING: if there is none).

        Raises:
            GitError: it stands for something else, or cannot be.
        """
        self.run("update-ref", reference, new, old)

    def delete(self, reference: str, old: str) -> None:
        """Delete a reference, if it stands for `old`.

        Raises:
            GitError: it stands for something else.
        """
        self.run("update-ref", "-d", reference, old)

    def show_first(self, branch: str) -> None:
        """Let a clone begin with a branch."""
        self.run("symbolic-ref", "HEAD", BRANCHES + branch)

    def files(self, commit: str, path: str = "") -> dict[str, Entry]:
        """Return the files, links and submodules of a commit by their paths, or those at or below one path."""
        return self._entries(commit, path, "-r")

    def entry(self, commit: str, path: str) -> Entry | None:
        """Return what a commit has at a path."""
        return self._entries(commit, path).get(path)

    def children(self, commit: str, folder: str) -> dict[str, Entry]:
        """Return what is in a folder, by paths."""
        return self._entries(commit, f"{folder}/" if folder else "")

    def _entries(self, commit: str, path: str, *options: str) -> dict[str, Entry]:
        found = self.run("ls-tree", "-z", *options, commit, *(("--", path) if path else ()))
        entries = {}
        for line in found.decode(errors="surrogateescape").split("\0")[:-1]:
            about, _, name = line.partition("\t")
            entries[name] = Entry(*about.split())
        return entries

    def size(self, blob: str) -> int:
        """Return the number of bytes of a file."""
        return int(self.run("cat-file", "-s", blob))

    def content(self, kind: str, object_id: str) -> bytes:
        """Return a blob, or a commit as git keeps it."""
        return self.run("cat-file", kind, object_id)
