"""Read a project's `features.yaml` into its compiled form, which is JSON with the programs of its steps in it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from signalbox_features import definition as definitions
from signalbox_features.model import DefinitionError, FeatureDefinition
from signalbox_features.schema import FILE, SCHEMA
from signalbox_operate.projects import yaml_file
from signalbox_operate.projects.model import Places, ProjectError

__all__ = ["FILE", "FITTED", "read"]

FITTED = "features.fitted.json"


def read(folder: Path) -> FeatureDefinition:
    """Return the definition of a project's features; its `given` is the compiled form.

    Raises:
        ProjectError: the file does not fit its schema, names what is not there, or contradicts itself: with a line
            for each problem.
    """
    given, places = yaml_file.load(folder / FILE, SCHEMA)
    problems = list(_unusable_steps(given, folder, places))
    if problems:
        raise ProjectError(problems)
    try:
        return definitions.parse(_compiled(given, folder))
    except DefinitionError as error:
        in_order = sorted(error.problems, key=lambda problem: places.line(problem[0]))
        raise ProjectError([f"{places.of(*path)}: {told}" for path, told in in_order]) from error


def _unusable_steps(given: Mapping[str, Any], folder: Path, places: Places) -> Iterator[str]:
    for index, step in enumerate(given.get("steps", ())):
        path, where = folder / step["file"], places.of("steps", index, "file")
        if not path.resolve().is_relative_to(folder.resolve()):
            yield f"{where}: {step['file']} leads out of the project's folder: move it inside"
        elif not path.is_file():
            yield f"{where}: there is no {step['file']} in {folder}"
        else:
            try:
                ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, ValueError) as error:
                yield f"{where}: {step['file']} is no Python: {error}"


def _compiled(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    steps = [{**step, "code": (folder / step["file"]).read_text(encoding="utf-8")} for step in given.get("steps", ())]
    return {**given, "steps": steps} if steps else dict(given)
