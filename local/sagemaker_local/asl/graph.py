"""Where a machine goes: every target exists, every state is reached, there is an end, and names are there once."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from sagemaker_local.asl.diagnostics import Diagnostic, Findings

_TERMINAL = ("Succeed", "Fail")


def check_transitions(definition: dict[str, Any]) -> Findings:
    """Yield what is wrong with the ways through a definition whose fields are right."""
    ends = any(_ends(state) for state in definition["States"].values())
    # Without an end AWS says nothing about what is not reached; it asks for an end of the whole machine only.
    yield from _check_scope(definition, "", reached=ends)
    if not ends:
        yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state")
    yield from _check_duplicates(definition)


def _ends(state: dict[str, Any]) -> bool:
    return state["Type"] in _TERMINAL or state.get("End") is True


def _check_scope(scope: dict[str, Any], where: str, *, reached: bool = True) -> Findings:
    states = scope["States"]
    ways = {name: list(_targets(state, f"{where}/States/{name}")) for name, state in states.items()}
    for target, location in [
        (scope["StartAt"], f"{where}/StartAt"),
        *(way for found in ways.values() for way in found),
    ]:
        if target not in states:
            yield Diagnostic("MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {target}", location)
    if reached:
        found = _reached(scope["StartAt"], ways)
        for name in [name for name in states if name not in found]:
            message = f'State "{name}" is not reachable.'
            yield Diagnostic("MISSING_TRANSITION_TARGET", message, f"{where}/States/{name}")
    for name, state in states.items():
        for inner, location in inner_machines(state, f"{where}/States/{name}"):
            yield from _check_scope(inner, location)


def _reached(start: str, ways: dict[str, list[tuple[str, str]]]) -> set[str]:
    found: set[str] = set()
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        if name in ways and name not in found:
            found.add(name)
            waiting.extend(target for target, _ in ways[name])
    return found


def _targets(state: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """Yield where a state goes, with the place that says so."""
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], f"{where}/{field}"
    for field in ("Choices", "Catch"):
        for position, rule in enumerate(state.get(field, [])):
            yield rule["Next"], f"{where}/{field}[{position}]/Next"


def inner_machines(state: dict[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    """Yield the machines inside a state, a map's and a parallel's, with their places."""
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield state[field], f"{where}/{field}"
    branches = state.get("Branches", [])
    for position, branch in enumerate(branches if isinstance(branches, list) else []):
        yield branch, f"{where}/Branches[{position}]"


def _check_duplicates(definition: dict[str, Any]) -> Findings:
    """Yield the names, and the labels, that the whole definition has more than once."""
    names, labels = set[str](), set[str]()
    for name, state, where in _all_states(definition, ""):
        if name in names:
            yield Diagnostic("DUPLICATE_STATE_NAME", f"Duplicate State name: {name}", where)
        names.add(name)
        label = state.get("Label")
        if label in labels:
            yield Diagnostic("DUPLICATE_LABEL_NAME", f"Duplicate Label name: {label}", f"{where}/Label")
        labels.update([label] if label else [])


def _all_states(scope: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, state in scope["States"].items():
        place = f"{where}/States/{name}"
        yield name, state, place
        for inner, location in inner_machines(state, place):
            yield from _all_states(inner, location)
