"""One state: the fields of its type and language, and the parts that have rules of their own."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sagemaker_local.asl import values
from sagemaker_local.asl.choices import check_choices
from sagemaker_local.asl.diagnostics import Diagnostic, Findings, only_one, required, wrong
from sagemaker_local.asl.errors import check_catch, check_retry
from sagemaker_local.asl.fields import ALLOWED, JSONATA, JSONPATH, check_language, check_names, check_values
from sagemaker_local.asl.graph import inner_machines
from sagemaker_local.asl.maps import check_map
from sagemaker_local.asl.resources import check_resource

_LONGEST_NAME = 80
_REQUIRED = {"Task": ["Resource"], "Choice": ["Choices"], "Parallel": ["Branches"]}
_MOVING = ("Task", "Wait", "Pass", "Parallel", "Map")
_TIMES = ["SecondsPath", "Seconds", "TimestampPath", "Timestamp"]
# Of a value and its path only one may be there.
_WITH_PATH = (
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailurePercentage",
    "ToleratedFailureCount",
    "Error",
    "Cause",
)


class Machine(NamedTuple):
    """What a state has to know of the machine around it; `check_scope` checks a machine inside a state."""

    language: str
    express: bool
    check_scope: Callable[[Any, str, "Machine"], Findings]


def check_state(name: str, state: Any, where: str, machine: Machine) -> Findings:
    """Yield what is wrong with a state and with what is inside it."""
    if len(name) > _LONGEST_NAME:
        message = f"State name '{name}' exceeds the {_LONGEST_NAME}-character limit allowed by the service"
        yield Diagnostic("INVALID_STATE_NAME", message, where)
    if not isinstance(state, dict):
        yield from values.mapping(state, where)
        return
    yield from required(["Type"], state, where)
    kind = state.get("Type")
    if isinstance(kind, str) and kind in ALLOWED:
        yield from _check_fields(kind, state, where, machine)
        yield from _check_parts(kind, state, where, machine)
    elif "Type" in state:
        yield wrong(f"The field 'Type' should have one of these values: [{', '.join(ALLOWED)}]", f"{where}/Type")


def language_of(state: dict[str, Any], machine: Machine) -> str:
    """Return a state's query language: the machine's, unless it has one; every other text than JSONPath is JSONata."""
    return JSONPATH if state.get("QueryLanguage", machine.language) == JSONPATH else JSONATA


def _check_fields(kind: str, state: dict[str, Any], where: str, machine: Machine) -> Findings:
    language = language_of(state, machine)
    yield from check_names(state, ALLOWED[kind], where)
    if (machine.language, language) == (JSONATA, JSONPATH):
        yield wrong("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", where)
    else:
        yield from check_language(state, language, where)
    yield from required(_REQUIRED.get(kind, []), state, where)
    yield from check_values(state, language, where)
    yield from _check_pairs(kind, state, where)


def _check_pairs(kind: str, state: dict[str, Any], where: str) -> Findings:
    """Yield what is wrong with fields of which one, and only one, may be there."""
    if kind in _MOVING:
        yield from only_one(["Next", "End"], ("Next" in state) + (state.get("End") is True), where)
    if kind == "Wait":
        yield from only_one(_TIMES, sum(name in state for name in _TIMES), where)
    if kind == "Map":
        both = ["ItemProcessor", "Iterator"]
        yield from only_one(both, sum(name in state for name in both), where)
    pairs = [[name, f"{name}Path"] for name in _WITH_PATH]
    for pair in [*pairs, ["ItemSelector", "Parameters"]] if kind == "Map" else pairs:
        if all(name in state for name in pair):
            yield from only_one(pair, len(pair), where)


def _check_parts(kind: str, state: dict[str, Any], where: str, machine: Machine) -> Findings:
    language = language_of(state, machine)
    yield from check_retry(state.get("Retry", []), f"{where}/Retry")
    yield from check_catch(state.get("Catch", []), language, f"{where}/Catch")
    match kind:
        case "Task":
            yield from _check_task(state, where, machine)
        case "Choice" if "Choices" in state:
            yield from check_choices(state["Choices"], language, f"{where}/Choices")
        case "Map":
            yield from check_map(state, language, where, express=machine.express)
        case "Parallel" if "Branches" in state:
            yield from _check_branches(state["Branches"], f"{where}/Branches")
    yield from _check_inner(state, where, machine)


def _check_task(state: dict[str, Any], where: str, machine: Machine) -> Findings:
    if "Resource" in state:
        yield from check_resource(state["Resource"], f"{where}/Resource", express=machine.express)
    given = state.get("Credentials")
    if isinstance(given, dict) and not {"RoleArn", "RoleArn.$"} & given.keys():
        yield wrong("The field 'RoleArn' is required but was missing", f"{where}/Credentials")
    elif "Credentials" in state and not isinstance(given, dict):
        yield from values.or_expression(values.mapping)(given, f"{where}/Credentials")


def _check_branches(branches: Any, where: str) -> Findings:
    if not isinstance(branches, list):
        yield from values.of_type("[ARRAY]", list)(branches, where)
    elif not branches:
        yield wrong("Value cannot be empty", where)


def _check_inner(state: dict[str, Any], where: str, machine: Machine) -> Findings:
    """Yield what is wrong with the machines inside a state; their language is the whole machine's, or each state's."""
    for inner, location in inner_machines(state, where):
        if isinstance(inner, dict) and "QueryLanguage" in inner:
            yield wrong("Field 'QueryLanguage' is not supported", location)
        yield from machine.check_scope(inner, location, machine)
