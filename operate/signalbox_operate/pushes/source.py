"""The commit that is built, and whether it still is its branch's newest: the repository itself says so."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.stack import OperateError

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# Git's rules are those of `git check-ref-format`; what no branch is called is refused before anything is asked.
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|^\.|/\.|\.$")
_LONGEST = 256  # AWS CodeCommit API reference, BranchName
_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Source:
    """A commit of a branch, as it lies in a folder."""

    folder: Path
    branch: str
    commit: str


def source(folder: Path, branch: str | None, commit: str | None) -> Source | None:
    """Return what is built; None where neither branch nor commit is given, as a person deploys.

    Raises:
        OperateError: only one of the two is given, or one of them is none.
    """
    if branch is None and commit is None:
        return None
    if not branch or not commit:
        raise OperateError("give --commit and --branch together: a build says both")
    if not _COMMIT.fullmatch(commit):
        raise OperateError(f"{commit!r} is no commit: give its id, 7 to 64 digits from 0 to f, as `git rev-parse HEAD`")
    if len(branch) > _LONGEST or _NO_BRANCH.search(branch):
        raise OperateError(f"{branch!r} is no branch: give its name without refs/heads/, as git shows it")
    return Source(folder, branch, commit)


def newer(built: Source) -> str | None:
    """Return what the branch's newest commit is, where that is another one by now; "" where the branch is gone.

    Only so an older build that ends later, or is started again, changes nothing. None also where nobody can be asked:
    the folder is no clone, or the repository does not answer.
    """
    git = shutil.which("git")
    if git is None or not _said(git, built.folder, "remote"):
        return None
    listed = _said(git, built.folder, "ls-remote", "origin", f"refs/heads/{built.branch}")
    if listed is None:
        return None
    head = listed.partition("\t")[0].strip()
    return None if head.startswith(built.commit) else head


def _said(git: str, folder: Path, *words: str) -> str | None:
    """Return what git prints; None where it fails."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603  # git, by words that are no shell's
            [git, "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
