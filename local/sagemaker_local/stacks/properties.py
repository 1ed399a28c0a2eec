"""A template's properties held against the published schema of their type, and given the types of the API."""

import re
from collections.abc import Mapping
from typing import Any

from sagemaker_local.stacks.model import Properties, ResourceType

# How the schemas' validator calls types (everit's json-schema, which CloudFormation's messages are worded by).
_WORDS = {"structure": "JSONObject", "map": "JSONObject", "list": "JSONArray", "boolean": "Boolean"}
_WORDS |= {"integer": "Integer", "long": "Integer", "float": "Number", "double": "Number"}
_FOUND: tuple[tuple[type, str], ...] = (
    (Mapping, "JSONObject"),
    (list, "JSONArray"),
    (bool, "Boolean"),
    (int, "Integer"),
    (float, "Number"),
    (str, "String"),
    (object, "Null"),
)
_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
_BOOLEANS = {"true": True, "false": False}


class PropertiesError(Exception):
    """Properties that are not as the published schema has them."""

    def __init__(self, resource: str, faults: list[str]) -> None:
        super().__init__("\n".join([f"Properties validation failed for resource {resource} with message:", *faults]))


def checked(resource: ResourceType, logical_id: str, properties: Properties) -> Properties:
    """Return properties with the API's types: a template's numbers may be texts, and its texts numbers.

    Raises:
        PropertiesError: a required one is missing, or there is one that the schema does not have or of another type.
    """
    look = _Look(resource.lacks, resource.requires)
    found = look.members(resource.properties(), _required(resource), properties, "#")
    if look.faults:
        raise PropertiesError(logical_id, look.faults)
    return found


def _required(resource: ResourceType) -> frozenset[str]:
    return resource.requires.get(resource.create_shape.name, frozenset(resource.create_shape.required_members))


def request_of(logical_id: str, shape: Any, properties: Properties) -> dict[str, Any]:
    """Return the request that properties are, of an API that writes its members with a small letter in front.

    Raises:
        PropertiesError: a required one is missing, or there is one that the API does not have or of another type.
    """
    look = _Look({})
    found = look.members(shape.members, frozenset(shape.required_members), _renamed(shape, properties), "#")
    if look.faults:
        raise PropertiesError(logical_id, [_FIRST.sub(lambda match: match[0].upper(), fault) for fault in look.faults])
    return found


_FIRST = re.compile(r"(?<=[/\[])[a-z]")


def _renamed(shape: Any, value: Any) -> Any:
    """Return a value with the names that members have in the API: Name is name, BuildSpec is buildspec."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        names = {name.lower(): name for name in shape.members}
        found = {names.get(str(name).lower(), str(name)): item for name, item in value.items()}
        return {
            name: _renamed(shape.members[name], item) if name in shape.members else item for name, item in found.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_renamed(shape.member, item) for item in value]
    return value


class _Look:
    """One look at the properties of a resource; what is wrong is in `faults`, in CloudFormation's words."""

    def __init__(
        self, lacks: Mapping[str, frozenset[str]], requires: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self._lacks, self._requires = lacks, requires or {}
        self.faults: list[str] = []

    def members(
        self, shapes: Mapping[str, Any], required: frozenset[str], value: Properties, path: str
    ) -> dict[str, Any]:
        """Return the members of a structure."""
        self.faults += [f"{path}: required key [{name}] not found" for name in sorted(required - set(value))]
        self.faults += [f"{path}: extraneous key [{name}] is not permitted" for name in value if name not in shapes]
        return {
            name: self.value(shapes[name], item, f"{path}/{name}") for name, item in value.items() if name in shapes
        }

    def value(self, shape: Any, value: Any, path: str) -> Any:
        """Return a value with the type of its shape."""
        match shape.type_name:
            case "structure" if isinstance(value, Mapping):
                lacking = self._lacks.get(shape.name, frozenset())
                shapes = {name: one for name, one in shape.members.items() if name not in lacking}
                required = self._requires.get(shape.name, frozenset(shape.required_members))
                return self.members(shapes, required, value, path)
            case "list" if isinstance(value, list):
                return [self.value(shape.member, item, f"{path}/{index}") for index, item in enumerate(value)]
            case "map" if isinstance(value, Mapping):
                return {str(key): self.value(shape.value, item, f"{path}/{key}") for key, item in value.items()}
            case "structure" | "list" | "map":
                return self._wrong(shape, value, path)
            case _:
                return self._scalar(shape, value, path)

    def _scalar(self, shape: Any, value: Any, path: str) -> Any:
        if value is None or isinstance(value, (Mapping, list)):
            return self._wrong(shape, value, path)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if shape.type_name == "boolean":
            return _BOOLEANS[text.lower()] if text.lower() in _BOOLEANS else self._wrong(shape, value, path)
        number = _NUMBERS.get(shape.type_name)
        if number is None:
            return text
        try:
            return number(text)
        except ValueError:
            return self._wrong(shape, value, path)

    def _wrong(self, shape: Any, value: Any, path: str) -> Any:
        found = next(word for types, word in _FOUND if isinstance(value, types))
        self.faults.append(f"{path}: expected type: {_WORDS.get(shape.type_name, 'String')}, found: {found}")
        return value
