"""Programs that use /opt/ml itself on a machine that gives them no namespaces: found, and told in a sentence.

There the folder is another one, so such a program fails, or writes where nobody looks, which is worse.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sagemaker_local.runtime import namespaces
from sagemaker_local.runtime.lines import end
from sagemaker_local.runtime.workspace import ROOT, Workspace

_ERRORS = r"FileNotFoundError|PermissionError|NotADirectoryError|No such file|Permission denied|Read-only file system"
_PATH = r"/opt/ml[\w./-]*"
_NAMED = re.compile(rf"(?:{_ERRORS}).*?(?<![\w/])({_PATH})|(?<![\w/])({_PATH}).*?(?:{_ERRORS})")


def in_log(workspace: Workspace, log: Path) -> str | None:
    """Return a sentence about the path under /opt/ml that a program did not find, by the end of its log."""
    found = None if workspace.boxed else _NAMED.search(end(log))
    return _sentence(f"used {found[1] or found[2]} itself") if found else None


def written(workspace: Workspace, since: datetime, root: Path = Path(ROOT)) -> str | None:
    """Return a sentence about a file that was written to this machine's own /opt/ml since a moment."""
    if workspace.boxed or not root.is_dir():
        return None
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_mtime >= since.timestamp():
            return _sentence(f"wrote {ROOT}/{path.relative_to(root).as_posix()}")
    return None


def nothing_in(workspace: Workspace, outputs: Iterable[Path]) -> str | None:
    """Return a sentence about an output in which a program left nothing."""
    if workspace.boxed:
        return None
    for folder in outputs:
        if not any(path.is_file() for path in folder.rglob("*")):
            place = f"{ROOT}/{folder.relative_to(workspace.base).as_posix()}"
            return _sentence(f"left nothing in {folder}, which stands for {place}; perhaps it used {place} itself")
    return None


def _sentence(deed: str) -> str:
    return (
        f"the program {deed}, and this machine has no {ROOT} for it because it gives programs no namespaces "
        f"({namespaces.refusal()}). Let the program find the folder in SAGEMAKER_BASE_DIR or in its arguments, or run "
        "the local cloud on a Linux machine that allows user namespaces."
    )
