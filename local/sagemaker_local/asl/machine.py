"""A whole definition: its text, its own fields, and the machines inside it, of maps and of branches."""

from typing import Any

from sagemaker_local.asl import values
from sagemaker_local.asl.diagnostics import Diagnostic, Findings, required
from sagemaker_local.asl.fields import JSONATA, JSONPATH, LANGUAGES, check_names
from sagemaker_local.asl.graph import check_transitions
from sagemaker_local.asl.states import Machine, check_state
from sagemaker_local.asl.text import read_json

_FIELDS = frozenset({"Comment", "QueryLanguage", "StartAt", "TimeoutSeconds", "Version", "States"})
_LONGEST = 99_999_999  # seconds


def check(definition: str, *, express: bool = False) -> list[Diagnostic]:
    """Return what is wrong with a definition; nothing where Step Functions would take it.

    Args:
        definition: Its text, with everything substituted.
        express: The machine is an express one, which waits for no job and no token.
    """
    try:
        return _check(definition, express=express)
    except RecursionError:
        return [Diagnostic("TOO_DEEPLY_NESTED", "The states are too deeply nested.")]
    except ValueError as error:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", str(error))]


def _check(definition: str, *, express: bool) -> list[Diagnostic]:
    parsed = read_json(definition)
    if not isinstance(parsed, dict):
        return [Diagnostic("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object")]
    machine = Machine(_language(parsed), express=express, check_scope=_check_scope)
    found = [*_check_top(parsed), *_check_scope(parsed, "", machine)]
    return found or list(check_transitions(parsed))


def _language(definition: dict[str, Any]) -> str:
    return JSONPATH if definition.get("QueryLanguage", JSONPATH) == JSONPATH else JSONATA


def _check_top(definition: dict[str, Any]) -> Findings:
    yield from check_names(definition, _FIELDS, "")
    kinds = {
        "QueryLanguage": LANGUAGES,
        "Version": values.one_of("1.0"),
        "TimeoutSeconds": values.between(0, _LONGEST),
    }
    for name, kind in kinds.items():
        if name in definition:
            yield from kind(definition[name], f"/{name}")


def _check_scope(scope: Any, where: str, machine: Machine) -> Findings:
    """Yield what is wrong with a machine and its states: the whole one, a map's processor, or a branch."""
    if not isinstance(scope, dict):
        yield from values.mapping(scope, where)
        return
    yield from required(["States", "StartAt"], scope, where)
    for name, kind in (("StartAt", values.text), ("Comment", values.text), ("States", values.mapping)):
        if name in scope:
            yield from kind(scope[name], f"{where}/{name}")
    states = scope.get("States")
    for name, state in states.items() if isinstance(states, dict) else ():
        yield from check_state(name, state, f"{where}/States/{name}", machine)
