"""Write a project's folder whole or not at all: beside its place first, and then moved there."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signalbox_operate.stack import OperateError


def check_free(folder: Path) -> None:
    """Refuse a folder that is there.

    Raises:
        OperateError: it is.
    """
    if folder.exists() or folder.is_symlink():
        raise OperateError(f"{folder} exists already: nothing was written; choose another name, or move it away")


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes `folder` at the end; where writing fails, nothing is left.

    Raises:
        OperateError: it cannot be written, or `folder` is there.
    """
    check_free(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}.") as beside:
            inside = Path(beside) / folder.name
            inside.mkdir()
            yield inside
            inside.rename(folder)
    except OSError as error:
        raise OperateError(f"{folder} cannot be written: {error.strerror or error}") from error


def write(folder: Path, files: dict[str, str]) -> None:
    """Write texts into a folder, by their paths in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def copy(source: Path, target: Path) -> None:
    """Copy a folder without what belongs to its repository or was made in it."""
    left_out = shutil.ignore_patterns(".git", "__pycache__", ".venv", "*.pyc", ".ipynb_checkpoints")
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=left_out, symlinks=True)
