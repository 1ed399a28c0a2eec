"""One reader of JSON objects from outside: documents, machine inputs, events.

Every refusal names the field by its whole path, says what the field holds, and what is allowed.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from signalbox import numerals

_SHOWN = 80
_OBJECT = (dict, Mapping)  # nearly all are dicts, which is found out soonest
_NUMBER = (int, float)
_SCALAR = (str, int, float)


def shown(value: object) -> str:
    """Return a value as it stands in a refusal: `missing` for None, else JSON of at most 80 characters."""
    if value is None:
        return "missing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _numeric(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        return math.nan
    return numerals.number(value) if isinstance(value, str) else float(value)


class Fields:
    """The fields of one JSON object.

    `path` is where the object stands ("" for the outermost); `refuse` makes the error of a refusal's sentence. Where
    `known` is given, every other field is refused.
    """

    def __init__(
        self, value: object, refuse: Callable[[str], Exception], path: str = "", known: Sequence[str] = ()
    ) -> None:
        self._refuse = refuse
        self._path = path
        if not isinstance(value, _OBJECT):
            allowed = f"an object with {', '.join(sorted(known))}" if known else "an object"
            raise self._refused(path or "the text", f"is {shown(value)}: give {allowed}")
        self._fields: Mapping[str, Any] = value
        if known:
            self.only(*known)

    def __contains__(self, name: str) -> bool:
        """Say whether there is a field of this name; null counts as none."""
        return self._fields.get(name) is not None

    def only(self, *known: str) -> None:
        """Refuse every field that is not known."""
        if unknown := sorted(set(self._fields) - set(known)):
            raise self._refused(self._at(unknown[0]), f"is not a field: known are {', '.join(sorted(known))}")

    def text(self, name: str, pattern: str | None = None, allowed: str = "a text that is not empty") -> str:
        """Return a text that fits `pattern` (without one: that is not empty); `allowed` says what that is."""
        value = self._fields.get(name)
        if isinstance(value, str) and (re.fullmatch(pattern, value, re.DOTALL) if pattern else value.strip()):
            return value
        raise self._refused(self._at(name), f"is {shown(value)}: give {allowed}")

    def any_text(self, name: str) -> str:
        """Return a text, which may be empty."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise self._refused(self._at(name), f"is {shown(value)}: give a text")
        return value

    def optional(self, name: str) -> str | None:
        """Return a text, or None where there is none (null and "" are none)."""
        value = self._fields.get(name)
        if value in (None, ""):
            return None
        return self.text(name)

    def pairs(self, name: str) -> dict[str, str]:
        """Return an object of names and texts, which may be empty; an absent one has none."""
        inside = self.object(name)
        return {key: inside.text(key, ".*", "a text, in quotes") for key in inside._fields}

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Return one of the allowed words."""
        value = _given(self._fields, name, default)
        if value not in allowed:
            raise self._refused(self._at(name), f"is {shown(value)}: allowed are {', '.join(allowed)}")
        return str(value)

    def whole(self, name: str, bounds: tuple[int, int] | None = None, default: int | None = None) -> int:
        """Return a whole number within bounds, both included; within any where there are none."""
        value = _given(self._fields, name, default)
        if isinstance(value, bool) or not isinstance(value, int) or (bounds and not bounds[0] <= value <= bounds[1]):
            allowed = "a whole number" + (f" from {bounds[0]:,} to {bounds[1]:,}" if bounds else "")
            raise self._refused(self._at(name), f"is {shown(value)}: give {allowed}")
        return value

    def numeric(self, name: str) -> float:
        """Return a finite number, or the number in a text."""
        value = self._fields.get(name)
        try:
            found = _numeric(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if not math.isfinite(found):
            raise self._refused(self._at(name), f"is {shown(value)}: give a finite number")
        return found

    def scalar(self, name: str) -> str:
        """Return a text, a number or a truth value, as a text."""
        value = self._fields.get(name)
        if not isinstance(value, _SCALAR):
            raise self._refused(self._at(name), f"is {shown(value)}: give a text or a number")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise self._refused(self._at(name), f"is {shown(value)}: allowed are true and false")
        return value

    def texts(self, name: str, pattern: str = "", allowed: str = "a text") -> tuple[str, ...]:
        """Return the texts of a list, each of which fits `pattern`; null and an absent list have none."""
        value = self._fields.get(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(entry, str) for entry in value)):
            raise self._refused(self._at(name), f"is {shown(value)}: give a list of texts")
        for index, entry in enumerate(value or ()):
            if pattern and not re.fullmatch(pattern, entry, re.DOTALL):
                raise self._refused(f"{self._at(name)}[{index}]", f"is {shown(entry)}: give {allowed}")
        return tuple(value or ())

    def inside(self, *path: str) -> "Fields":
        """Return the fields of an object some levels below, all of which have to be there."""
        found = self
        for name in path:
            found = Fields(found._fields.get(name), self._refuse, found._at(name))
        return found

    def object(self, name: str, known: Sequence[str] = ()) -> "Fields":
        """Return the fields of an object inside; an absent one has no fields."""
        return Fields(_given(self._fields, name, {}), self._refuse, self._at(name), known)

    def objects(self, name: str, bounds: tuple[int, int], known: Sequence[str] = ()) -> Iterator["Fields"]:
        """Yield the fields of each object of a list whose length is within bounds."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not bounds[0] <= len(value) <= bounds[1]:
            allowed = f"a list of {bounds[0]} to {bounds[1]} objects"
            raise self._refused(self._at(name), f"is {shown(value)}: give {allowed}")
        path = self._at(name)
        for index, entry in enumerate(value):
            yield Fields(entry, self._refuse, f"{path}[{index}]", known)

    def members(self, name: str, known: Sequence[str] = ()) -> "Iterator[tuple[str, Fields]]":
        """Yield the name and the fields of each object in an object; an absent one has none."""
        inside = self.object(name)
        for key, value in inside._fields.items():
            yield key, Fields(value, self._refuse, inside._at(key), known)

    def number(self, name: str, bounds: tuple[float, float]) -> float:
        """Return a number within bounds, both included; a machine may write a whole one as 60.0."""
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, _NUMBER) or not bounds[0] <= value <= bounds[1]:
            raise self._refused(self._at(name), f"is {shown(value)}: give a number from {bounds[0]:,} to {bounds[1]:,}")
        return value

    def refuse(self, name: str, problem: str) -> Exception:
        """Return the error that refuses a field for a reason of the caller's, to be raised."""
        return self._refused(self._at(name), problem)

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _refused(self, path: str, problem: str) -> Exception:
        return self._refuse(f"{path} {problem}")


def _given(fields: Mapping[str, object], name: str, default: object) -> object:
    """Return a field's value, and the default where there is none; null counts as none."""
    value = fields.get(name)
    return default if value is None else value
