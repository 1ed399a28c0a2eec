"""How traffic moves in a blue/green update, and what the deployment guardrails refuse.

Source: Developer Guide, deployment-guardrails and deployment-guardrails-configuration.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from signalbox_local.sagemaker.errors import invalid

_HALF = 50
_TENTH = 10
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Deployment:
    """The shifts of traffic (share of the new servers, seconds of bake time) and the alarms that roll back."""

    request: dict[str, Any] | None
    shifts: tuple[tuple[float, float], ...]
    alarms: tuple[str, ...]

    @classmethod
    def read(cls, request: dict[str, Any] | None) -> Self:
        """Return the deployment of a DeploymentConfig; without one, all at once and no bake time."""
        policy = (request or {}).get("BlueGreenUpdatePolicy", {})
        routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
        rollback = (request or {}).get("AutoRollbackConfiguration", {})
        alarms = tuple(alarm["AlarmName"] for alarm in rollback.get("Alarms", []))
        return cls(request, _shifts(routing, policy.get("TerminationWaitInSeconds", 0)), alarms)

    def bake(self, seconds: float, states: Callable[[tuple[str, ...]], list[str]]) -> bool:
        """Wait `seconds` and tell whether an alarm rang; looked at once even where there is no time to wait."""
        end = time.monotonic() + seconds
        while True:
            if self.alarms and "ALARM" in states(self.alarms):
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK_SECONDS)


def _shifts(routing: dict[str, Any], termination_wait: float) -> tuple[tuple[float, float], ...]:
    wait = routing.get("WaitIntervalInSeconds", 0)
    last = (1.0, wait + termination_wait)
    if routing["Type"] == "CANARY":
        return ((routing["CanarySize"]["Value"] / 100, wait), last)
    if routing["Type"] == "LINEAR":
        step = routing["LinearStepSize"]["Value"]
        return (*((step * turn / 100, wait) for turn in range(1, math.ceil(100 / step))), last)
    return (last,)


def check_deployment(
    deployment: dict[str, Any] | None, config: dict[str, Any], current: dict[str, Any] | None = None
) -> None:
    """Refuse what AWS refuses.

    Raises:
        ApiError: a size out of its bounds, waits longer than the time for all, or other variant names.
    """
    if not deployment:
        return
    policy = deployment.get("BlueGreenUpdatePolicy")
    if policy:
        _check_blue_green(policy)
    if current is not None and _variants(config) != _variants(current):
        raise invalid(f"The variant names {_variants(config)} differ from the current ones, {_variants(current)}.")


def _variants(config: dict[str, Any]) -> list[str]:
    return sorted(variant["VariantName"] for variant in config["ProductionVariants"])


def _check_blue_green(policy: dict[str, Any]) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    kind = routing["Type"]
    size = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for member in ("CanarySize", "LinearStepSize"):
        if (member in routing) != (member == size):
            raise invalid(f"{member} does not fit traffic routing of type {kind}.")
    if size and routing[size]["Type"] == "CAPACITY_PERCENT":
        value, least = routing[size]["Value"], 1 if kind == "CANARY" else _TENTH
        if not least <= value <= _HALF:
            raise invalid(f"{size} has to be {least} to {_HALF} percent of the capacity, not {value}.")
    waits = sum(seconds for _, seconds in _shifts(routing, policy.get("TerminationWaitInSeconds", 0)))
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and limit <= waits:
        raise invalid(f"MaximumExecutionTimeoutInSeconds {limit} has to be longer than all waits together, {waits}.")
