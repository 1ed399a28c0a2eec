"""The machines, held against `signalbox.contracts`: what they read of an answer, what they send, the words they know.

The types are those of the functions' own handlers: a payload has exactly the keys of the handler's event, and a
variable that a function's answer was assigned to has that answer's fields. What nobody uses is a finding too.
"""

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints, is_typeddict

from tests.gates.template import ROOT, Machine, Problem, Template

from signalbox.contracts.endings import Ending, Mailed
from signalbox.contracts.errors import AWS_ERRORS, REVIEW_REJECTED
from signalbox.contracts.releases import ARGUMENTS, ReleaseAction, ReleaseOutcome
from signalbox.contracts.reviews import ReviewDecision, ReviewRequested
from signalbox.releases import reactions

LAYER = ROOT / "layers/signalbox/signalbox"
_FUNCTION = re.compile(r"\$\{(\w+)Arn\}")
_VARIABLE = re.compile(r"\$(?!states\b)([a-z]\w*)((?:\.\w+)*)(?!\s*\()")
_WORD = re.compile(r"\$([a-z]\w*)((?:\.\w+)+) = '([^']*)'")
_RESULT = re.compile(r"\{% \$states\.result(\.\w+)* %\}")
# What the waiting task of a review is answered with (`states:SendTaskSuccess`), not by the function that it calls.
_TASK_RESULTS: Mapping[str, Any] = {"RequestReview": ReviewDecision}
_ARGUMENTS: Mapping[str, Any] = {str(action): kind for action, kind in ARGUMENTS.items()} | {"announce": Ending}
_CALLED = re.compile(r'"FunctionName": "\$\{(\w+)Arn\}"')
# Answers that are there for who reads an execution's history.
_FOR_PEOPLE = (Mailed, ReviewRequested)
_MISSING = object()


def check(template: Template) -> list[Problem]:
    """Return what the machines say that the contracts do not know, and the other way round."""
    problems = [problem for name, machine in template.machines.items() for problem in _machine(name, machine)]
    texts = [machine.text for machine in template.machines.values()]
    return [*problems, *_errors(template), *unused(texts)]


def _machine(name: str, machine: Machine) -> Iterator[Problem]:
    states: dict[str, dict[str, Any]] = json.loads(machine.text)["States"]
    variables = _variables(states)
    for state, body in states.items():
        actions = actions_of(states, state)
        for what in _state(body, variables, actions):
            yield Problem(f"{name}.{state}", what)
    for path, words in _words(states).items():
        known = set(_literals(_walk(variables, path)))
        for word in sorted(words - known):
            yield Problem(name, f"compares ${path} with {word!r}, which the contract does not have: {sorted(known)}")
        # The last action may be the default of the choice.
        for word in sorted(known - words) if path == "plan.action" and len(known - words) > 1 else []:
            yield Problem(name, f"does not know the word {word!r} of ${path}")


def _state(body: dict[str, Any], variables: Mapping[str, Any], actions: set[str]) -> Iterator[str]:
    known = dict(variables)
    if actions and "plan" in known:
        known["plan.arguments"] = [_ARGUMENTS.get(action, dict) for action in sorted(actions)]
    for text in _texts(body):
        for variable, path in _VARIABLE.findall(text):
            if variable in known and _walk(known, variable + path) is _MISSING:
                yield f"reads ${variable}{path}, which the contract does not have"
    for variable, value in body.get("Assign", {}).items():
        if isinstance(value, dict) and is_typeddict(known.get(variable)):
            for key in sorted(set(value) - set(get_type_hints(known[variable]))):
                yield f"sets ${variable}.{key}, which the contract does not have"
    yield from _payload(body, actions)


def _payload(body: dict[str, Any], actions: set[str]) -> Iterator[str]:
    function = function_of(body)
    if function is None:
        return
    wanted, payload = handler(function)[0], body["Arguments"]["Payload"]
    if not is_typeddict(wanted):
        yield f"calls {function}, whose handler takes no contract"
        return
    if isinstance(payload, str):
        given = {_ARGUMENTS.get(action) for action in actions}
        if given != {wanted}:
            yield f"passes the arguments of {sorted(actions)} to {function}, which takes {wanted.__name__}"
        return
    required, known = wanted.__required_keys__, set(get_type_hints(wanted))
    for key in sorted(required - set(payload)):
        yield f"sends {function} no {key!r}"
    for key in sorted(set(payload) - known):
        yield f"sends {function} {key!r}, which the contract does not have"


