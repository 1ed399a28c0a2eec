"""How traffic moves in a blue/green update, and what the deployment guardrails refuse.

Source: Developer Guide, deployment-guardrails and deployment-guardrails-configuration.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sagemaker_local.core.errors import invalid

_HALF = 0.5
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Deployment:
    """The shifts of traffic (share of the new servers, seconds of bake time) and the alarms that roll back."""

    request: dict[str, Any] | None
    shifts: tuple[tuple[float, float], ...]
    alarms: tuple[str, ...]

    @classmethod
    def read(cls, request: dict[str, Any] | None, variants: Sequence[Mapping[str, Any]]) -> Self:
        """Return the deployment of a DeploymentConfig; without one, all at once and no bake time."""
        given = request or {}
        alarms = given.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        return cls(request, _all_shifts(given, variants), tuple(alarm["AlarmName"] for alarm in alarms))

    @staticmethod
    def bake(seconds: float, states: Callable[[], list[str]]) -> bool:
        """Wait `seconds` and return whether an alarm went off meanwhile; without a time to wait nobody looks."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if "ALARM" in states():
                return True
            time.sleep(min(left, _LOOK_SECONDS))
        return seconds > 0 and "ALARM" in states()


def _all_shifts(given: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> tuple[tuple[float, float], ...]:
    if "RollingUpdatePolicy" in given:
        rolling = given["RollingUpdatePolicy"]
        return _steps(_share(rolling["MaximumBatchSize"], variants), rolling["WaitIntervalInSeconds"], 0)
    policy = given.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    wait, afterwards = routing["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0)
    if routing["Type"] == "CANARY":
        return ((_share(routing["CanarySize"], variants), wait), (1.0, wait + afterwards))
    if routing["Type"] == "LINEAR":
        return _steps(_share(routing["LinearStepSize"], variants), wait, afterwards)
    return ((1.0, wait + afterwards),)


def _steps(step: float, wait: float, afterwards: float) -> tuple[tuple[float, float], ...]:
    count = math.ceil(round(1 / step, 6))
    return (*((step * turn, wait) for turn in range(1, count)), (1.0, wait + afterwards))


def _share(size: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> float:
    """Return a CapacitySize as a share of the whole fleet, which may be more than one."""
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"]) / 100
    return float(size["Value"] / sum(variant.get("InitialInstanceCount", 1) for variant in variants))


def check_deployment(
    deployment: Mapping[str, Any] | None,
    variants: Sequence[Mapping[str, Any]],
    current: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Refuse what AWS refuses, for a move to `variants` from the `current` ones.

    Raises:
        ApiError: two policies, a size out of its bounds, waits longer than the time for all, other variant names, or
            a rolling update of several variants.
    """
    if not deployment:
        return
    blue_green, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise invalid("BlueGreenUpdatePolicy and RollingUpdatePolicy exclude each other.")
    if blue_green:
        _check_blue_green(blue_green, variants)
    if rolling:
        _check_rolling(rolling, variants)
    for policy in (blue_green, rolling):
        _check_waits(policy or {}, _all_shifts(deployment, variants))
    if current is not None and _names(variants) != _names(current):
        raise invalid(f"The variant names {_names(variants)} differ from the current ones, {_names(current)}.")


def _names(variants: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(variant["VariantName"] for variant in variants)


def _check_blue_green(policy: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    kind = routing["Type"]
    size = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for member in ("CanarySize", "LinearStepSize"):
        if (member in routing) != (member == size):
            raise invalid(f"{member} does not fit traffic routing of type {kind}.")
    if size:
        _check_size(size, routing[size], variants, least=0.01 if kind == "CANARY" else 0.1)


def _check_rolling(policy: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> None:
    if len(variants) > 1:
        raise invalid("A rolling update takes endpoints of one variant only.")
    _check_size("MaximumBatchSize", policy["MaximumBatchSize"], variants, least=0.05)


def _check_size(member: str, size: Mapping[str, Any], variants: Sequence[Mapping[str, Any]], *, least: float) -> None:
    if not least <= _share(size, variants) <= _HALF:
        raise invalid(
            f"{member} has to be {least:.0%} to {_HALF:.0%} of the capacity; {size['Value']} {size['Type']} is "
            f"{_share(size, variants):.0%}."
        )


def _check_waits(policy: Mapping[str, Any], shifts: tuple[tuple[float, float], ...]) -> None:
    waits, limit = sum(seconds for _, seconds in shifts), policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and limit <= waits:
        raise invalid(f"MaximumExecutionTimeoutInSeconds {limit} has to be longer than all waits together, {waits}.")
