"""Executes a state machine in process, with the interpreter of the local cloud and one mock for each task.

`run_machine` gives back what a run did; `unvisited` says which states, transitions, catchers and retriers no run of a
list of runs went through. A run fails loudly (with an error of its own, not as a failed execution) when a task has no
mock, when a `${Substitution}` is left, and when the evaluated arguments of a task are not what the API takes.

Where ministack's interpreter is more lenient than Step Functions, the difference is closed here: `States.ALL` does not
catch `States.Runtime` and `States.DataLimitExceeded`, a timeout has no `Cause`, and `TimeoutSeconds` may be an
expression but has to come out as a whole number of seconds.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack.services import stepfunctions as interpreter

from tests.support.machine_runner import TASK_TOKEN, Call, MachineTestError, Mock, Return, Run, Runner, Throw

__all__ = [
    "EXECUTION_ARN",
    "EXECUTION_NAME",
    "TASK_TOKEN",
    "Call",
    "MachineTestError",
    "Mock",
    "Return",
    "Run",
    "Throw",
    "load_machine",
    "run_machine",
    "unvisited",
]

MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:machine-under-test"
EXECUTION_NAME = "execution-1"
EXECUTION_ARN = f"arn:aws:states:us-east-1:123456789012:execution:machine-under-test:{EXECUTION_NAME}"


def load_machine(path: Path, substitutions: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition in `path` with every `${Name}` replaced, as CloudFormation does it: in the text.

    Raises:
        MachineTestError: a substitution is missing, or given and not used.
    """
    text = path.read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{(\w+)\}", text))
    if wanted != set(substitutions):
        raise MachineTestError(
            f"{path.name} and its substitutions differ: without a value {sorted(wanted - set(substitutions))}, "
            f"not used {sorted(set(substitutions) - wanted)}"
        )
    for name, value in substitutions.items():
        text = text.replace("${" + name + "}", value)
    definition: dict[str, Any] = json.loads(text)
    return definition


def run_machine(
    path: Path,
    substitutions: Mapping[str, str],
    machine_input: Any,
    mocks: Mapping[str, Mock | Sequence[Mock]],
) -> Run:
    """Execute the machine in `path` to its end. Waits and retry intervals take no time.

    A state's mock is used for every call of it; a list is used up one by one, and a call beyond its end is an error.

    Raises:
        MachineTestError: see the module's first lines.
    """
    definition = load_machine(path, substitutions)
    unknown = set(mocks) - set(_states(definition))
    if unknown:
        raise MachineTestError(f"mocks for states that {path.name} does not have: {sorted(unknown)}")
    runner = Runner(_states(definition), mocks)
    execution = _new_execution(machine_input)
    with runner.patched():
        interpreter._state_machines[MACHINE_ARN] = {
            "name": "machine-under-test",
            "definition": json.dumps(definition),
            "roleArn": "arn:aws:iam::123456789012:role/machine",
        }
        interpreter._executions[EXECUTION_ARN] = execution
        try:
            interpreter._run_execution(EXECUTION_ARN)
        finally:
            del interpreter._executions[EXECUTION_ARN], interpreter._state_machines[MACHINE_ARN]
    return runner.finished(execution)


def unvisited(path: Path, runs: Iterable[Run], *, retries: bool = True) -> list[str]:
    """Return every state and edge of the machine in `path` that none of `runs` went through.

    Edges are `A -> B`, `A choice 0 -> B`, `A default -> B`, `A catch 0 -> B` and, unless `retries` is False,
    `A retry 0 <error name>` for each error name of each retrier.
    """
    definition = json.loads(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for run in runs:
        seen |= run.edges | set(run.visited)
    wanted = [edge for name, state in _states(definition).items() for edge in (name, *_edges(name, state, retries))]
    return [edge for edge in wanted if edge not in seen]


def _states(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states of a definition and of the Map and Parallel states in it, by name."""
    found: dict[str, Any] = {}
    for name, state in definition["States"].items():
        found[name] = state
        nested = [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor"), state.get("Iterator")])]
        for branch in nested:
            found |= _states(branch)
    return found


def _edges(name: str, state: Mapping[str, Any], retries: bool) -> Iterator[str]:
    if "Next" in state:
        yield f"{name} -> {state['Next']}"
    for index, rule in enumerate(state.get("Choices", [])):
        yield f"{name} choice {index} -> {rule['Next']}"
    if "Default" in state:
        yield f"{name} default -> {state['Default']}"
    for index, catcher in enumerate(state.get("Catch", [])):
        yield f"{name} catch {index} -> {catcher['Next']}"
    for index, retrier in enumerate(state.get("Retry", []) if retries else []):
        yield from (f"{name} retry {index} {error}" for error in retrier["ErrorEquals"])


def _new_execution(machine_input: Any) -> dict[str, Any]:
    return {
        "executionArn": EXECUTION_ARN,
        "stateMachineArn": MACHINE_ARN,
        "name": EXECUTION_NAME,
        "status": "RUNNING",
        "startDate": "2026-11-20T10:00:00.000Z",
        "stopDate": None,
        "input": json.dumps(machine_input),
        "output": None,
        "testCase": "",
        "events": [],
    }