def _variables(states: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the types of the variables that answers are assigned to."""
    found: dict[str, Any] = {}
    for body in states.values():
        for variable, value in body.get("Assign", {}).items():
            if isinstance(value, str) and _RESULT.fullmatch(value):
                answered = _answer(body, value)
                if answered is not None:
                    found[variable] = answered
    return found


def _answer(body: dict[str, Any], value: str) -> Any:
    """Return the type of what a state assigns: a function's answer, a task's, or a release's."""
    function = function_of(body)
    if function is None:
        return ReleaseOutcome if value == "{% $states.result.Output %}" else None
    if function in _TASK_RESULTS:
        return _TASK_RESULTS[function]
    return handler(function)[1] if value == "{% $states.result.Payload %}" else None


def function_of(body: dict[str, Any]) -> str | None:
    """Return the function that a state calls, by the name of its substitution."""
    arguments = body.get("Arguments")
    name = arguments.get("FunctionName", "") if isinstance(arguments, dict) else ""
    found = _FUNCTION.fullmatch(name)
    return found[1] if found else None


def actions_of(states: Mapping[str, dict[str, Any]], state: str) -> set[str]:
    """Return the action words by which a state is chosen; the default stands for the words that no rule names."""
    chosen: set[str] = set()
    for body in states.values():
        rules = [(rule["Next"], _WORD.findall(str(rule["Condition"]))) for rule in body.get("Choices", [])]
        named = {word for _, words in rules for variable, path, word in words if variable + path == "plan.action"}
        if not named:
            continue
        chosen |= {word for next_state, words in rules if next_state == state for _, _, word in words}
        if body.get("Default") == state:
            chosen |= set(get_args(ReleaseAction.__value__)) - named
    return chosen


def _words(states: Mapping[str, dict[str, Any]]) -> dict[str, set[str]]:
    """Return the words that choices compare fields of variables with."""
    found: dict[str, set[str]] = {}
    for body in states.values():
        for rule in body.get("Choices", []):
            for variable, path, word in _WORD.findall(str(rule["Condition"])):
                found.setdefault(variable + path, set()).add(word)
    return found


def _walk(variables: Mapping[str, Any], path: str) -> Any:
    """Return the type at a path of a variable, or _MISSING; behind what has no fields everything is allowed."""
    name, *fields = path.split(".")
    if name not in variables:
        return None
    kinds = [variables[name]]
    for place, field in enumerate(fields):
        here = ".".join([name, *fields[: place + 1]])
        kinds = list(variables[here]) if here in variables else _fields(kinds, field)
        if not kinds:
            return _MISSING
    return kinds[0]


def _fields(kinds: list[Any], field: str) -> list[Any]:
    found: list[Any] = []
    for kind in (one for given in kinds for one in _alternatives(given)):
        if is_typeddict(kind):
            hints = get_type_hints(kind)
            found += [hints[field]] if field in hints else []
        elif kind is not NoneType:
            found.append(object)
    return found


def _alternatives(kind: Any) -> list[Any]:
    """Return the members of a union, behind the names that types have."""
    while isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if get_origin(kind) in (UnionType, Union):
        return [one for member in get_args(kind) for one in _alternatives(member)]
    return [kind]


def _literals(kind: Any) -> Iterator[str]:
    for one in _alternatives(kind):
        if get_origin(one) is Literal:
            yield from get_args(one)


@cache
def handler(function: str) -> tuple[Any, Any]:
    """Return the types that a function's handler takes and returns; `function` is in CamelCase."""
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
    module = importlib.import_module(f"functions.{folder}.app")
    hints = get_type_hints(module.handler.__wrapped__.__wrapped__, {**vars(module), **_annotated_with(module)})
    return hints["event"], hints["return"]


def _annotated_with(module: ModuleType) -> dict[str, Any]:
    """Return what a module imports for type checkers alone, by name; Lambda's context is nobody's contract."""
    names: dict[str, Any] = {"LambdaContext": object}
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("signalbox"):
            source = importlib.import_module(str(node.module))
            names |= {alias.name: getattr(source, alias.name) for alias in node.names if hasattr(source, alias.name)}
    return names


def _texts(value: Any) -> Iterator[str]:
    """Yield every expression in a state."""
    if isinstance(value, str):
        if value.startswith("{%"):
            yield re.sub(r"'[^']*'", "''", value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _errors(template: Template) -> Iterator[Problem]:
    """Return error names that nobody raises, and known ones that nobody names."""
    known = AWS_ERRORS | {REVIEW_REJECTED} | error_classes()
    named: set[str] = set()
    for name, machine in template.machines.items():
        for state, body in machine.states():
            for rule in (*body.get("Retry", []), *body.get("Catch", [])):
                named |= set(rule["ErrorEquals"])
                for error in sorted(set(rule["ErrorEquals"]) - known):
                    yield Problem(f"{name}.{state}", f"names the error {error}, which nobody raises")
    rows = [
        row for table in (reactions.REACTIONS, reactions.ROLLBACK_REACTIONS) for rows in table.values() for row in rows
    ]
    reacted = {error for row in rows for error in row.errors}
    for error in sorted(reacted - known):
        yield Problem("releases.reactions", f"names the error {error}, which nobody raises")
    for error in sorted((AWS_ERRORS | {REVIEW_REJECTED}) - named - reacted):
        yield Problem("contracts.errors", f"knows the error {error}, which no machine and no reaction names")


@cache
def error_classes() -> frozenset[str]:
    """Return the names of all error classes of the layer."""
    classes = (
        node.name
        for source in LAYER.rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    return frozenset(name for name in classes if name.endswith("Error"))


def unused(machines: list[str]) -> Iterator[Problem]:
    """Yield the fields of a machine's types that neither a machine nor the product's code reads."""
    read = {field for text in machines for _, path in _VARIABLE.findall(text) for field in path.split(".") if field}
    words = _string_constants(LAYER, ROOT / "functions")
    called = sorted({function for text in machines for function in _CALLED.findall(text)})
    kinds = dict.fromkeys(kind for function in called for kind in handler(function) if is_typeddict(kind))
    for kind in kinds:
        for field in sorted(get_type_hints(kind)) if kind not in _FOR_PEOPLE else []:
            if field not in read and field not in words:
                yield Problem(f"contracts.{kind.__name__}", f"nobody reads {field!r}")


def _string_constants(*folders: Path) -> set[str]:
    """Return the strings by which code reads: subscripts in a load, and the arguments of calls."""
    found: set[str] = set()
    for folder in folders:
        for source in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                    found |= _constants([node.slice])
                elif isinstance(node, ast.Call):
                    found |= _constants(node.args)
                elif isinstance(node, ast.comprehension):
                    found |= _constants([node.iter, *getattr(node.iter, "elts", [])])
    return found


def _constants(nodes: list[Any]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
