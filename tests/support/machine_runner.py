"""The inside of `machines`: answers the interpreter's tasks from mocks and records what a run does."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from ministack.services import stepfunctions as interpreter

from tests.support.machine_calls import check_call, check_result

TASK_TOKEN = "task-token-1"
# More states than any run of ours enters: a loop that does not end is reported and not waited for.
STATE_LIMIT = 500
# Step Functions API reference: TimeoutSeconds is at most 99,999,999.
TIMEOUT_LIMIT = 99_999_999
_UNCATCHABLE = {"States.Runtime", "States.DataLimitExceeded"}


class MachineTestError(AssertionError):
    """The test or the machine is wrong in a way that an execution would not show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Return:
    """The task succeeds with this result (a Lambda task: the function's answer, without `Payload` around it)."""

    result: Any = None


@dataclass(frozen=True)
class Throw:
    """The task fails with this error name; no cause, as in a timeout, when `cause` is None."""

    error: str
    cause: str | None = "a cause"


Mock = Return | Throw | Callable[[Any], Return | Throw]


@dataclass(frozen=True)
class Call:
    """One call of a task: the state, its resource, and the evaluated arguments."""

    state: str
    resource: str
    arguments: Any


@dataclass
class Run:
    """What an execution did: `status` is SUCCEEDED or FAILED; `edges` are the transitions as `unvisited` names them."""

    status: str = "RUNNING"
    output: Any = None
    error: str | None = None
    cause: str | None = None
    visited: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    edges: set[str] = field(default_factory=set)
    waited: list[float] = field(default_factory=list)

    def calls_of(self, state: str) -> list[Any]:
        """Return the arguments of every call that `state` made."""
        return [call.arguments for call in self.calls if call.state == state]


_current: ContextVar[tuple[str, dict[str, Any]]] = ContextVar("state")


