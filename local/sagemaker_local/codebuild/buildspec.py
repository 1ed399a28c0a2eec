"""A buildspec of version 0.2, read and checked (CodeBuild User Guide, "Build specification reference")."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sagemaker_local.codebuild.errors import yaml_error

VERSION = "0.2"
PHASES = ("install", "pre_build", "build", "post_build")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_TOP = {"version", "env", "phases", "artifacts", "cache"}
_ENV = {"variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper", "shell"}
_PHASE = {"commands", "finally", "on-failure", "runtime-versions"}
_ARTIFACTS = {"files", "name", "discard-paths", "base-directory", "exclude-paths", "secondary-artifacts"}
_SHELLS = ("sh", "bash")
_ANY_PYTHON = ("latest", "3.x", PYTHON)
# What the reference has, and what is not here.
NOT_HERE = ("reports", "proxy", "batch", "run-as", "enable-symlinks", "s3-prefix")
WITHOUT_EFFECT = ("cache",)
HONOURED = tuple(sorted({*_TOP, *_ENV, *_PHASE, *_ARTIFACTS} - {*WITHOUT_EFFECT}))
_NOT_HERE_SHELLS = ("powershell.exe", "/bin/powershell", "pwsh", "cmd.exe")


@dataclass(frozen=True)
class Phase:
    """What one phase runs. `on_failure` is ABORT, CONTINUE, or empty for what phases do by themselves."""

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str = ""


@dataclass(frozen=True)
class Files:
    """An output: which files, from where, and under which name."""

    files: tuple[str, ...]
    name: str = ""
    base: str = ""
    discard_paths: bool = False
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buildspec:
    """A buildspec as it is written, without values that are looked up."""

    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    git_credentials: bool = False
    shell: str = "sh"
    phases: Mapping[str, Phase] = field(default_factory=dict)
    artifacts: Files | None = None
    secondary: Mapping[str, Files] = field(default_factory=dict)


def read(text: str) -> Buildspec:
    """Return the buildspec that a text is, as YAML or JSON.

    Raises:
        PhaseError: YAML_FILE_ERROR: it is none, or asks for what is not here.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise yaml_error(" ".join(str(error).split())) from error
    top = _mapping(document, "the buildspec")
    _version(top.get("version"))
    _known(top, _TOP, "")
    env, phases = _mapping(top.get("env"), "env"), _mapping(top.get("phases"), "phases")
    if not phases:
        raise yaml_error("the buildspec has no phases")
    _known(env, _ENV, "env")
    _known(phases, set(PHASES), "phases")
    artifacts = _mapping(top.get("artifacts"), "artifacts")
    return Buildspec(
        variables=_texts(env.get("variables"), "env/variables"),
        parameters=_texts(env.get("parameter-store"), "env/parameter-store"),
        secrets=_texts(env.get("secrets-manager"), "env/secrets-manager"),
        exported=_list(env.get("exported-variables"), "env/exported-variables"),
        git_credentials=_yes(env.get("git-credential-helper"), "env/git-credential-helper"),
        shell=_shell(env.get("shell", "sh")),
        phases={name: _phase(name, phases[name]) for name in PHASES if name in phases},
        artifacts=_files(artifacts, "artifacts") if "files" in artifacts else None,
        secondary=dict(_secondary(artifacts)),
    )


def is_inline(given: str) -> bool:
    """Tell whether what a project has as its buildspec is one itself, and no path of one."""
    return "\n" in given.strip() or given.lstrip().startswith(("{", "version:"))


def _version(found: Any) -> None:
    if str(found) != VERSION:
        told = "is not emulated here" if str(found) == "0.1" else "is not supported"
        raise yaml_error(f"buildspec version {found} {told}: use {VERSION}")


def _known(mapping: Mapping[str, Any], names: set[str], path: str) -> None:
    for name in mapping:
        where = f"{path}/{name}".removeprefix("/")
        if name in NOT_HERE:
            raise yaml_error(f"{where} is not emulated here")
        if name not in names:
            raise yaml_error(f"unknown key {where}")


def _phase(name: str, found: Any) -> Phase:
    phase = _mapping(found, f"phases/{name}")
    _known(phase, _PHASE if name == "install" else _PHASE - {"runtime-versions"}, f"phases/{name}")
    for runtime, version in _texts(phase.get("runtime-versions"), "runtime-versions").items():
        _runtime(runtime, version)
    on_failure = str(phase.get("on-failure", ""))
    if on_failure not in ("", "ABORT", "CONTINUE"):
        raise yaml_error(f"phases/{name}/on-failure {on_failure} is not emulated here: use ABORT or CONTINUE")
    commands, last = (_list(phase.get(part), f"phases/{name}/{part}") for part in ("commands", "finally"))
    return Phase(commands, last, on_failure)


def _runtime(name: str, version: str) -> None:
    if name != "python":
        raise yaml_error(f"Unknown runtime named '{name}'. This build image has the following runtimes: python")
    if version not in _ANY_PYTHON:
        raise yaml_error(
            f"Unknown runtime version named '{version}' of python. This build image has the following versions: "
            f"{PYTHON}"
        )


def _shell(found: Any) -> str:
    if found in _NOT_HERE_SHELLS or found not in _SHELLS:
        raise yaml_error(f"env/shell {found} is not emulated here: use {' or '.join(_SHELLS)}")
    return str(found)


def _files(found: Mapping[str, Any], path: str) -> Files:
    _known(found, _ARTIFACTS, path)
    if "files" not in found:
        raise yaml_error(f"{path} has no files")
    return Files(
        _list(found["files"], f"{path}/files"),
        str(found.get("name") or ""),
        str(found.get("base-directory") or ""),
        _yes(found.get("discard-paths"), f"{path}/discard-paths"),
        _list(found.get("exclude-paths"), f"{path}/exclude-paths"),
    )


def _secondary(artifacts: Mapping[str, Any]) -> Iterator[tuple[str, Files]]:
    _known(artifacts, _ARTIFACTS, "artifacts")
    path = "artifacts/secondary-artifacts"
    for name, found in _mapping(artifacts.get("secondary-artifacts"), path).items():
        yield name, _files(_mapping(found, f"{path}/{name}"), f"{path}/{name}")


def _mapping(found: Any, path: str) -> Mapping[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise yaml_error(f"{path} has to be a map")
    return {str(name): item for name, item in found.items()}


def _texts(found: Any, path: str) -> Mapping[str, str]:
    texts = _mapping(found, path)
    if any(isinstance(item, dict | list) for item in texts.values()):
        raise yaml_error(f"{path} has to be a map of texts")
    return {name: _text(item) for name, item in texts.items()}


def _list(found: Any, path: str) -> tuple[str, ...]:
    if found is None:
        return ()
    items = [found] if isinstance(found, str) else found
    if not isinstance(items, list):
        raise yaml_error(f"{path} has to be a list")
    if any(isinstance(item, dict | list) for item in items):
        # A blank behind a colon makes a map of a command.
        raise yaml_error(f"Expected {path}[{_first(items)}] to be of string type: put the command in quotes")
    return tuple(_text(item) for item in items)


def _first(items: list[Any]) -> int:
    return next(index for index, item in enumerate(items) if isinstance(item, dict | list))


def _text(item: Any) -> str:
    if item is None:
        return ""
    return str(item).lower() if isinstance(item, bool) else str(item)


def _yes(found: Any, path: str) -> bool:
    if found not in (None, True, False, "yes", "no"):
        raise yaml_error(f"{path} has to be yes or no")
    return found in (True, "yes")
