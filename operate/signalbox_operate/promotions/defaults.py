"""Other defaults for a pipeline's parameters, as `--set` gives them."""

from collections.abc import Callable, Mapping
from typing import Any

from signalbox_operate.pipelines.form import Json
from signalbox_operate.projects.model import ProjectError

_KINDS: Mapping[str, Callable[[str], Any]] = {
    "Integer": int,
    "Float": float,
    "Boolean": {"true": True, "false": False}.__getitem__,
}


def put(definition: Json, values: Mapping[str, str]) -> Json:
    """Return a definition whose parameters have these defaults, each of its type.

    Raises:
        ProjectError: there is no such parameter, or a value is none of its type.
    """
    parameters = list(definition.get("Parameters") or ())
    known = [str(one["Name"]) for one in parameters]
    if unknown := [name for name in values if name not in known]:
        raise ProjectError(
            [
                f"--set {name}: the pipeline has no such parameter: it has {', '.join(known) or 'none'}"
                for name in unknown
            ]
        )
    if not values:
        return definition
    changed = [
        {**one, "DefaultValue": _typed(one, values[one["Name"]])} if one["Name"] in values else one
        for one in parameters
    ]
    return {**definition, "Parameters": changed}


def _typed(parameter: Json, value: str) -> Any:
    """Return the value of an option as a parameter's type has it."""
    try:
        return _KINDS.get(parameter["Type"], str)(value)
    except (ValueError, KeyError):
        raise ProjectError([f"--set {parameter['Name']}: {value!r} is no {parameter['Type']}"]) from None
