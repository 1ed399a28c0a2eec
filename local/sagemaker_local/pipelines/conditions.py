"""The conditions of a Condition step: their shapes, and their truth."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

from sagemaker_local.pipelines.expressions import ExpressionError, Scope, evaluate, is_expression

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS = {
    **{kind: {"LeftValue", "RightValue"} for kind in _COMPARISONS},
    "In": {"QueryValue", "Values"},
    "Not": {"Condition"},
    "Or": {"Conditions"},
}


def condition_problems(conditions: Any) -> Iterator[str]:
    """Yield what is wrong with a list of conditions."""
    if not isinstance(conditions, list) or not conditions:
        yield "Conditions must be a list of at least one condition"
        return
    for condition in conditions:
        yield from _problems(condition)


def all_true(conditions: list[Any], scope: Scope) -> bool:
    """Return whether every condition holds.

    Raises:
        ExpressionError: a value is missing, or two values cannot be compared.
    """
    return all(_holds(condition, scope) for condition in conditions)


def _problems(condition: Any) -> Iterator[str]:
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if not isinstance(kind, str) or kind not in _MEMBERS:
        yield f"a condition must be an object whose Type is one of {', '.join(_MEMBERS)}, not {kind!r}"
        return
    members = set(condition) - {"Type"}
    if members != _MEMBERS[kind]:
        yield f"condition {kind} must have {' and '.join(sorted(_MEMBERS[kind]))}, not {', '.join(sorted(members))}"
    elif kind == "Not":
        yield from _problems(condition["Condition"])
    elif kind == "Or":
        yield from condition_problems(condition["Conditions"])
    elif kind == "In" and not isinstance(condition["Values"], list):
        yield "condition In must have a list of Values"
    else:
        operands = [condition.get(name) for name in ("LeftValue", "RightValue", "QueryValue") if name in condition]
        for value in [*operands, *condition.get("Values", [])]:
            if not is_expression(value) and not isinstance(value, str | int | float):
                yield f"condition {kind} compares strings, numbers and booleans, not {value!r}"


def _holds(condition: dict[str, Any], scope: Scope) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"], scope)
    if kind == "Or":
        return any(_holds(inner, scope) for inner in condition["Conditions"])
    if kind == "In":
        query = evaluate(condition["QueryValue"], scope)
        return any(_compared("Equals", query, evaluate(value, scope)) for value in condition["Values"])
    return _compared(kind, evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope))


def _compared(kind: str, left: Any, right: Any) -> bool:
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1 or kinds == {"other"} or (kinds == {"boolean"} and kind != "Equals"):
        raise ExpressionError(f"condition {kind} cannot compare {left!r} with {right!r}")
    return _COMPARISONS[kind](left, right)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else "other"
