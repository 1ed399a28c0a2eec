"""Read a YAML file that has to fit a schema; every error names the line and the field."""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from signalbox_operate.projects.model import Field, Places, ProjectError
from signalbox_operate.projects.schema import Schema

_LONGEST = 60  # characters of a wrong value that are shown
_LARGEST = 256 * 1024
_TYPES = {"object": "fields", "array": "a list", "string": "a text", "integer": "a whole number", "boolean": "a flag"}


def load(file: Path, schema: Schema) -> tuple[Any, Places]:
    """Return what a file holds, and the lines of its fields.

    Raises:
        ProjectError: it is no YAML that can be read, or does not fit the schema.
    """
    text = _text(file)
    try:
        value, lines = _parsed(text, file.name, schema["required"])
    except yaml.YAMLError as error:
        raise ProjectError([_unreadable(error, file.name)]) from error
    places = Places(file.name, lines)
    found = [wrong for error in Draft202012Validator(schema).iter_errors(value) for wrong in _wrong(error)]
    if found:
        in_order = sorted(found, key=lambda wrong: places.line(wrong[0]))
        raise ProjectError([f"{places.of(*path)}: {told}" for path, told in in_order])
    return value, places


def _text(file: Path) -> str:
    if not file.is_file():
        raise ProjectError([f"there is no {file.name} in {file.parent}: name the project's folder"])
    if file.stat().st_size > _LARGEST:
        raise ProjectError([f"{file.name} has {file.stat().st_size:,} bytes, more than the {_LARGEST:,} it may have"])
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError([f"{file.name} is not UTF-8 ({error}): save it as that"]) from error


def _parsed(text: str, name: str, required: list[str]) -> tuple[Any, dict[Field, int]]:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
        raise ProjectError([f"{name} uses an anchor (*): write its text out, so that each field has one line"])
    loader = yaml.SafeLoader(text)
    node = loader.get_single_node()
    if node is None:
        raise ProjectError([f"{name} is empty: it has to have {', '.join(required)} at least"])
    lines: dict[Field, int] = {}
    return _value(node, (), loader, lines, name), lines


def _value(node: yaml.Node, path: Field, loader: yaml.SafeLoader, lines: dict[Field, int], name: str) -> Any:
    """Return a node's value, and note the line of each field in it."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), loader, lines, name) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in made:
            first, again = lines[(*path, key)], key_node.start_mark.line + 1
            raise ProjectError([f"{name}, line {again}: {key!r} is there already, in line {first}: keep one of them"])
        lines[(*path, key)] = key_node.start_mark.line + 1
        made[key] = _value(value_node, (*path, key), loader, lines, name)
    return made


def _unreadable(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{name}{place}: this is not YAML ({said}): correct it there, or in the line before"


def _wrong(error: ValidationError) -> Iterator[tuple[Field, str]]:
    """Yield what is wrong: the field's path, and what is said of it."""
    path, schema = tuple(error.absolute_path), error.schema
    wanted = schema.get("description", "") if isinstance(schema, dict) else ""
    match error.validator:
        case "additionalProperties":
            for name in _unknown(error.instance, schema):
                yield (*path, name), _wrong_name(name, schema)
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            if error.message.startswith(repr(missing[0])):  # one error for each missing field: all are said once
                yield path, f"{', '.join(missing)} is missing: it has to be there"
        case "type" if error.validator_value == "string" and not isinstance(error.instance, dict | list | None):
            yield path, f"{_shown(error.instance)} has to be a text: put it in quotes"
        case _:
            yield path, f"{_shown(error.instance)} has to be {wanted or _typed(error.validator_value)}"


def _unknown(instance: Any, schema: Schema) -> Iterator[str]:
    patterns = schema.get("patternProperties", {})
    for name in instance:
        if name not in schema.get("properties", {}) and not any(re.search(pattern, name) for pattern in patterns):
            yield name


def _wrong_name(name: str, schema: Schema) -> str:
    known = list(schema.get("properties", {}))
    if not known:
        return f"the name {_shown(name)} is not allowed: these are {schema['description']}"
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
    return f"there is no such field: {hint}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _typed(kinds: Any) -> str:
    return " or ".join(_TYPES.get(kind, str(kind)) for kind in ([kinds] if isinstance(kinds, str) else kinds))
