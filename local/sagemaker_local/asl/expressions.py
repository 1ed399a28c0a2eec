"""JSONata: which strings are expressions, whether they parse, and whether they begin with something that there is."""

from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata

from sagemaker_local.asl.diagnostics import Diagnostic, Findings, wrong

_OPEN, _CLOSE = "{%", "%}"


def is_expression(value: Any) -> bool:
    """Tell whether a value is a JSONata expression, which its delimiters make it."""
    return isinstance(value, str) and value.startswith(_OPEN) and value.endswith(_CLOSE)


def check_value(value: Any, where: str) -> Findings:
    """Yield what is wrong with the expressions in a JSON value, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from check_value(inner, f"{where}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from check_value(inner, f"{where}[{number}]")
    elif is_expression(value):
        yield from _check(value[len(_OPEN) : -len(_CLOSE)].strip(), where)
    elif isinstance(value, str) and value.startswith(_OPEN):
        yield wrong("JSONata string must start with {% and end with %}", where)


def _check(expression: str, where: str) -> Findings:
    try:
        tree = Jsonata.jsonata(expression).ast
    except Exception as error:  # noqa: BLE001  # the parser fails in other ways, too, on what is none
        yield Diagnostic("INVALID_JSONATA_EXPRESSION", str(error), where)
        return
    for name in dict.fromkeys(_bare_names(tree)):
        message = f"Reference to '{name}' at the top level is not supported."
        yield Diagnostic("UNSUPPORTED_JSONATA_EXPRESSION", message, where)


def _bare_names(node: Any) -> Iterator[str]:
    """Yield the names that a path begins with: an expression has no context item, so nothing is behind them.

    Inside functions and behind the first step of a path a name may have something to be looked up in.
    """
    match getattr(node, "type", None):
        case "path":
            first = node.steps[0]
            if first.type == "name":
                yield str(first.value)
            else:
                yield from _bare_names(first)
        case "lambda":
            return
        case _:
            for inner in _operands(node):
                yield from _bare_names(inner)


def _operands(node: Any) -> Iterator[Any]:
    """Yield what is evaluated in the same context as the node itself."""
    for name in ("lhs", "rhs", "expression", "condition", "then", "_else"):
        if hasattr(getattr(node, name, None), "type"):
            yield getattr(node, name)
    for name in ("arguments", "expressions"):
        yield from getattr(node, name, None) or ()
    for pair in getattr(node, "lhs_object", None) or ():
        yield from pair
