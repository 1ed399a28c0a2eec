"""References inside a definition: `{"Get": …}`, `Std:Join` and `Std:JsonGet`, found and evaluated."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagemaker_local.pipelines.model import Definition, Scalar
from sagemaker_local.pipelines.parameters import spelled

type Token = str | int

EXECUTION_VARIABLES = frozenset(
    [
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "TrainingJobName",
        "ProcessingJobName",
    ]
)
_FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
_TOKEN = re.compile(r"\.(?P<member>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]")
# A list in an answer is also indexed by the name that its items carry: `Outputs['train']`.
_ITEM_NAMES = ("OutputName", "InputName", "ChannelName")


class ExpressionError(Exception):
    """An expression is malformed, or what it names is not there."""


@dataclass(frozen=True)
class Reference:
    """A `Get`: `Parameters.<name>`, `Execution.<name>`, or `Steps.<name>` with a path into what the step answers."""

    text: str
    root: str
    name: str
    path: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What expressions are evaluated against.

    `properties` holds the Describe answer of every finished step; `read` returns the bytes of an `s3://` URI.
    """

    definition: Definition
    parameters: Mapping[str, Scalar]
    execution: Mapping[str, str]
    properties: Mapping[str, Mapping[str, Any]]
    read: Callable[[str], bytes]


def is_expression(value: Any) -> bool:
    """Tell whether a value is one of the three forms."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _FUNCTIONS


def tokens(path: str) -> tuple[Token, ...]:
    """Return the parts of a path such as `Outputs['train'].S3Output.S3Uri` or `metrics[0].mse`.

    Raises:
        ExpressionError: the path is not one.
    """
    text = path if path.startswith("[") else f".{path}"
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise ExpressionError(f"'{path}' is not a path")
        found.append(int(match["index"]) if match["index"] else match["member"] or match["key"] or "")
        position = match.end()
    return tuple(found)


def parse_reference(text: Any) -> Reference:
    """Return the reference that a `Get` carries.

    Raises:
        ExpressionError: it is none.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"Get must carry a string, not {text!r}")
    root, *rest = tokens(text)
    if root in {"Parameters", "Execution"} and len(rest) == 1:
        return Reference(text, root, str(rest[0]))
    if root == "Steps" and len(rest) > 1:
        return Reference(text, "Steps", str(rest[0]), tuple(rest[1:]))
    raise ExpressionError(f"'{text}' is not a reference to a parameter, to the execution, or to a property of a step")


def references(value: Any) -> Iterator[Reference]:
    """Yield every reference inside a value.

    Raises:
        ExpressionError: an expression is malformed.
    """
    if not is_expression(value):
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for item in items:
            yield from references(item)
    elif "Get" in value:
        reference = parse_reference(value["Get"])
        if reference.path[:1] == ("PropertyFiles",):
            raise ExpressionError(f"'{reference.text}' is a property file, which only Std:JsonGet reads")
        yield reference
    elif "Std:Join" in value:
        yield from references(_join_parts(value["Std:Join"])[1])
    else:
        source, _ = _json_get_parts(value["Std:JsonGet"])
        if isinstance(source, Reference):
            yield source
        else:
            yield from references(source)


def evaluate(value: Any, scope: Scope) -> Any:
    """Return a value with every expression in it replaced by what it stands for; members that are null are left out.

    Raises:
        ExpressionError: what an expression names is not there, or is not of a kind that it can use.
    """
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if not is_expression(value):
        return {name: evaluate(item, scope) for name, item in value.items() if item is not None}
    if "Get" in value:
        return _get(parse_reference(value["Get"]), scope)
    if "Std:Join" in value:
        separator, parts = _join_parts(value["Std:Join"])
        return separator.join(_text(evaluate(part, scope)) for part in parts)
    return _json_get(value["Std:JsonGet"], scope)


