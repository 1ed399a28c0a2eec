"""Pipeline parameters: their declarations, and the typed values of one execution."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sagemaker_local.core.errors import invalid
from sagemaker_local.pipelines.model import Parameter, Scalar

MOST_PARAMETERS = 200  # service quota, not adjustable
_LONGEST_VALUE = 1024  # String1024 of the API's Parameter

_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")  # PipelineParameterName of the API
_MEMBERS = {"Name", "Type", "DefaultValue", "EnumValues"}


def spelled(value: Scalar) -> str:
    """Return a value as the API spells it: parameters travel as strings."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_parameters(declarations: Any) -> dict[str, Parameter]:
    """Return the declared parameters by name.

    Raises:
        ApiError: ValidationException, naming the parameter and what is wrong with it.
    """
    if not isinstance(declarations, list):
        raise invalid("Unable to parse pipeline definition. Parameters must be a list.")
    if len(declarations) > MOST_PARAMETERS:
        raise invalid(f"Unable to parse pipeline definition. It has more than {MOST_PARAMETERS} parameters.")
    parameters: dict[str, Parameter] = {}
    for declaration in declarations:
        problem = next(_declaration_problems(declaration), None)
        if problem:
            raise invalid(f"Unable to parse pipeline definition. Parameter {_named(declaration)}: {problem}.")
        parameter = _parameter(declaration)
        if parameter.name in parameters:
            raise invalid(f"Unable to parse pipeline definition. Parameter '{parameter.name}' is declared twice.")
        parameters[parameter.name] = parameter
    return parameters


def bind(parameters: dict[str, Parameter], given: Iterable[dict[str, str]]) -> dict[str, Scalar]:
    """Return the value of every parameter, typed, from the strings `given` to StartPipelineExecution and the defaults.

    Raises:
        ApiError: ValidationException: an unknown, repeated, missing or mistyped parameter.
    """
    texts: dict[str, str] = {}
    for entry in given:
        if entry["Name"] not in parameters:
            raise invalid(f"Pipeline parameter '{entry['Name']}' is not declared by the pipeline definition.")
        if entry["Name"] in texts:
            raise invalid(f"Pipeline parameter '{entry['Name']}' is given twice.")
        texts[entry["Name"]] = entry["Value"]
    return {name: _bound(parameter, texts.get(name)) for name, parameter in parameters.items()}


def _bound(parameter: Parameter, text: str | None) -> Scalar:
    value = parameter.default if text is None else _typed(parameter, text)
    if value is None:
        raise invalid(f"Pipeline parameter '{parameter.name}' has no default: a value must be given.")
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(spelled(choice) for choice in parameter.choices)
        raise invalid(f"Pipeline parameter '{parameter.name}' is {spelled(value)}, but must be one of [{choices}].")
    return value


def _typed(parameter: Parameter, text: str) -> Scalar:
    if parameter.type == "String":
        return text
    if parameter.type == "Integer" and re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if parameter.type == "Boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if parameter.type == "Float":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise invalid(f"Pipeline parameter '{parameter.name}' is of type {parameter.type}, but got '{text}'.")


def _parameter(declaration: dict[str, Any]) -> Parameter:
    kind = declaration["Type"]
    default = declaration.get("DefaultValue")
    return Parameter(
        declaration["Name"],
        kind,
        float(default) if kind == "Float" and default is not None else default,
        tuple(declaration.get("EnumValues") or ()),
    )


def _named(declaration: Any) -> str:
    return f"'{declaration.get('Name')}'" if isinstance(declaration, dict) else repr(declaration)


def _declaration_problems(declaration: Any) -> Iterator[str]:
    if not isinstance(declaration, dict):
        yield "must be an object"
        return
    name, kind = declaration.get("Name"), declaration.get("Type")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"Name must match {_NAME.pattern}"
    if kind not in ("String", "Integer", "Float", "Boolean"):
        yield f"Type must be String, Integer, Float or Boolean, not {kind!r}"
        return
    yield from (f"'{member}' is not a member of a parameter" for member in sorted(set(declaration) - _MEMBERS))
    choices, default = declaration.get("EnumValues"), declaration.get("DefaultValue")
    if choices is not None and not (isinstance(choices, list) and choices):
        yield "EnumValues must be a list of at least one value"
        return
    values = [*(choices or []), *([] if default is None else [default])]
    yield from (f"{value!r} is not of type {kind}" for value in values if not _is_a(kind, value))
    if default is not None and len(spelled(default)) > _LONGEST_VALUE:
        yield f"DefaultValue is longer than {_LONGEST_VALUE} characters"
    if choices and default is not None and default not in choices:
        yield f"DefaultValue {default!r} is not one of EnumValues"


def _is_a(kind: str, value: Any) -> bool:
    types: dict[str, type | tuple[type, ...]] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}
    return isinstance(value, types[kind]) and (kind == "Boolean" or not isinstance(value, bool))
