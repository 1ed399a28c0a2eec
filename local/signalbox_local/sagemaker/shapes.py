"""Values checked and projected by botocore's service models, which are the truth about the API.

botocore itself checks types, required members and minima on the client's side; the service also refuses what breaks an
enum, a pattern or a maximum, so all of them are checked here.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

_NUMBERS: dict[str, Any] = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of `service`."""
    return botocore.session.get_session().get_service_model(service)


def problems(shape: Shape, value: Any, path: str = "") -> list[str]:
    """Return what the service would refuse in `value`, one sentence each."""
    return list(_problems(shape, value, path))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    where = path or "the request"
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{where}: a list is expected, not {type(value).__name__}"
            return
        yield from _length(shape, len(value), where)
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{where}: a map is expected, not {type(value).__name__}"
            return
        yield from _length(shape, len(value), where)
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path} (key {key!r})")
            yield from _problems(shape.value, item, f"{path}.{key}")
    else:
        yield from _scalar(shape, value, where)


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'the request'}: a structure is expected, not {type(value).__name__}"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}".lstrip(".") + ": is missing"
    for name, item in value.items():
        if name not in shape.members:
            yield f"{path}.{name}".lstrip(".") + ": is not a member of " + shape.name
        elif item is not None:
            yield from _problems(shape.members[name], item, f"{path}.{name}".lstrip("."))


def _scalar(shape: Any, value: Any, where: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "string":
        yield from _string(shape, value, where)
    elif kind in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, _NUMBERS[kind]):
            yield f"{where}: a number ({kind}) is expected, not {value!r}"
        else:
            yield from _bounds(shape, value, where, "value")
    elif kind == "boolean" and not isinstance(value, bool):
        yield f"{where}: true or false is expected, not {value!r}"
    elif kind == "timestamp" and not isinstance(value, (int, float, datetime, str)):
        yield f"{where}: a time is expected, not {value!r}"


def _string(shape: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where}: a string is expected, not {value!r}"
        return
    if shape.enum and value not in shape.enum:
        yield (
            f"Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        )
    yield from _length(shape, len(value), where)
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        yield (
            f"Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _length(shape: Any, length: int, where: str) -> Iterator[str]:
    yield from _bounds(shape, length, where, "length")


def _bounds(shape: Any, number: float, where: str, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and number < low:
        yield f"'{where}' failed to satisfy constraint: Member must have {what} greater than or equal to {low}"
    if high is not None and number > high:
        yield f"'{where}' failed to satisfy constraint: Member must have {what} less than or equal to {high}"


# Java's named classes, as the inside of a Python character class.
_CLASSES = {
    "L": r"\w",
    "M": r"\w",
    "N": r"\w",
    "Z": r"\s",
    "S": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "P": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": r"\x00-\x7f",
    "Print": r"\x20-\x7e",
}
_TOKEN = re.compile(r"\\p\{(?P<name>\w+)\}|\\.|\[|\]", re.DOTALL)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the models, which are written for Java, as Python's.

    Raises:
        re.error: the pattern has something that is not translated; teach it here.
    """
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF").replace(r"\z", r"\Z")
    text = re.sub(r"\$\{\d+,\d+\}", "$", text).replace(r"[\w-\/", r"[\w\-\/")
    depth = 0

    def translate(match: re.Match[str]) -> str:
        nonlocal depth
        if match["name"]:
            inside = _CLASSES[match["name"]]
            return inside if depth else f"[{inside}]"
        depth += {"[": 1, "]": -1}.get(match[0], 0)
        return match[0]

    return re.compile(_TOKEN.sub(translate, text))


def project(shape: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return the members of `record` that structure `shape` has: a Describe answer or a List summary."""
    return {name: record[name] for name in shape.members if record.get(name) is not None}


def to_wire(shape: Any, value: Any) -> Any:
    """Return `value` as JSON 1.1 writes it: times as epoch seconds."""
    kind = shape.type_name
    if kind == "structure":
        return {name: to_wire(shape.members[name], item) for name, item in value.items() if item is not None}
    if kind == "list":
        return [to_wire(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_wire(shape.value, item) for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    return value