def walk(value: Any, path: tuple[Token, ...], what: str) -> Any:
    """Return what lies under `path` in `value`.

    Raises:
        ExpressionError: nothing lies there; the message begins with `what`.
    """
    for token in path:
        value = _member(value, token)
        if value is None:
            raise ExpressionError(f"{what}: there is no {token!r}")
    return value


def property_file_uri(reference: Reference, scope: Scope) -> str:
    """Return where a property file lies: under the processing job's own output.

    Raises:
        ExpressionError: the job has no such output.
    """
    entry = scope.definition.steps[reference.name].property_files[str(reference.path[1])]
    path = ("ProcessingOutputConfig", "Outputs", entry["OutputName"], "S3Output", "S3Uri")
    folder = walk(scope.properties[reference.name], path, reference.text)
    return f"{str(folder).rstrip('/')}/{entry['FilePath']}"


def _get(reference: Reference, scope: Scope) -> Any:
    if reference.root == "Parameters":
        return scope.parameters[reference.name]
    if reference.root == "Execution":
        if reference.name not in scope.execution:
            raise ExpressionError(f"'{reference.text}' has no value in this step")
        return scope.execution[reference.name]
    value = walk(scope.properties.get(reference.name, {}), reference.path, f"'{reference.text}' has no value")
    return value.isoformat() if isinstance(value, datetime) else value


def _json_get(parts: Any, scope: Scope) -> Scalar:
    source, path = _json_get_parts(parts)
    uri = property_file_uri(source, scope) if isinstance(source, Reference) else str(evaluate(source, scope))
    try:
        document = json.loads(scope.read(uri))
    except ValueError:
        raise ExpressionError(f"{uri} is not JSON") from None
    value = walk(document, tokens(path.removeprefix("$").removeprefix(".")), f"'{path}' in {uri}")
    if not isinstance(value, str | int | float):
        raise ExpressionError(f"'{path}' in {uri} is not a string, a number or a boolean")
    return value


def _join_parts(parts: Any) -> tuple[str, list[Any]]:
    if isinstance(parts, dict) and set(parts) <= {"On", "Values"}:
        separator, values = parts.get("On", ""), parts.get("Values")
        if isinstance(separator, str) and isinstance(values, list):
            return separator, values
    raise ExpressionError("Std:Join must be an object of On (a string) and Values (a list)")


def _json_get_parts(parts: Any) -> tuple[Any, str]:
    """Return the source (a Reference to a property file, or the value of S3Uri) and the path."""
    if not isinstance(parts, dict) or set(parts) not in ({"PropertyFile", "Path"}, {"S3Uri", "Path"}):
        raise ExpressionError("Std:JsonGet must be an object of PropertyFile or S3Uri, and Path")
    path = parts["Path"]
    if not isinstance(path, str):
        raise ExpressionError(f"the Path of Std:JsonGet must be a string, not {path!r}")
    tokens(path.removeprefix("$").removeprefix("."))
    if "S3Uri" in parts:
        return parts["S3Uri"], path
    file = parts["PropertyFile"]
    reference = parse_reference(file.get("Get") if isinstance(file, dict) else file)
    if reference.path[:1] != ("PropertyFiles",) or len(reference.path) != 2:  # noqa: PLR2004  # the word and a name
        raise ExpressionError(
            f"'{reference.text}' is not a property file: it must be Steps.<step>.PropertyFiles.<name>"
        )
    return reference, path


def _member(value: Any, token: Token) -> Any:
    """Return what lies under one part of a path, or None."""
    if isinstance(value, Mapping):
        return value.get(token)
    if not isinstance(value, list):
        return None
    if isinstance(token, int):
        return value[token] if token < len(value) else None
    items = (item for item in value if isinstance(item, Mapping))
    return next((item for item in items if token in [item.get(key) for key in _ITEM_NAMES]), None)


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ExpressionError(f"Std:Join cannot join {value!r}: only strings, numbers and booleans")
    return spelled(value)
