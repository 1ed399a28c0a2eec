"""Read a project's folder: its `signalbox.yaml`, and the files that it names."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from signalbox import stages
from signalbox.stages import StagesDocumentError
from signalbox_operate.features import project_features
from signalbox_operate.projects import yaml_file
from signalbox_operate.projects.model import (
    ContainerEntry,
    Field,
    PipelineEntry,
    Places,
    Project,
    ProjectError,
    Uploads,
)
from signalbox_operate.projects.schema import FILE, SCHEMA

QUIET_SECONDS = 60
CHANNEL = "training"
_PATHS = {"pipelines": ("definition", "code"), "containers": ("folder", "train", "test")}


def read(folder: Path) -> Project:
    """Return the project in a folder.

    Raises:
        ProjectError: the file does not fit its schema, names what is not there, or contradicts itself; or that of its
            features does, or nothing was fitted for them.
    """
    given, places = yaml_file.load(folder / FILE, SCHEMA)
    problems = [*_missing(given, folder, places), *_contradictions(given, places)]
    if problems:
        raise ProjectError(problems)
    return Project(
        folder,
        given["project"],
        tuple(_uploads(given)),
        {name: _pipeline(name, entry, folder) for name, entry in given.get("pipelines", {}).items()},
        {name: _container(name, entry, folder) for name, entry in given.get("containers", {}).items()},
        given.get("branches", {}),
        tuple(given.get("approvers", ())),
        tuple(given.get("stages", ())),
        given.get("tags", {}),
        tuple(given.get("access", {}).get("read", ())),
        tuple(given.get("access", {}).get("write", ())),
        places,
        project_features.read(folder),
    )


def _missing(given: Mapping[str, Any], folder: Path, places: Places) -> Iterator[str]:
    """Yield each file or folder that is named and is not there, or lies outside of the project."""
    for field, named in _named_paths(given):
        path, where = folder / named, places.of(*field)
        if not path.resolve().is_relative_to(folder.resolve()):
            yield f"{where}: {named} leads out of the project's folder: move it inside"
        elif not path.exists():
            yield f"{where}: there is no {named} in {folder}"
        elif field[2] in {"code", "folder"} and not path.is_dir():  # after the kind and the entry's name
            yield f"{where}: {named} is a file, and has to be a folder"


def _named_paths(given: Mapping[str, Any]) -> Iterator[tuple[Field, str]]:
    for kind, fields in _PATHS.items():
        for name, entry in given.get(kind, {}).items():
            yield from (((kind, name, field), entry[field]) for field in fields if field in entry)
            yield from (((kind, name, "channels", one), path) for one, path in entry.get("channels", {}).items())


def _contradictions(given: Mapping[str, Any], places: Places) -> Iterator[str]:
    yield from _unclear_uploads(given, places)
    seen: dict[str, str] = {}
    for kind, name, model in _trained(given):
        if model in seen:
            yield f"{places.of(kind, name)}: the model {model} is that of {seen[model]} already: give it to one"
        seen.setdefault(model, f"{kind}.{name}")
    for name, entry in given.get("containers", {}).items():
        rows = entry.get("channel", CHANNEL)
        if rows in entry.get("channels", {}):
            yield f"{places.of('containers', name, 'channels', rows)}: that channel has the training data: name another"
    if given.get("stages"):
        try:
            stages.parse(json.dumps({"stages": given["stages"]}))
        except StagesDocumentError as error:
            yield f"{places.of('stages')}: {error}"


def _trained(given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, entry in given.get("pipelines", {}).items():
        for model in entry.get("models", ()):
            yield "pipelines", name, model
    for name, entry in given.get("containers", {}).items():
        yield "containers", name, entry.get("model", name)


def _unclear_uploads(given: Mapping[str, Any], places: Places) -> Iterator[str]:
    pipelines, seen = given.get("pipelines", {}), set()
    for index, entry in enumerate(_listed(given)):
        where = places.of("uploads", index) if isinstance(given["uploads"], list) else places.of("uploads")
        if "pipeline" in entry and entry["pipeline"] not in pipelines:
            yield f"{where}: there is no pipeline {entry['pipeline']}: it has {', '.join(pipelines) or 'none'}"
        elif "pipeline" not in entry and len(pipelines) != 1:
            known = ", ".join(pipelines) or "none"
            yield f"{where}: say which pipeline the uploads start, with pipeline: it has {known}"
        quiet, longest = entry.get("quiet_seconds", QUIET_SECONDS), entry.get("longest_seconds")
        if longest is not None and longest < quiet:
            yield f"{where}: longest_seconds is {longest}, and has to be at least quiet_seconds, which is {quiet}"
        yield from _unclear_sets(index, _listed(given), where)
        key = (entry.get("prefix", ""), entry.get("suffix", ""))
        if key in seen:
            yield f"{where}: another entry has this prefix and suffix: an upload starts one pipeline"
        seen.add(key)


def _unclear_sets(index: int, entries: list[dict[str, Any]], where: str) -> Iterator[str]:
    """Yield what is unclear about the sets of one entry of uploads."""
    entry, complete = entries[index], entries[index].get("complete")
    if complete and entry.get("suffix", "").endswith(complete):
        yield f"{where}: complete is {complete}, in which all keys with the suffix end: name another ending"
    for other in entries[:index]:
        same = all(other.get(field, "") == entry.get(field, "") for field in ("prefix", "complete"))
        if complete and same and other.get("pipeline") != entry.get("pipeline"):
            yield f"{where}: another entry has this prefix and complete: a set starts one pipeline"


def _listed(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    uploads = given.get("uploads", [])
    return uploads if isinstance(uploads, list) else [uploads]


def _uploads(given: Mapping[str, Any]) -> Iterator[Uploads]:
    for entry in _listed(given):
        yield Uploads(
            entry.get("prefix", f"incoming/{given['project']}/"),
            entry.get("suffix", ""),
            entry.get("quiet_seconds", QUIET_SECONDS),
            entry.get("pipeline", next(iter(given["pipelines"]))),
            entry.get("longest_seconds"),
            entry.get("batch"),
            entry.get("complete"),
            entry.get("replace", False),
        )


def _pipeline(name: str, entry: Mapping[str, Any], folder: Path) -> PipelineEntry:
    return PipelineEntry(
        name,
        folder / entry["definition"],
        folder / entry["code"] if "code" in entry else None,
        tuple(entry.get("models", ())),
        entry.get("parameter"),
        entry.get("takes"),
        entry.get("replace", {}),
        entry.get("golden", {}),
        entry.get("bad_share", 0),
    )


def _container(name: str, entry: Mapping[str, Any], folder: Path) -> ContainerEntry:
    paths = {field: folder / entry[field] if field in entry else None for field in _PATHS["containers"]}
    return ContainerEntry(
        name,
        entry.get("model", name),
        entry["problem"],
        paths["folder"],
        paths["train"],
        paths["test"],
        entry.get("channel", CHANNEL),
        {channel: folder / path for channel, path in entry.get("channels", {}).items()},
        {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in entry.get("hyperparameters", {}).items()
        },
        {
            key: value
            for key, value in entry.items()
            if key not in {*paths, "model", "problem", "channel", "channels", "hyperparameters"}
        },
    )
