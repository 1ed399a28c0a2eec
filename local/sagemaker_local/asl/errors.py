"""Retriers and catchers: whom they are for, and how often and how long a retrier tries."""

from typing import Any

from sagemaker_local.asl import values
from sagemaker_local.asl.diagnostics import Findings, Kind, required, wrong
from sagemaker_local.asl.fields import check_language, check_names, check_values

_EVERY = "States.ALL"
_RETRIER: dict[str, Kind] = {
    "Comment": values.text,
    "IntervalSeconds": values.between(0, 99_999_999),
    "MaxAttempts": values.between(0, 99_999_999),
    "BackoffRate": values.between(1.0, whole=False),
    "MaxDelaySeconds": values.between(1, 31_622_400),
    "JitterStrategy": values.one_of("NONE", "FULL"),
}
_CATCHER = frozenset({"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"})


def check_retry(retriers: Any, where: str) -> Findings:
    """Yield what is wrong with a state's retriers."""
    yield from _check_whom(retriers, where)
    for position, retrier in enumerate(_objects(retriers)):
        yield from check_names(retrier, frozenset({"ErrorEquals", *_RETRIER}), f"{where}[{position}]")
        for name, kind in _RETRIER.items():
            if name in retrier:
                yield from kind(retrier[name], f"{where}[{position}]/{name}")


def check_catch(catchers: Any, language: str, where: str) -> Findings:
    """Yield what is wrong with a state's catchers."""
    yield from _check_whom(catchers, where)
    for position, catcher in enumerate(_objects(catchers)):
        place = f"{where}[{position}]"
        yield from check_names(catcher, _CATCHER, place)
        yield from required(["Next"], catcher, place)
        yield from check_language(catcher, language, place)
        yield from check_values(catcher, language, place)


def _objects(given: Any) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _check_whom(given: Any, where: str) -> Findings:
    """Yield what is wrong with the errors that a list of retriers or catchers is for."""
    if not isinstance(given, list):
        yield from values.of_type("[ARRAY]", list)(given, where)
        return
    for position, one in enumerate(given):
        place = f"{where}[{position}]"
        if not isinstance(one, dict):
            yield from values.mapping(one, place)
            continue
        yield from required(["ErrorEquals"], one, place)
        if "ErrorEquals" in one:
            yield from _check_names_of_errors(one["ErrorEquals"], f"{place}/ErrorEquals", last=one is given[-1])


def _check_names_of_errors(errors: Any, where: str, *, last: bool) -> Findings:
    if not isinstance(errors, list):
        yield from values.of_type("[ARRAY]", list)(errors, where)
        return
    if not errors:
        yield wrong("Value cannot be empty", where)
    for position, error in enumerate(errors):
        yield from values.text(error, f"{where}[{position}]")
    if _EVERY in errors and not (last and len(errors) == 1):
        yield wrong(f"{_EVERY} must appear alone and at end of list", where)
