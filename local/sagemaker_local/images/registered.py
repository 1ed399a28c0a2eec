"""An image that was pushed to ECR: a tree of files, and what its configuration says about how it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local.images.catalog import Image, UnfitProgramError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REQUIREMENTS = "requirements.txt"
OWN = "sagemaker_local"
"""The member of an image's configuration that has what only this cloud reads."""


@dataclass(frozen=True)
class RegisteredImage(Image):
    """An image of ECR; `folder` is its root, and `settings` the `config` of its configuration.

    Attributes:
        registered: the digest of its manifest.
        settings: Env, Entrypoint, Cmd and WorkingDir, as Docker writes them.
        installed: the requirements file of what `RUN pip install` names.
    """

    registered: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    installed: Path | None = None

    @classmethod
    def of(cls, name: str, folder: Path, digest: str, configuration: Mapping[str, Any]) -> RegisteredImage:
        """Return the image of a folder that has its files in `root`."""
        wanted = configuration.get(OWN, {}).get("requirements", "")
        file = folder / REQUIREMENTS
        if wanted and not file.is_file():
            file.write_text(wanted)
        settings = configuration.get("config", {})
        return cls(name, folder / "root", registered=digest, settings=settings, installed=file if wanted else None)

    @property
    def digest(self) -> str:
        """Return the digest of its manifest."""
        return self.registered

    @property
    def requirements(self) -> Path | None:
        """What it has of Python's packages."""
        return self.installed

    @property
    def place(self) -> str:
        """Where its files lie in a container: at the root."""
        return ""

    @property
    def workdir(self) -> str:
        """Where its programs are started."""
        return self._at(self.settings.get("WorkingDir") or "/")

    @property
    def entrypoint(self) -> list[str]:
        """What it runs where nothing else is named."""
        return [*self.settings.get("Entrypoint", ()), *self.settings.get("Cmd", ())]

    def path(self) -> list[str]:
        """Return those folders of its PATH that it has itself."""
        return [self._at(folder) for folder in self._path() if self._own_path(folder)]

    def variables(self) -> dict[str, str]:
        """Return its variables but PATH, with its own folders where a program finds them."""
        return {name: self._moved(value) for name, value in self._lines() if name != "PATH"}

    def train_command(self, hyperparameters: Mapping[str, str]) -> list[str]:
        """Return what `docker run <image> train` runs.

        Raises:
            UnfitProgramError: the image has no such program, or it cannot be executed.
        """
        del hyperparameters
        return self._run("train")

    def serve_command(self, environment: Mapping[str, str]) -> list[str]:
        """Return what `docker run <image> serve` runs.

        Raises:
            UnfitProgramError: the image has no such program, or it cannot be executed.
        """
        del environment
        return self._run("serve")

    def command(self, entrypoint: Sequence[str], arguments: Sequence[str] = ()) -> list[str]:
        """Return a command with the image's own Python, and its own programs by where they are."""
        first, *rest = entrypoint
        found = self._found(first)
        words = [*(self._program(found, first) if found else super().command([first])), *rest, *arguments]
        return [words[0], *(self._moved(word) for word in words[1:])]

    def _run(self, program: str) -> list[str]:
        words = [*self.settings.get("Entrypoint", ()), program]
        if len(words) == 1 and self._found(program) is None:
            raise UnfitProgramError(
                f"image {self.name!r} has no program {program!r} on its PATH, {':'.join(self._path())}"
            )
        return self.command(words)

    def _found(self, program: str) -> Path | None:
        """Return a program of the image's own, by its path or on its PATH."""
        if "/" in program:
            start = Path(self.settings.get("WorkingDir") or "/")
            return self._own_path(os.path.normpath(start / program))
        return next((path for folder in self._path() if (path := self._own_path(f"{folder}/{program}"))), None)

    def _own_path(self, path: str) -> Path | None:
        """Return where a path of the image lies on this machine, if the image has it."""
        own = (self.folder or Path()) / path.lstrip("/")
        return own if path.startswith("/") and own.exists() else None

    def _program(self, path: Path, program: str) -> list[str]:
        inside = self._at(f"/{path.relative_to(self.folder or path).as_posix()}")
        return self._checked(path, inside, f"program {program!r} of image {self.name!r}")

    def _at(self, path: str) -> str:
        """Return where a program finds a path of the image."""
        return path if self.seen else f"{self.folder}{path}"

    def _moved(self, value: str) -> str:
        """Return a value with the image's own paths in it as a program finds them."""
        return ":".join(self._at(part) if self._own_path(part) else part for part in value.split(":"))

    def _path(self) -> list[str]:
        return dict(self._lines()).get("PATH", "").split(":")

    def _lines(self) -> Iterator[tuple[str, str]]:
        for line in self.settings.get("Env", ()):
            name, _, value = line.partition("=")
            yield name, value
