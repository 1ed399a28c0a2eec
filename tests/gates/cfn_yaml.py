"""CloudFormation's YAML: short forms of the intrinsic functions, and no key twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader where there is one
    """Reads `!Sub` and its like into their long forms, and refuses a mapping that has a key twice."""


def parse(text: str) -> dict[str, Any]:
    """Return the document in `text` with the intrinsic functions in their long forms.

    Raises:
        ValueError: it is not YAML, or a mapping has a key twice.
    """
    try:
        document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  # a subclass of the safe loader
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    return document


@dataclass(frozen=True)
class Written:
    """One scalar below a key of interest: where it stands in the text (line from 0) and what it says."""

    key: str
    value: str
    line: int
    flow: bool


def written_below(text: str, keys: frozenset[str]) -> Iterator[Written]:
    """Yield every scalar of the document that is the value, or is in the value, of one of `keys`."""
    root = yaml.compose(text, Loader=_Loader)
    if root is not None:
        yield from _walk(root, keys, None, flow=False)


def _walk(node: yaml.Node, keys: frozenset[str], key: str | None, *, flow: bool) -> Iterator[Written]:
    if isinstance(node, yaml.ScalarNode):
        if key is not None:
            yield Written(key, node.value, node.start_mark.line, flow)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, keys, key, flow=flow or bool(node.flow_style))
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _walk(value, keys, name.value if name.value in keys else key, flow=flow)


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    names = [loader.construct_object(key) for key, _ in node.value]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"line {node.start_mark.line + 1}: {sorted(twice)} stands twice in one mapping")
    mapping: dict[str, Any] = loader.construct_mapping(node, deep=True)
    return mapping


def _intrinsic(loader: Any, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = _mapping(loader, node)  # type: ignore[arg-type]  # the third kind of node
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_multi_constructor("!", _intrinsic)
