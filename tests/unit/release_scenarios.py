"""The release machine, executed in a world: its definition as it is, its functions' own rules, the world's services."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.machines import EXECUTION_NAME, Mock, Return, Run, Throw, run_machine
from tests.unit.releases_world import World, arn

if TYPE_CHECKING:
    from signalbox.contracts.releases import LastAnswer

MACHINE = Path(__file__).parents[2] / "statemachine" / "release.asl.json"
FUNCTIONS = ("PlanRelease", "VerifyRelease", "RequestReview", "CloseReview", "Announce")
SUBSTITUTIONS = {
    **{f"{name}Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in FUNCTIONS},
    "Partition": "aws",
}
APPROVED = {"model": "abalone", "package": arn(2), "trigger": "approved"}
REJECTED = APPROVED | {"trigger": "rejected"}
# The state of each action that is a task.
STATES = {
    "CreateModel": "create-model",
    "PutAlarm": "put-alarm",
    "CreateConfig": "create-config",
    "CreateEndpoint": "create-endpoint",
    "UpdateEndpoint": "update-endpoint",
    "DeleteEndpoint": "delete-endpoint",
    "DeleteAlarm": "delete-alarm",
    "DeleteConfig": "delete-config",
    "DeleteModel": "delete-model",
    "Review": "review",
    "CloseReview": "close-review",
    "Verify": "verify",
    "Record": "record",
    "Announce": "announce",
}
_OF_FUNCTIONS = {"Review", "CloseReview", "Verify", "Announce"}


def run(world: World, machine_input: Any = APPROVED, **failures: Mock | Sequence[Mock]) -> Run:
    """Execute the machine in `world`; `failures` stand for the first calls of a state, or for all of them."""
    mocks: dict[str, Mock | Sequence[Mock]] = {state: _acting(world, state) for state in STATES}
    mocks |= {"Plan": _planning(world), "AnnounceFailure": Return({"mailed": 1})}
    for state, given in failures.items():
        mocks[state] = [*given, *[mocks[state]] * 40] if isinstance(given, Sequence) else given  # type: ignore[list-item]  # one mock
    return run_machine(MACHINE, SUBSTITUTIONS, machine_input, mocks)


def world_of(*stages: Any, live: int | None = None) -> World:
    """Return a world where version 2 is approved and, where that is said, an older one serves in every stage."""
    world = World(*stages)
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")
    if live is not None:
        world.registry.put(live, "Approved")
        for stage in world.stages.stages:
            world.sagemaker.serve(f"signalbox-abalone-{stage.name}", f"live-{stage.name}", arn(live))
            world.store.record(stage.name, live, f"live-{stage.name}")
    return world


def _planning(world: World) -> Callable[[Any], Return]:
    def planned(arguments: Any) -> Return:
        world.sagemaker.tick()
        return Return(json.loads(json.dumps(world.plan(arguments["Payload"]))))

    return planned


def _acting(world: World, state: str) -> Callable[[Any], Return | Throw]:
    def acted(arguments: Any) -> Return | Throw:
        request = arguments["Payload"] if state in _OF_FUNCTIONS else arguments
        answer: LastAnswer = world._do({"action": STATES[state], "arguments": request}, EXECUTION_NAME)  # type: ignore[typeddict-item]  # what the world reads of a plan
        failure = answer.get("error")
        if failure is not None:
            return Throw(failure["Error"], failure.get("Cause"))
        return Return(answer.get("result") if state in _OF_FUNCTIONS else _RESULTS.get(state))

    return acted


_RESULTS: Mapping[str, Any] = {
    "CreateModel": {"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m"},
    "CreateConfig": {"EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/c"},
    "CreateEndpoint": {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"},
    "UpdateEndpoint": {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"},
    "Record": {},
}
