"""Which parameter of a definition takes uploads, and how: told by the project, or found where it is clear."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signalbox.project_documents import MANIFEST, NOTHING, URL
from signalbox_operate.pipelines.form import Json, steps_of
from signalbox_operate.projects.model import PipelineEntry, Places
from signalbox_operate.stack import OperateError


@dataclass(frozen=True)
class Input:
    """How a pipeline is given uploads: `takes` is manifest, url or nothing, and only then there is no parameter."""

    takes: str
    parameter: str | None


def find(definition: Json, entry: PipelineEntry, places: Places, *, wanted: bool) -> Input:
    """Return how a pipeline takes uploads; `wanted` says that the project has uploads that start it.

    Raises:
        OperateError: the project says what the definition contradicts, or uploads are wanted and it is not clear.
    """
    where = places.of("pipelines", entry.name)
    if entry.takes == NOTHING:
        if entry.parameter or wanted:
            said = "a parameter" if entry.parameter else "uploads"
            raise OperateError(f"{where}: takes is nothing, and there is {said} for it: leave one of them out")
        return Input(NOTHING, None)
    read = _read_by_jobs(definition)
    found = _told(definition, entry, read, where) if entry.parameter else _clear(entry, read, where, wanted=wanted)
    if wanted:
        _check_wanted(definition, found, where)
    return found


def _told(definition: Json, entry: PipelineEntry, read: dict[str, set[str]], where: str) -> Input:
    name = str(entry.parameter)
    kinds = {parameter["Name"]: parameter["Type"] for parameter in definition.get("Parameters") or ()}
    if kinds.get(name) != "String":
        texts = ", ".join(other for other, kind in kinds.items() if kind == "String") or "none"
        what = f"is of type {kinds[name]}" if name in kinds else "is not in its definition"
        raise OperateError(f"{where}: the parameter {name} {what}: uploads are given in a String, and it has {texts}")
    takes = entry.takes or _only(read.get(name, set()))
    if takes is None:
        raise OperateError(f"{where}: say with takes whether the parameter {name} gets a manifest or a url")
    return Input(takes, name)


def _clear(entry: PipelineEntry, read: dict[str, set[str]], where: str, *, wanted: bool) -> Input:
    """Return the one parameter that jobs read a manifest from; if there is none, the one that they read data from."""
    for takes in (MANIFEST, URL) if entry.takes is None else (entry.takes,):
        names = [name for name, ways in read.items() if takes in ways]
        if len(names) == 1:
            return Input(takes, names[0])
        if names and wanted:
            raise OperateError(
                f"{where}: say which parameter gets the uploads, with parameter: jobs read {' and '.join(names)}"
            )
    if wanted:
        raise OperateError(
            f"{where}: no job reads a parameter as its input, so uploads cannot be given to it: name the parameter and "
            "say what it takes, or leave out the uploads and start it by hand"
        )
    return Input(NOTHING, None)


def _only(ways: set[str]) -> str | None:
    return next(iter(ways)) if len(ways) == 1 else None


def _check_wanted(definition: Json, found: Input, where: str) -> None:
    """Refuse a pipeline that an upload cannot start, since it is given that one parameter alone."""
    others = [
        parameter["Name"]
        for parameter in definition.get("Parameters") or ()
        if "DefaultValue" not in parameter and parameter["Name"] != found.parameter
    ]
    if others:
        raise OperateError(
            f"{where}: an upload gives {found.parameter} only, and {' and '.join(others)} "
            f"{'has' if len(others) == 1 else 'have'} no default: give one in the definition"
        )


def _read_by_jobs(definition: Json) -> dict[str, set[str]]:
    """Return the parameters that jobs read as their data, each with the ways: manifest or url."""
    found: dict[str, set[str]] = {}
    for step in steps_of(definition):
        for source in _sources(step.get("Arguments") or {}):
            uri = source.get("S3Uri")
            path = uri.get("Get", "") if isinstance(uri, dict) else ""
            if path.startswith("Parameters."):
                way = MANIFEST if source.get("S3DataType") == "ManifestFile" else URL
                found.setdefault(path.removeprefix("Parameters."), set()).add(way)
    return found


def _sources(value: Any) -> Iterator[Json]:
    """Yield every S3Input and S3DataSource in the arguments of a step; outputs are none."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"S3Input", "S3DataSource"} and isinstance(item, dict):
                yield item
            elif key not in {"IfSteps", "ElseSteps"}:
                yield from _sources(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sources(item)
