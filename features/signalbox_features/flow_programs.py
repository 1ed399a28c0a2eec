"""What a pandas program of a Data Wrangler flow does, as far as its text tells it; it is never run."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

_CLOCKS = ("now", "time", "today", "utcnow")


class FlowProgram(NamedTuple):
    """What is seen in a program.

    `assigned` is the column of a frame that it assigns, nothing where it assigns several; `listed` are the columns that
    it names in a list, as of a new frame.
    """

    fits_scaler: bool
    reads_clock: bool
    assigned: str
    listed: list[str]

    @classmethod
    def of(cls, code: str) -> FlowProgram:
        """Return what is seen in a program.

        Raises:
            SyntaxError: it is no Python.
        """
        nodes = list(ast.walk(ast.parse(code)))
        called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        named = {node.id for node in nodes if isinstance(node, ast.Name)}
        fits = "StandardScaler" in named and "fit_transform" in called
        return cls(fits, bool(called.intersection(_CLOCKS)), _assigned(nodes), _listed(nodes))


def _assigned(nodes: list[ast.AST]) -> str:
    """Return the column that is assigned, by its name or by a variable that has it."""
    assigns = [node for node in nodes if isinstance(node, ast.Assign)]
    texts = {
        node.targets[0].id: node.value.value
        for node in assigns
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
    }
    keys = [_key(node.targets[0]) for node in assigns if isinstance(node.targets[0], ast.Subscript)]
    names = {str(key.value if isinstance(key, ast.Constant) else texts.get(getattr(key, "id", ""), "")) for key in keys}
    return names.pop() if len(names) == 1 else ""


def _key(target: Any) -> Any:
    # Python 3.8 has the index in a node of its own.
    return target.slice.value if type(target.slice).__name__ == "Index" else target.slice


def _listed(nodes: list[ast.AST]) -> list[str]:
    return [
        str(item.value)
        for node in nodes
        if isinstance(node, ast.keyword) and node.arg == "columns" and isinstance(node.value, ast.List)
        for item in node.value.elts
        if isinstance(item, ast.Constant)
    ]
