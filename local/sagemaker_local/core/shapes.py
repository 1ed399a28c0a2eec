"""Values checked and projected by botocore's service models, which are the truth about the API.

botocore itself checks types, required members and minima on the client's side; the service also refuses what breaks an
enum, a pattern or a maximum, so all of them are checked here, by the one walker that the tests' fakes use too.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

type Fault = Literal["missing", "unknown", "type", "enum", "pattern", "least", "most"]

_NUMBERS: dict[str, Any] = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a string"),
    "boolean": ((bool,), "true or false"),
    "timestamp": ((int, float, datetime, str), "a time"),
    "structure": ((Mapping,), "a structure"),
    "map": ((Mapping,), "a map"),
    "list": ((list, tuple), "a list"),
}
_VALUES = frozenset({"enum", "pattern", "least", "most"})


@cache
def service_model(service: str) -> "ServiceModel":
    """Return botocore's model of `service`."""
    # A third of the cloud's start, which nobody needs before the first request to SageMaker.
    import botocore.session  # noqa: PLC0415

    return botocore.session.get_session().get_service_model(service)


@dataclass(frozen=True)
class Problem:
    """One thing that a service refuses: where, what kind of fault, what was found and what was wanted."""

    path: str
    fault: Fault
    found: Any
    wanted: Any

    @property
    def about_value(self) -> bool:
        """Tell whether a value breaks an enum, a pattern or a bound: what botocore itself lets pass."""
        return self.fault in _VALUES

    def __str__(self) -> str:
        where = self.path or "the request"
        match self.fault:
            case "missing":
                return f"{where}: is missing"
            case "unknown":
                return f"{where}: is not a member of {self.wanted}"
            case "type":
                return f"{where}: {self.wanted} is expected, not {self.found!r:.100}"
            case "enum":
                rule = f"satisfy enum value set: [{', '.join(self.wanted)}]"
            case "pattern":
                rule = f"satisfy regular expression pattern: {self.wanted}"
            case "least":
                rule = f"have value or length greater than or equal to {self.wanted}"
            case "most":
                rule = f"have value or length less than or equal to {self.wanted}"
        value = "Value" if self.fault in ("least", "most") else f"Value '{self.found}'"
        return f"{value} at '{where}' failed to satisfy constraint: Member must {rule}"


def problems(shape: "Shape", value: Any, path: str = "") -> list[str]:
    """Return what the service would refuse in `value`, one sentence each."""
    return [str(problem) for problem in walk(shape, value, path)]


def walk(shape: Any, value: Any, path: str = "") -> Iterator[Problem]:
    """Yield what the service would refuse in `value`."""
    kind = shape.type_name
    if kind in _NUMBERS:
        yield from _number(shape, value, path)
        return
    types, expected = _TYPES.get(kind, ((object,), ""))
    if not isinstance(value, types) or (kind == "timestamp" and not _is_time(value)):
        yield Problem(path, "type", value, expected)
        return
    if isinstance(value, (str, bytes, bytearray, list, tuple, Mapping)) and kind != "structure":
        yield from _bounds(shape, len(value), path)
    if kind == "string":
        yield from _string(shape, value, path)
    elif kind == "structure" and not getattr(shape, "is_document_type", False):
        yield from _structure(shape, value, path)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from walk(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from walk(shape.key, key, f"{path} key {key!r}")
            yield from walk(shape.value, item, f"{path}[{key!r}]")


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield Problem(prefix + name, "missing", None, None)
    for name, item in value.items():
        if name not in shape.members:
            yield Problem(prefix + name, "unknown", item, shape.name)
        elif item is not None:
            yield from walk(shape.members[name], item, prefix + name)


def _number(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS[shape.type_name]):
        yield Problem(path, "type", value, f"a number ({shape.type_name})")
    else:
        yield from _bounds(shape, value, path)


def moment(value: datetime | float | str) -> datetime:
    """Return a time of a request (epoch seconds, ISO 8601, or already a datetime) as an aware datetime.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    try:
        found = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{value} is no time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_time(value: Any) -> bool:
    try:
        moment(value)
    except ValueError:
        return False
    return True


def _string(shape: Any, value: str, path: str) -> Iterator[Problem]:
    if shape.enum and value not in shape.enum:
        yield Problem(path, "enum", value, shape.enum)
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):  # AWS matches the whole value, anchors or not
        yield Problem(path, "pattern", value, pattern)


def _bounds(shape: Any, number: float, path: str) -> Iterator[Problem]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < least:
        yield Problem(path, "least", number, least)
    if most is not None and number > most:
        yield Problem(path, "most", number, most)


# Java's named classes, as the inside of a Python character class.
_CLASSES = {
    "L": r"\w",
    "M": r"\w",
    "N": r"\w",
    "Z": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    "S": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "P": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": r"\x00-\x7f",
    "Print": r"\x20-\x7e",
}
_TOKEN = re.compile(r"\\p\{(?P<name>\w+)\}|\\.|\[|\]|\.", re.DOTALL)
# What a dot is not, in Java.
_NO_BREAK = r"[^\n\r\x85\u2028\u2029]"


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
        return _NO_BREAK if match[0] == "." and not depth else match[0]

    return re.compile(_TOKEN.sub(translate, text))


def project(shape: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return the members of `record` that structure `shape` has: a Describe answer or a List summary."""
    return {name: value for name, value in record.items() if name in shape.members and value is not None}


def from_wire(shape: Any, value: Any) -> Any:
    """Return `value` as it was before JSON 1.1 wrote it: what is bytes came in base64. Other faults stay as they are.

    Raises:
        ValueError: it is no base64.
    """
    kind = shape.type_name
    if kind == "blob" and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if kind == "structure" and isinstance(value, Mapping):
        members = shape.members
        return {name: from_wire(members[name], item) if name in members else item for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [from_wire(shape.member, item) for item in value]
    return value


def to_wire(shape: Any, value: Any) -> Any:
    """Return `value` as JSON 1.1 writes it: times as epoch seconds, bytes in base64."""
    kind = shape.type_name
    if kind == "structure":
        return {name: to_wire(shape.members[name], item) for name, item in value.items() if item is not None}
    if kind == "list":
        return [to_wire(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_wire(shape.value, item) for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    if kind == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
