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
    if pattern and not _compiled(pattern).fullmatch(value):
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


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return Smithy's pattern as Python's: POSIX classes and Unicode categories are spelled differently."""
    translated = re.sub(r"\\p\{([A-Z])[a-z]?\}", lambda match: _CATEGORIES.get(match[1], r"\W"), pattern)
    return re.compile(translated.replace(r"\p{IsAlphabetic}", r"\w"))


_CATEGORIES = {"L": r"^\W\d_", "Z": r"\s", "N": r"\d", "S": r"$+<=>^`|~", "P": r"!-/:-@\[-`{-~", "M": ""}


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
