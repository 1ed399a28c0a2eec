"""Every task of both machines is tried again after every error that passes by itself.

A task of the mlops machine says so by Retry; an answer to the release machine goes back to its plan, which knows by
`releases.reactions` what to make of it. Which errors pass stands in `contracts.errors`, once.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from tests.gates.checks.contracts import actions_of, function_of
from tests.gates.template import Machine, Problem, Template

from signalbox.contracts.errors import BUSY, DYNAMODB, LAMBDA, STEP_FUNCTIONS, TIMEOUT
from signalbox.releases.reactions import ROLLBACK_REACTIONS, row_for

if TYPE_CHECKING:
    from signalbox.contracts.releases import ReleaseAction

# Each repetition mails again, and the first may have reached everybody: only its own timeout ends it.
_NOT_REPEATABLE = frozenset({"Announce"})
# Fewer tries end a release where half of all calls fail.
_ENOUGH = 6
# While a stage is rolled back, the next plan looks for itself: going on is as good as trying again.
_GOOD = frozenset({"repeat", "look", "proceed"})


def check(template: Template) -> list[Problem]:
    """Return the tasks that an error ends although it passes by itself."""
    return [problem for name, machine in template.machines.items() for problem in _machine(name, machine)]


def _machine(name: str, machine: Machine) -> Iterator[Problem]:
    states: dict[str, dict[str, Any]] = json.loads(machine.text)["States"]  # functions have their names only here
    for state, body in states.items():
        if body["Type"] != "Task":
            continue
        actions = actions_of(states, state)
        for error in sorted(passing(body)):
            if actions and not all(_reacted(action, error) for action in actions):
                yield Problem(f"{name}.{state}", f"is not tried again after {error}: see releases.reactions")
            if not actions and not _retried(body, error):
                yield Problem(f"{name}.{state}", f"is not tried again after {error}: see its Retry")


def passing(body: dict[str, Any]) -> frozenset[str]:
    """Return the errors of a task that pass by themselves, as far as its service tells them apart."""
    called = str(body["Resource"]).rpartition(":::")[2]
    if called.startswith("lambda:"):
        # The time of a task that waits for a person is the person's.
        own = function_of(body) not in _NOT_REPEATABLE and not called.endswith(".waitForTaskToken")
        return LAMBDA | {BUSY} | ({TIMEOUT} if own else set())
    if called.startswith("dynamodb:"):
        return DYNAMODB | {TIMEOUT}
    return STEP_FUNCTIONS if called.startswith("states:") else frozenset()


def _retried(body: dict[str, Any], error: str) -> bool:
    return any(error in rule["ErrorEquals"] and rule["MaxAttempts"] >= _ENOUGH for rule in body.get("Retry", []))


def _reacted(action: str, error: str) -> bool:
    word = cast("ReleaseAction", action)
    forward = row_for(word, error, rolling_back=False)
    back = row_for(word, error, rolling_back=True) if word in ROLLBACK_REACTIONS else forward
    return forward.reaction in _GOOD and forward.times >= _ENOUGH and back.reaction in _GOOD
