"""Expressions of derived columns: arithmetic over numeric columns and a few functions, and nothing else of Python."""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Evaluate = Callable[[Mapping[str, Any]], "float | None"]

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,  # of floats alone: an error where it is too large, and no number of a million digits
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "max": max,
    "min": min,
    "sqrt": math.sqrt,
}
_SEVERAL = ("max", "min")
_LONGEST = 500


class DeriveError(ValueError):
    """A text is no expression that may stand in a definition; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Expression(NamedTuple):
    """An expression: the columns that it reads, and what evaluates it.

    `evaluate` returns None where a column has no value, and raises ArithmeticError or ValueError where there is no
    result, as the logarithm of 0.
    """

    names: frozenset[str]
    evaluate: Evaluate


def parse(text: str) -> Expression:
    """Return an expression.

    Raises:
        DeriveError: it is something else than numbers, columns, + - * / ** and `FUNCTIONS`.
    """
    if len(text) > _LONGEST:
        raise DeriveError(f"has {len(text)} characters, more than {_LONGEST}: use a step")
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DeriveError(f"{text!r} is no expression, such as log1p(length * height)") from None
    names: set[str] = set()
    return Expression(frozenset(names_of(body, names)), _made(body))


def names_of(body: ast.expr, names: set[str]) -> set[str]:
    """Return the names of an expression that are not those of its functions."""
    called = {id(node.func) for node in ast.walk(body) if isinstance(node, ast.Call)}
    names.update(node.id for node in ast.walk(body) if isinstance(node, ast.Name) and id(node) not in called)
    return names


def _made(node: ast.expr) -> Evaluate:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return _constant(node.value)
    if isinstance(node, ast.Name):
        return _column(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        return _called(lambda value: sign * value, [_made(node.operand)])
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _called(_OPERATORS[type(node.op)], [_made(node.left), _made(node.right)])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _function(node.func.id, [_made(argument) for argument in node.args])
    raise DeriveError(f"takes numbers, columns, + - * / ** and {', '.join(FUNCTIONS)}, and nothing else")


def _function(name: str, arguments: list[Evaluate]) -> Evaluate:
    if name not in FUNCTIONS:
        raise DeriveError(f"there is no function {name}: there are {', '.join(FUNCTIONS)}")
    fits = len(arguments) > 1 if name in _SEVERAL else len(arguments) == 1
    if not fits:
        raise DeriveError(f"{name} takes {'two values or more' if name in _SEVERAL else 'one value'}")
    return _called(FUNCTIONS[name], arguments)


def _constant(value: float) -> Evaluate:
    return lambda _: float(value)


def _column(name: str) -> Evaluate:
    def evaluate(row: Mapping[str, Any]) -> float | None:
        value = row[name]
        return None if value is None else float(value)

    return evaluate


def _called(function: Callable[..., float], arguments: list[Evaluate]) -> Evaluate:
    def evaluate(row: Mapping[str, Any]) -> float | None:
        values = [argument(row) for argument in arguments]
        return None if None in values else function(*values)

    return evaluate
