"""The outer form of a pipeline definition, of whoever's making: what has to be there before anything in it is read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

type Json = dict[str, Any]

VERSION = "2020-12-01"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOP = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
_PARAMETERS = {"String", "Integer", "Float", "Boolean"}


class PipelineError(Exception):
    """A pipeline definition is wrong; the message names the step or parameter and what to change."""


def steps_of(definition: Json) -> Iterator[Json]:
    """Yield every step, those of branches after the condition that they are in."""
    yield from _all(definition["Steps"])


def branches(step: Json) -> list[Json]:
    """Return the steps in the branches of a condition; of another step none."""
    if step["Type"] != "Condition":
        return []
    return [*(step["Arguments"].get("IfSteps") or ()), *(step["Arguments"].get("ElseSteps") or ())]


def check_form(definition: Any) -> None:
    """Check that a definition has the fields that it has to have, each of its type.

    Raises:
        PipelineError: it has not.
    """
    if not isinstance(definition, dict):
        raise PipelineError("a definition is a JSON object with Version, Parameters and Steps")
    if unknown := sorted(set(definition) - _TOP):
        raise PipelineError(f"a definition has no field {unknown[0]!r}: it has {', '.join(sorted(_TOP))}")
    if definition.get("Version", VERSION) != VERSION:
        raise PipelineError(f"Version is {definition['Version']!r}, and has to be {VERSION!r}")
    for parameter in _objects(definition.get("Parameters") or [], "Parameters"):
        _check_named(parameter, "parameter")
        if parameter.get("Type") not in _PARAMETERS:
            known = ", ".join(sorted(_PARAMETERS))
            raise PipelineError(
                f"parameter {parameter['Name']}: Type is {parameter.get('Type')!r}: give one of {known}"
            )
    if not definition.get("Steps"):
        raise PipelineError("the definition has no Steps: it needs one at least")
    _check_steps(definition["Steps"])


def _check_steps(steps: Any) -> None:
    for step in _objects(steps, "Steps"):
        _check_named(step, "step")
        if not isinstance(step.get("Type"), str):
            raise PipelineError(f"step {step['Name']}: Type is {step.get('Type')!r}: give the type of the step")
        if not isinstance(step.get("Arguments", {} if step["Type"] in {"Lambda", "Callback"} else None), dict):
            raise PipelineError(f"step {step['Name']}: Arguments have to be an object")
        _check_steps(branches(step))


def _objects(value: Any, what: str) -> Sequence[Json]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
        raise PipelineError(f"{what} have to be a list of objects")
    return value


def _check_named(item: Mapping[str, Any], what: str) -> None:
    name = item.get("Name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PipelineError(f"{what} name {name!r} must be 1 to 64 letters, digits, - or _")


def _all(steps: Sequence[Json]) -> Iterator[Json]:
    for step in steps:
        yield step
        yield from _all(branches(step))
