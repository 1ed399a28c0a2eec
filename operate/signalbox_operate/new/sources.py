"""Fetch a template: a seed of ours by its name, a folder, an S3 prefix, or a git repository; and pin what it was."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from signalbox_operate.projects.schema import FILE
from signalbox_operate.stack import OperateError

_PINNED = re.compile(r"(?P<source>.+)@(?P<digest>sha256:[0-9a-f]{64})")
_GIT = re.compile(r"(https?|ssh|git|file)://.+|[\w.-]+@[\w.-]+:.+|.+\.git")
_GIT_SECONDS = 300
_MOST_BYTES = 200 * 1024 * 1024
_SHOWN = 300


@contextmanager
def fetched(template: str, s3: Callable[[], Any]) -> Iterator[tuple[Path, str]]:
    """Give the folder of a template and what pins it, `<source>@sha256:<digest>`; the folder may be a copy that goes.

    Args:
        template: The source, with or without a digest that it has to have.
        s3: Makes a client of S3, for a source that lies there.

    Raises:
        OperateError: there is no such template, or it has another digest.
    """
    pinned = _PINNED.fullmatch(template)
    source, wanted = (pinned["source"], pinned["digest"]) if pinned else (template, None)
    with tempfile.TemporaryDirectory(prefix="signalbox-template-") as copy:
        folder = _folder(source, Path(copy) / "template", s3)
        _check_links(folder)
        found = digest(folder)
        if wanted not in (None, found):
            raise OperateError(
                f"the template {source} is not what it was pinned to: it has the digest {found}. If that change is "
                f"wanted, name it with @{found}"
            )
        yield folder, f"{source}@{found}"


def digest(folder: Path) -> str:
    """Return the digest of a folder's files, by their paths and contents; not of its repository's."""
    found = hashlib.sha256()
    for path in sorted(_files(folder)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return f"sha256:{found.hexdigest()}"


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and ".git" not in inside and "__pycache__" not in inside:
            yield path


def _folder(source: str, copy: Path, s3: Callable[[], Any]) -> Path:
    ours = _ours()
    if source in ours:
        return ours[source]
    if source.startswith("s3://"):
        _download(source, copy, s3())
        return copy
    if Path(source).is_dir():
        return Path(source)
    if _GIT.fullmatch(source.partition("#")[0]):
        _clone(source, copy)
        return copy
    raise OperateError(
        f"there is no template {source!r}: name {_listed(ours)}a folder; s3://BUCKET/PREFIX/; or a "
        "git URL, with #BRANCH or #TAG where another than the main branch is meant"
    )


def _ours() -> dict[str, Path]:
    """Return the seeds of Signalbox by their names; none where the command line was installed by itself."""
    try:
        import projects  # noqa: PLC0415  # they come with a clone alone
    except ImportError:
        return {}
    return {file.parent.name: file.parent for place in projects.__path__ for file in Path(place).glob(f"*/{FILE}")}


def _listed(ours: Iterable[str]) -> str:
    names = ", ".join(sorted(ours))
    return f"one of {names}; " if names else "(the seeds of Signalbox come with a clone of it) "


def _download(source: str, copy: Path, s3: Any) -> None:
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    size = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            path = copy / item["Key"].removeprefix(prefix)
            size += item["Size"]
            if size > _MOST_BYTES or not path.resolve().is_relative_to(copy.resolve()):
                raise OperateError(
                    f"{source} is no template: it is larger than 200 MB, or has keys that lead out of it"
                )
            if not item["Key"].endswith("/"):
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, item["Key"], str(path))
    if not copy.exists():
        raise OperateError(f"there is nothing under {source}: a template is a folder of files with a signalbox.yaml")


def _clone(source: str, copy: Path) -> None:
    url, _, branch = source.partition("#")
    wanted = ["--branch", branch] if branch else []
    git = shutil.which("git")
    if git is None:
        raise OperateError(f"git is not installed here, and {url} needs it: install it, or name a folder")
    try:
        done = subprocess.run(  # noqa: S603  # what the person named; `--` keeps it from being an option
            [git, "clone", "--quiet", "--depth", "1", *wanted, "--", url, str(copy)],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise OperateError(f"git did not fetch {url} within {_GIT_SECONDS} seconds") from error
    if done.returncode:
        raise OperateError(f"git cannot fetch {source}: {done.stderr.strip()[-_SHOWN:]}")


def _check_links(folder: Path) -> None:
    home = folder.resolve()
    outside = next((path for path in folder.rglob("*") if not path.resolve().is_relative_to(home)), None)
    if outside is not None:
        raise OperateError(f"{outside.relative_to(folder)} of the template is a link that leads out of it")
