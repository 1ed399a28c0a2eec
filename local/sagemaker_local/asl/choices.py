"""The rules of a Choice state: a comparison of JSONPath's, rules put together, or a condition of JSONata's."""

from typing import Any

from sagemaker_local.asl import values
from sagemaker_local.asl.diagnostics import Findings, Kind, only_one, required, wrong
from sagemaker_local.asl.fields import JSONATA, check_language, check_names, check_values

_ORDERED = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_KINDS: dict[str, Kind] = {"String": values.text, "Numeric": values.number, "Timestamp": values.timestamp}
_COMPARISONS: dict[str, Kind] = {
    **{f"{kind}{how}": check for kind, check in _KINDS.items() for how in _ORDERED},
    **{f"{kind}{how}Path": values.reference for kind in _KINDS for how in _ORDERED},
    "BooleanEquals": values.flag,
    "BooleanEqualsPath": values.reference,
    "StringMatches": values.text,
    **{f"Is{what}": values.flag for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")},
}
_SELECTORS = ["And", "Or", "Not", "Variable", "Condition"]
_NESTED = frozenset({*_COMPARISONS, *_SELECTORS, "Comment"})
_TOP = _NESTED | {"Next", "Assign", "Output"}


def check_choices(rules: Any, language: str, where: str) -> Findings:
    """Yield what is wrong with the rules of a Choice state."""
    yield from _check_list(rules, where)
    for position, rule in enumerate(rules if isinstance(rules, list) else []):
        place = f"{where}[{position}]"
        if isinstance(rule, dict):
            yield from required(["Next"], rule, place)
            yield from check_names(rule, _TOP, place)
            yield from check_language(rule, language, place)
            yield from check_values(rule, language, place)
        yield from _check_rule(rule, language, place)


def _check_list(rules: Any, where: str) -> Findings:
    if not isinstance(rules, list):
        yield from values.of_type("[ARRAY]", list)(rules, where)
    elif not rules:
        yield wrong("Value cannot be empty", where)


def _check_rule(rule: Any, language: str, where: str) -> Findings:
    if not isinstance(rule, dict):
        yield from values.mapping(rule, where)
        return
    selectors = [name for name in _SELECTORS if name in rule]
    if len(selectors) != 1:
        yield wrong(f"The object must have only one of the following fields, [{', '.join(_SELECTORS)}]", where)
    if "Condition" in rule and language == JSONATA and not isinstance(rule["Condition"], bool):
        yield from values.expression(rule["Condition"], f"{where}/Condition")
    if "Variable" in rule:
        yield from _check_comparison(rule, where)
    for name in ("And", "Or"):
        if name in rule:
            yield from _check_nested(rule[name], language, f"{where}/{name}")
    if "Not" in rule:
        yield from _check_inner(rule["Not"], language, f"{where}/Not")


def _check_nested(rules: Any, language: str, where: str) -> Findings:
    yield from _check_list(rules, where)
    for position, rule in enumerate(rules if isinstance(rules, list) else []):
        yield from _check_inner(rule, language, f"{where}[{position}]")


def _check_inner(rule: Any, language: str, where: str) -> Findings:
    """Yield what is wrong with a rule inside another one, which goes nowhere by itself."""
    if isinstance(rule, dict):
        yield from check_names(rule, _NESTED, where)
        yield from check_language(rule, language, where)
    yield from _check_rule(rule, language, where)


def _check_comparison(rule: dict[str, Any], where: str) -> Findings:
    yield from values.reference(rule["Variable"], f"{where}/Variable")
    found = [name for name in rule if name in _COMPARISONS]
    if len(found) != 1:
        yield from only_one(found or ["StringEquals", "..."], len(found), where)
    for name in found:
        yield from _COMPARISONS[name](rule[name], f"{where}/{name}")
