"""Policy variables: `${aws:PrincipalTag/team}` in the resources and conditions of a policy is what the request has.

Source: IAM User Guide, "IAM policy elements: Variables and tags". A variable may have a default behind a comma. One
that the request has no value for makes its statement match nothing. Policies of buckets and keys stay as they are.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sagemaker_local.ministack import evaluator

_VARIABLE = re.compile(r"\$\{(?P<name>[^},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_WILD = ("*", "?")


class NoValueError(Exception):
    """A variable for which a request has no value."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the request has no {name}")


def resolve_policy_variables() -> None:
    """Gap: a policy variable stands for itself, so that a statement with one allows and denies nothing."""
    original = evaluator._first_match

    def first_match(context: Any, statements: Sequence[Any], effect: str) -> Any:
        return original(context, [one for one in (_resolved(each, context) for each in statements) if one], effect)

    evaluator._first_match = first_match


def _resolved(statement: Any, context: Any) -> Any | None:
    """Return a statement with values for its variables; None where it has one without a value."""
    lists = (statement.resources, statement.not_resources)
    if "${" not in repr((lists, statement.conditions)):
        return statement
    try:
        resources, others = ([_text(text, context) for text in texts] for texts in lists)
        conditions = {
            operator: {key: _value(value, context) for key, value in asked.items()}
            if isinstance(asked, dict)
            else asked
            for operator, asked in statement.conditions.items()
        }
    except NoValueError:
        return None
    return replace(statement, resources=resources, not_resources=others, conditions=conditions)


def _value(value: Any, context: Any) -> Any:
    if isinstance(value, list):
        return [_value(one, context) for one in value]
    return _text(value, context) if isinstance(value, str) else value


def _text(text: str, context: Any) -> str:
    def found(variable: re.Match[str]) -> str:
        if variable["name"] == "$":
            return "$"
        value = evaluator._resolve_condition_key(variable["name"].strip(), context)
        value = variable["default"] if value is None else value
        # A value is no pattern: what is compared as one would match more than the value.
        if not isinstance(value, str) or any(wild in value for wild in _WILD):
            raise NoValueError(variable["name"])
        return value

    return _VARIABLE.sub(found, text)
