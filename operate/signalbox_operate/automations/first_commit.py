"""The first commit of a project's repository: the files of its folder, as a zip."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.automations import archives
from signalbox_operate.stack import OperateError

# Of one commit (CodeCommit User Guide, "Quotas"; API reference, CreateCommit).
MOST_FILES, MOST_BYTES, LARGEST = 100, 6 * 1024 * 1024, 6 * 1024 * 1024
_CACHES = {"__pycache__", "node_modules", "venv", "build", "dist"}
_HIDDEN = {".gitignore", ".dockerignore", ".gitattributes"}  # that belong to the code
_OWN_PUSH = "make the repository without a commit (--empty), and push the folder to it"


@dataclass(frozen=True)
class FirstCommit:
    """A zip, and its key in the artifacts bucket."""

    key: str
    content: bytes


def make(project: str, folder: Path) -> FirstCommit:
    """Return the files of a project's folder as its repository gets them.

    Raises:
        OperateError: they are more, or larger, than a commit may be, or one leads out of the folder.
    """
    listed = names(folder)
    sizes = {name: (folder / name).stat().st_size for name in listed}
    _refuse(folder, sizes)
    files = {name: (folder / name).read_bytes() for name in listed}
    programs = [name for name in listed if (folder / name).stat().st_mode & 0o100]
    return FirstCommit(
        f"first-commits/{project}/{archives.digest(files, programs)}.zip", archives.pack(files, programs)
    )


def names(folder: Path) -> list[str]:
    """Return the names of the files in a project's folder that belong to its code.

    Raises:
        OperateError: one leads out of the folder.
    """
    listed = _known_to_git(folder) or sorted(_found(folder))
    outside = [name for name in listed if not (folder / name).resolve().is_relative_to(folder.resolve())]
    if outside:
        raise OperateError(f"{outside[0]} in {folder} is a link that leads out of it: copy the file there")
    return listed


def _refuse(folder: Path, sizes: dict[str, int]) -> None:
    if len(sizes) > MOST_FILES:
        raise OperateError(f"{folder} has {len(sizes):,} files, and a first commit at most {MOST_FILES}: {_OWN_PUSH}")
    for name, size in sizes.items():
        if size > LARGEST:
            raise OperateError(
                f"{name} in {folder} has {size:,} bytes, and a file of a first commit at most {LARGEST:,}: keep data "
                f"out of the code, in .gitignore, or {_OWN_PUSH}"
            )
    size = sum(sizes.values())
    if size > MOST_BYTES:
        raise OperateError(
            f"{folder} has {size:,} bytes, and a first commit at most {MOST_BYTES:,}: keep data out of the code, in "
            f".gitignore, or {_OWN_PUSH}"
        )


def _known_to_git(folder: Path) -> list[str]:
    """Return what git would commit of a folder; nothing where it is in no repository, or that ignores it whole."""
    git = shutil.which("git")
    if git is None:
        return []
    words = ["-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(  # noqa: S603  # the user's own git, by words that are no shell's
        [git, *words], capture_output=True, text=True, errors="surrogateescape", check=False
    )
    listed = done.stdout.split("\0") if done.returncode == 0 else []
    return sorted({name for name in listed if name and (folder / name).is_file()})


def _found(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") and part not in _HIDDEN for part in parts)
        if path.is_file() and not hidden and not _CACHES & set(parts):
            yield path.relative_to(folder).as_posix()
