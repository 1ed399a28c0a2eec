"""The Arguments of a step against the request that they become, with references in the places of values."""

from collections.abc import Iterator
from typing import Any

from sagemaker_local.core.members import unemulated
from sagemaker_local.core.shapes import problems, service_model
from sagemaker_local.pipelines.expressions import is_expression
from sagemaker_local.pipelines.model import CREATES, Definition, Step

# The types of the API that a parameter of each type can stand for. Text is parsed nowhere: a number for a string member
# goes through Std:Join, as the SDK's to_string() does.
_FITS = {
    "String": {"string", "timestamp"},
    "Integer": {"integer", "long", "float", "double"},
    "Float": {"float", "double"},
    "Boolean": {"boolean"},
}
_TEXT = {"string", "timestamp"}


def argument_problems(step: Step, definition: Definition) -> Iterator[str]:
    """Yield what the service would refuse in the request of a step."""
    operation, name, _ = CREATES[step.type]
    if name in step.arguments:
        yield f"{name} is made by the service: leave it out"
        return
    shape = service_model("sagemaker").operation_model(operation).input_shape
    made = {name: {"Get": "Execution.PipelineExecutionId"}} if name else {}
    yield from _structure(shape, {**made, **step.arguments}, "Arguments", definition)
    yield from dict.fromkeys(sentence.removesuffix(".") for sentence in unemulated(shape, step.arguments, operation))


def _fit(shape: Any, value: Any, path: str, definition: Definition) -> Iterator[str]:
    if is_expression(value):
        yield from _reference_problems(shape, value, path, definition)
    elif shape.type_name == "structure" and isinstance(value, dict):
        yield from _structure(shape, value, path, definition)
    elif shape.type_name == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _fit(shape.member, item, f"{path}[{index}]", definition)
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _fit(shape.value, item, f"{path}.{key}", definition)
    else:
        yield from problems(shape, value, path)


def _structure(shape: Any, value: dict[str, Any], path: str, definition: Definition) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}: is missing"
    for name, item in value.items():
        if name not in shape.members:
            yield f"{path}.{name}: is not a member of {shape.name}"
        elif item is not None:
            yield from _fit(shape.members[name], item, f"{path}.{name}", definition)


def _reference_problems(shape: Any, value: dict[str, Any], path: str, definition: Definition) -> Iterator[str]:
    """Yield a problem where the type of a reference is known and does not fit the member."""
    kind = shape.type_name
    what = next(iter(value.values()))
    if "Std:Join" in value:
        if kind not in _TEXT:
            yield f"{path}: Cannot assign Std:Join to argument of type [{shape.name}]"
        return
    root, _, name = what.partition(".") if isinstance(what, str) else ("", "", "")
    parameter = definition.parameters.get(name) if root == "Parameters" else None
    allowed = _FITS[parameter.type] if parameter else _TEXT if root == "Execution" else {kind}
    if kind not in allowed:
        yield f"{path}: Cannot assign property reference [{what}] to argument of type [{shape.name}]"
