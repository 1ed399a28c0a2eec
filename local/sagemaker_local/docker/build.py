"""`docker build`: a Dockerfile's instructions, one after another, on a folder."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_local.docker.commands import Runner
from sagemaker_local.docker.context import Context, is_archive, placed
from sagemaker_local.docker.dockerfile import HONOURED, Instruction, pairs, parse, substituted, words
from sagemaker_local.docker.errors import DockerError
from sagemaker_local.docker.store import OWN, LocalImage, Store

type Find = Callable[[str], LocalImage | None]
"""From an image's name to the image, which may be pulled; None where it cannot be had."""

_PYTHON = re.compile(
    r"(?:docker\.io/)?(?:(?:public\.ecr\.aws/docker/)?library/)?python:3(?:\.(?P<minor>\d+)(?:\.\d+)?)?(?:-slim)?"
    r"(?:-(?:trixie|bookworm|bullseye))?"
)
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_COPY_FLAGS = frozenset({"chmod", "chown", "link"})
_PREDEFINED = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass
class ImageBuild:
    """An image in the making."""

    store: Store
    context: Context
    given: Mapping[str, str]
    find: Find
    say: Callable[[str], None]
    _root: Path = field(init=False)
    _arguments: dict[str, str] = field(default_factory=dict)
    _settings: dict[str, Any] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _requirements: list[str] = field(default_factory=list)
    _begun: bool = False

    def build(self, text: str) -> LocalImage:
        """Build the image of a Dockerfile.

        Raises:
            DockerError: something of it cannot be done here.
        """
        instructions = parse(text)
        self._root = self.store.fresh()
        for number, instruction in enumerate(instructions, 1):
            self.say(f"Step {number}/{len(instructions)} : {instruction.name} {instruction.rest}")
            if not self._begun and instruction.name not in ("FROM", "ARG"):
                raise DockerError("no build stage in current context: a Dockerfile begins with FROM")
            _DO[instruction.name](self, instruction)
        if not self._begun:
            raise DockerError("no build stage in current context: a Dockerfile begins with FROM")
        self._settings["Env"] = [f"{name}={value}" for name, value in self._variables.items()]
        return self.store.keep(self._root, self._settings, "".join(f"{line}\n" for line in self._requirements))

    def _put_in(self, text: str) -> str:
        return substituted(text, {**self._arguments, **self._variables})

    def _workdir(self) -> str:
        return str(self._settings.get("WorkingDir") or "/")

    def _from(self, instruction: Instruction) -> None:
        if self._begun:
            raise DockerError(f"{instruction}: a second stage is not emulated here")
        base, *rest = self._put_in(instruction.rest).split() or [""]
        if rest and rest[0].upper() != "AS":
            raise DockerError(f"{instruction}: FROM requires either one or three arguments")
        self._begun = True
        python = _PYTHON.fullmatch(base)
        if python:
            self._python(base, python["minor"])
        elif (image := self.find(base)) is not None:
            self._on_top(image)
        elif base != "scratch":
            raise DockerError(f"FROM {base} is not emulated here: use python:3.13-slim, or an image that is here")
        # What is given before FROM is known to FROM alone.
        self._arguments = {}

    def _python(self, base: str, minor: str | None) -> None:
        own = f"{sys.version_info.major}.{sys.version_info.minor}"
        if minor and minor != str(sys.version_info.minor):
            self.say(f"{base} is the Python {own} of this machine here")
        self._variables = {"PATH": _PATH, "LANG": "C.UTF-8", "PYTHON_VERSION": own}
        self._settings = {"Cmd": ["python3"]}

    def _on_top(self, image: LocalImage) -> None:
        configuration = image.configuration
        shutil.copytree(image.root, self._root, symlinks=True, dirs_exist_ok=True)
        self._settings = dict(configuration.get("config", {}))
        self._variables = dict(line.split("=", 1) for line in self._settings.get("Env", []))
        self._requirements = configuration.get(OWN, {}).get("requirements", "").splitlines()

    def _arg(self, instruction: Instruction) -> None:
        for word in words(instruction):
            name, equals, default = word.partition("=")
            value = self.given.get(name, self._put_in(default) if equals else None)
            if value is not None:
                self._arguments[name] = value

    def _env(self, instruction: Instruction) -> None:
        self._variables |= pairs(instruction, {**self._arguments, **self._variables})

    def _label(self, instruction: Instruction) -> None:
        labels = pairs(instruction, {**self._arguments, **self._variables})
        self._settings["Labels"] = {**self._settings.get("Labels", {}), **labels}

    def _copy(self, instruction: Instruction) -> None:
        unknown = sorted(set(instruction.flags) - _COPY_FLAGS)
        if unknown:
            raise DockerError(f"{instruction.name} --{unknown[0]} is not emulated here")
        *sources, target = [self._put_in(word) for word in words(instruction)] or [""]
        if not sources:
            raise DockerError(f"{instruction}: {instruction.name} requires at least two arguments")
        remote = [one for one in sources if "://" in one or one.startswith("git@")]
        packed = [one for one in sources if instruction.name == "ADD" and is_archive(one)]
        if remote or packed:
            raise DockerError(f"ADD {(remote or packed)[0]} is not emulated here: copy files of the context")
        absolute = target if target.startswith("/") else f"{self._workdir().rstrip('/')}/{target}"
        self.context.copy(sources, absolute, self._root, instruction.flags.get("chmod", ""))

    def _run(self, instruction: Instruction) -> None:
        if instruction.flags.keys() - {"mount"} or "type=cache" not in instruction.flags.get("mount", "type=cache"):
            raise DockerError(f"RUN --{next(iter(instruction.flags))} is not emulated here")
        runner = Runner(self._root, self._workdir(), self._requirements.append, self.say)
        if instruction.listed is not None:
            runner.run(" ".join(f"'{word}'" for word in instruction.listed))
        else:
            runner.run(self._put_in(instruction.rest))

    def _workdir_is(self, instruction: Instruction) -> None:
        path = os.path.normpath(f"{self._workdir()}/{self._put_in(words(instruction)[0])}")
        if self._put_in(instruction.rest).startswith("/"):
            path = os.path.normpath(self._put_in(words(instruction)[0]))
        self._settings["WorkingDir"] = f"/{path.lstrip('/')}"
        if path != "/":
            placed(self._root, path).mkdir(parents=True, exist_ok=True)

    def _expose(self, instruction: Instruction) -> None:
        ports = [port if "/" in port else f"{port}/tcp" for port in self._put_in(instruction.rest).split()]
        self._settings["ExposedPorts"] = {**self._settings.get("ExposedPorts", {}), **{port: {} for port in ports}}

    def _user(self, instruction: Instruction) -> None:
        self._settings["User"] = self._put_in(instruction.rest)
        self.say("USER is kept: where the image runs, its programs are root of their own namespace")

    def _entrypoint(self, instruction: Instruction) -> None:
        self._settings["Entrypoint"] = self._command(instruction)
        self._settings.pop("Cmd", None)

    def _cmd(self, instruction: Instruction) -> None:
        self._settings["Cmd"] = self._command(instruction)

    @staticmethod
    def _command(instruction: Instruction) -> list[str]:
        return instruction.listed if instruction.listed is not None else ["/bin/sh", "-c", instruction.rest]


_DO: dict[str, Callable[[ImageBuild, Instruction], None]] = {
    "FROM": ImageBuild._from,  # its own table
    "ARG": ImageBuild._arg,  # the same
    "ENV": ImageBuild._env,  # the same
    "LABEL": ImageBuild._label,  # the same
    "COPY": ImageBuild._copy,  # the same
    "ADD": ImageBuild._copy,  # the same
    "RUN": ImageBuild._run,  # the same
    "WORKDIR": ImageBuild._workdir_is,  # the same
    "EXPOSE": ImageBuild._expose,  # the same
    "USER": ImageBuild._user,  # the same
    "ENTRYPOINT": ImageBuild._entrypoint,  # the same
    "CMD": ImageBuild._cmd,  # the same
}
assert set(_DO) == set(HONOURED)  # noqa: S101  # the parser lets through what is done here