class Runner:
    """Stands between the interpreter and the outside: answers tasks from mocks and records the way."""

    def __init__(self, states: Mapping[str, Any], mocks: Mapping[str, Mock | Sequence[Mock]]) -> None:
        self.states = states
        self.mocks = {name: list(mock) if isinstance(mock, Sequence) else mock for name, mock in mocks.items()}
        self.run = Run()
        self.problem: Exception | None = None
        self.via: dict[str, str] = {}

    def finished(self, execution: Mapping[str, Any]) -> Run:
        """Return the record, now that the execution has ended."""
        if self.problem is not None:
            raise self.problem
        self.run.status = execution["status"]
        if self.run.status == "SUCCEEDED":
            self.run.output = json.loads(execution["output"])
        else:
            self.run.error, self.run.cause = execution["error"], execution["cause"]
        return self.run

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Put this runner in the place of everything that the interpreter reaches outside for."""
        replaced: dict[str, Any] = {
            "_invoke_resource": self.task,
            "_invoke_resource_with_timeout": lambda resource, arguments, _timeout: self.task(resource, arguments),
            "_invoke_with_callback": lambda resource, arguments, _token, _state: self.task(resource, arguments),
            "_emit_execution_status_event": lambda _execution: None,
            "_scaled_sleep": self.run.waited.append,
            "_sleep_until": lambda _timestamp: None,
            "new_uuid": lambda: TASK_TOKEN,
            "time": SimpleNamespace(sleep=lambda _seconds: None),
            "_evaluate_jsonata_choice_rule": self.choice_rule(interpreter._evaluate_jsonata_choice_rule),
            "_find_matching_retrier": self.retrier(interpreter._find_matching_retrier),
            "_find_matching_catcher": self.catcher(interpreter._find_matching_catcher),
            "_apply_catcher": _without_null_cause(interpreter._apply_catcher),
            "_error_matches": _sparing_the_uncatchable(interpreter._error_matches),
        }
        for name in ("task", "choice", "pass", "wait", "map", "parallel"):
            replaced[f"_execute_{name}"] = self.entering(getattr(interpreter, f"_execute_{name}"))
        with ExitStack() as stack:
            for name, replacement in replaced.items():
                stack.enter_context(patch.object(interpreter, name, replacement))
            stack.enter_context(patch.object(interpreter.logger, "exception"))
            yield

    def fail(self, message: str) -> Exception:
        """Keep a problem for the end of the run: the interpreter turns every exception into States.Runtime."""
        self.problem = self.problem or MachineTestError(message)
        return self.problem

    def task(self, resource: str, arguments: Any) -> Any:
        """Answer one call of the current state from its mock, if its arguments are what the API takes."""
        state = _current.get()[0]
        self.run.calls.append(Call(state, resource, json.loads(json.dumps(arguments))))
        try:
            check_call(resource, arguments)
        except Exception as error:
            raise self.fail(f"{state} calls {resource} with arguments that it refuses: {error}") from error
        answer = self.mock(state)
        if callable(answer):
            answer = answer(arguments)
        if isinstance(answer, Throw):
            raise interpreter._ExecutionError(answer.error, answer.cause)
        try:
            check_result(resource, answer.result)
        except Exception as error:
            raise self.fail(f"the mock of {state} is not an answer of {resource}: {error}") from error
        wrapped = "lambda:invoke" in resource and ".waitForTaskToken" not in resource
        return {"StatusCode": 200, "Payload": answer.result} if wrapped else answer.result

    def mock(self, state: str) -> Mock:
        """Return the mock for the next call of `state`."""
        mock = self.mocks.get(state)
        if mock is None:
            raise self.fail(f"{state} was called and has no mock")
        if not isinstance(mock, list):
            return mock
        if not mock:
            raise self.fail(f"{state} was called once more than it has mocks")
        answer: Mock = mock.pop(0)
        return answer

    def entering(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the interpreter's function for one type of state: note the state and the edge by which it is left."""

        def entered(state: dict[str, Any], state_input: Any, *rest: Any) -> Any:
            context = rest[-1]
            name = context["State"]["Name"]
            self.visit(name)
            token = _current.set((name, state))
            try:
                if "TimeoutSeconds" in state:
                    self.check_timeout(name, state, state_input, context)
                output, following = execute(state, state_input, *rest)
            finally:
                _current.reset(token)
            if following is not None:
                via = self.via.pop(name, " default" if state["Type"] == "Choice" else "")
                self.run.edges.add(f"{name}{via} -> {following}")
                if self.states.get(following, {}).get("Type") in {"Succeed", "Fail"}:
                    self.visit(following)
            return output, following

        return entered

    def visit(self, name: str) -> None:
        """Note that the run entered `name`."""
        self.run.visited.append(name)
        if len(self.run.visited) > STATE_LIMIT:
            raise self.fail(f"the run entered {STATE_LIMIT} states and goes on: {self.run.visited[-5:]}")

    def check_timeout(self, name: str, state: Mapping[str, Any], state_input: Any, context: Any) -> None:
        """Fail the run unless the state's timeout is a number that Step Functions takes."""
        seconds = interpreter._apply_jsonata_template(state["TimeoutSeconds"], state_input, context)
        if not isinstance(seconds, int) or not 0 < seconds <= TIMEOUT_LIMIT:
            raise self.fail(f"TimeoutSeconds of {name} is {seconds!r}, not a whole number of seconds")

    def choice_rule(self, evaluate: Callable[..., bool]) -> Callable[..., bool]:
        """Wrap the evaluation of a Choice's rule: note the one that holds."""

        def evaluated(rule: dict[str, Any], *rest: Any) -> bool:
            holds = evaluate(rule, *rest)
            if holds:
                name, state = _current.get()
                self.via[name] = f" choice {_index(state['Choices'], rule)}"
            return holds

        return evaluated

    def retrier(self, find: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the search for a retrier: note the one that retries."""

        def found(retriers: list[Any], error: str, counts: dict[int, int]) -> Any:
            retrier, index = find(retriers, error, counts)
            if retrier is not None:
                self.run.edges.add(f"{_current.get()[0]} retry {index} {error}")
            return retrier, index

        return found

    def catcher(self, find: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the search for a catcher: note the one that catches."""

        def found(catchers: list[Any], error: str) -> Any:
            catcher = find(catchers, error)
            if catcher is not None:
                self.via[_current.get()[0]] = f" catch {_index(catchers, catcher)}"
            return catcher

        return found


def _index(items: list[Any], wanted: Any) -> int:
    return next(number for number, item in enumerate(items) if item is wanted)


def _sparing_the_uncatchable(matches: Callable[..., bool]) -> Callable[..., bool]:
    def spared(names: list[str], error: str) -> bool:
        return error in names if error in _UNCATCHABLE else matches(names, error)

    return spared


def _without_null_cause(apply: Callable[..., Any]) -> Callable[..., Any]:
    def applied(catcher: Any, state_input: Any, context: Any, language: str, error: dict[str, Any]) -> Any:
        kept = {key: value for key, value in error.items() if value is not None}
        return apply(catcher, state_input, context, language, kept)

    return applied
