"""The files that a build may copy: those of its context, without what .dockerignore leaves out."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sagemaker_local.docker.errors import DockerError

# Folders that are the machine's own where an image runs, and the one that SageMaker fills.
_ROOT = ("bin", "boot", "dev", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "own", "proc", "sbin", "sys")
SYSTEM = (*_ROOT, "usr", "opt/ml", "opt/environment")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Ignored:
    """The patterns of a .dockerignore; the last that matches counts (docs.docker.com, "Build context")."""

    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def of(cls, folder: Path) -> "Ignored":
        """Return the patterns of a folder's .dockerignore."""
        path = folder / ".dockerignore"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        stripped = (line.strip() for line in lines)
        return cls(tuple(_pattern(line) for line in stripped if line and not line.startswith("#")))

    def leaves_out(self, path: PurePosixPath) -> bool:
        """Tell whether a path, or a folder above it, is left out."""
        out = False
        for expression, back in self.patterns:
            if any(expression.fullmatch(str(one)) for one in (path, *path.parents)):
                out = not back
        return out


def _pattern(line: str) -> tuple[re.Pattern[str], bool]:
    back, text = line.startswith("!"), os.path.normpath(line.lstrip("!")).lstrip("/")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = re.sub(r"\*\*/|\*\*|\*|\?|[^*?]+", lambda match: parts.get(match[0], re.escape(match[0])), text)
    return re.compile(expression), back


@dataclass(frozen=True)
class Context:
    """A build's context."""

    folder: Path
    ignored: Ignored

    @classmethod
    def of(cls, folder: Path) -> "Context":
        """Return the context of a folder."""
        return cls(folder.resolve(), Ignored.of(folder))

    def copy(self, sources: list[str], target: str, root: Path, mode: str = "") -> None:
        """Copy files and the contents of folders to a place in an image.

        Raises:
            DockerError: there is no such file, or it or its target is where none may be.
        """
        place = placed(root, target)
        found = [(source, path) for source in sources for path in self._matching(source)]
        into = target.endswith(("/", "/.")) or len(found) > 1 or place.is_dir()
        for _, path in found:
            if path.is_dir():
                self._folder(path, place, mode)
            else:
                _file(path, place / path.name if into else place, self.folder, mode)

    def _matching(self, source: str) -> list[Path]:
        relative = os.path.normpath(source.lstrip("/")) if source.strip("/") else "."
        if relative.startswith(".."):
            raise DockerError(f"COPY {source}: forbidden path outside the build context")
        paths = [self.folder] if relative == "." else sorted(self.folder.glob(relative))
        kept = [path for path in paths if path == self.folder or not self._left_out(path) or self._has_some(path)]
        if not kept:
            raise DockerError(f'failed to compute cache key: "/{relative}": not found')
        return kept

    def _has_some(self, folder: Path) -> bool:
        """Tell whether something below a folder is taken back, though the folder itself is left out."""
        return folder.is_dir() and any(path.is_file() for path in self._below(folder))

    def _left_out(self, path: Path) -> bool:
        return self.ignored.leaves_out(PurePosixPath(path.relative_to(self.folder).as_posix()))

    def _folder(self, folder: Path, place: Path, mode: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for path in self._below(folder):
            target = place / path.relative_to(folder)
            if path.is_dir() and not path.is_symlink():
                target.mkdir(parents=True, exist_ok=True)
            else:
                _file(path, target, self.folder, mode)

    def _below(self, folder: Path) -> Iterator[Path]:
        return (path for path in sorted(folder.rglob("*")) if not self._left_out(path))


def _file(path: Path, target: Path, context: Path, mode: str) -> None:
    if not path.resolve().is_relative_to(context):
        raise DockerError(f"COPY {path.name}: a link that leads out of the build context is not emulated here")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(path, target, follow_symlinks=False)
    if mode and not target.is_symlink():
        target.chmod(int(mode, 8))


def placed(root: Path, path: str) -> Path:
    """Return where an absolute path of an image lies in its folder.

    Raises:
        DockerError: nothing of an image can lie there.
    """
    inside = os.path.normpath(path).lstrip("/")
    if any(inside == name or inside.startswith(f"{name}/") for name in SYSTEM):
        raise DockerError(f"/{inside} is not emulated here: put it into a folder of its own, such as /opt/program")
    return root / inside


def is_archive(source: str) -> bool:
    """Tell whether ADD would unpack a source."""
    return source.endswith(_ARCHIVES)
