"""How traffic moves: the shifts of each kind of deployment, what the guardrails refuse, and who answers meanwhile."""

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.sagemaker_local.support.service import FakeFleet, refusal

from sagemaker_local.sagemaker.deployment import Deployment, check_deployment
from sagemaker_local.sagemaker.hosting import Hosting
from sagemaker_local.sagemaker.traffic import Traffic
from sagemaker_local.serving import FleetClosedError

if TYPE_CHECKING:
    from sagemaker_local.serving import Fleet

FOUR: list[dict[str, Any]] = [{"VariantName": "a", "InitialInstanceCount": 4}]


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind: str, wait: int = 10, **more: Any) -> dict[str, Any]:
    limits = {name: more.pop(name) for name in list(more) if name.startswith(("Termination", "Maximum"))}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **more}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **limits}}


def rolling(size: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 5, **more}}


@pytest.mark.parametrize(
    ("deployment", "shifts"),
    [
        (None, [(1.0, 0)]),
        ({}, [(1.0, 0)]),
        (blue_green("ALL_AT_ONCE", TerminationWaitInSeconds=5), [(1.0, 15)]),
        (blue_green("CANARY", CanarySize=percent(20), TerminationWaitInSeconds=5), [(0.2, 10), (1.0, 15)]),
        (blue_green("CANARY", CanarySize=instances(1)), [(0.25, 10), (1.0, 10)]),
        (blue_green("LINEAR", LinearStepSize=percent(50)), [(0.5, 10), (1.0, 10)]),
        (blue_green("LINEAR", LinearStepSize=percent(40)), [(0.4, 10), (0.8, 10), (1.0, 10)]),
        (rolling(instances(2)), [(0.5, 5), (1.0, 5)]),
    ],
)
def test_a_deployment_is_a_row_of_shifts(deployment: dict[str, Any] | None, shifts: list[tuple[float, float]]) -> None:
    assert list(Deployment.read(deployment, FOUR).shifts) == shifts


def test_ten_percent_steps_are_ten() -> None:
    assert len(Deployment.read(blue_green("LINEAR", LinearStepSize=percent(10)), FOUR).shifts) == 10


@pytest.mark.parametrize(
    ("deployment", "sentence"),
    [
        (blue_green("CANARY", CanarySize=percent(51)), "CanarySize has to be 1% to 50% of the capacity; 51"),
        (blue_green("CANARY", CanarySize=instances(3)), "3 INSTANCE_COUNT is 75%"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "LinearStepSize has to be 10% to 50%"),
        (blue_green("CANARY"), "CanarySize does not fit traffic routing of type CANARY"),
        (blue_green("ALL_AT_ONCE", CanarySize=percent(10)), "CanarySize does not fit traffic routing of type ALL_AT"),
        (blue_green("CANARY", CanarySize=percent(9), LinearStepSize=percent(9)), "LinearStepSize does not fit"),
        (blue_green("ALL_AT_ONCE", 600, MaximumExecutionTimeoutInSeconds=600), "has to be longer than all waits"),
        (rolling(percent(4)), "MaximumBatchSize has to be 5% to 50%"),
        (rolling(percent(50), MaximumExecutionTimeoutInSeconds=10), "has to be longer than all waits"),
        (rolling(percent(50)) | blue_green("ALL_AT_ONCE"), "exclude each other"),
    ],
)
def test_what_the_guardrails_do_not_allow_is_refused(deployment: dict[str, Any], sentence: str) -> None:
    refused = refusal(lambda: check_deployment(deployment, FOUR))
    assert refused.startswith("ValidationException")
    assert sentence in refused


def test_several_variants_are_not_updated_rolling_and_names_have_to_stay() -> None:
    two: list[dict[str, Any]] = [*FOUR, {"VariantName": "b"}]
    assert "one variant only" in refusal(lambda: check_deployment(rolling(percent(50)), two))
    assert "['a', 'b'] differ from the current ones, ['a']" in refusal(
        lambda: check_deployment(blue_green("ALL_AT_ONCE"), two, FOUR)
    )
    check_deployment(None, two, FOUR)
    check_deployment(blue_green("CANARY", CanarySize=percent(50), MaximumExecutionTimeoutInSeconds=600), FOUR, FOUR)


def test_alarms_are_looked_at_only_while_a_deployment_bakes_and_until_its_end() -> None:
    asked: list[str] = []

    def states() -> list[str]:
        asked.append("asked")
        return ["OK", "ALARM"] if len(asked) == 2 else ["OK"]

    assert not Deployment.bake(0, states)
    assert not asked
    assert Deployment.bake(0.01, states)
    assert len(asked) == 2
    assert not Deployment.bake(0.01, lambda: ["OK", "INSUFFICIENT_DATA"])
    assert not Deployment.bake(0.01, list)


def fleets() -> tuple[FakeFleet, FakeFleet, Traffic]:
    old, new = FakeFleet("old", {"a": 1.0}), FakeFleet("new", {"a": 1.0})
    chance = random.Random(1)  # noqa: S311  # a repeatable chance
    return old, new, Traffic(hosting(old), chance)


def hosting(fleet: FakeFleet) -> Hosting:
    return Hosting(cast("Fleet", fleet))


def test_new_servers_get_their_share_of_the_requests() -> None:
    _, new, traffic = fleets()
    traffic.shift(hosting(new), 0.3)
    answers = Counter(traffic.ask({}).body for _ in range(1000))
    assert 250 < answers[b"new"] < 350


def test_giving_up_ends_the_new_servers_and_promoting_hands_over_the_old_ones() -> None:
    old, new, traffic = fleets()
    traffic.give_up()
    with pytest.raises(LookupError):
        traffic.promote()
    traffic.shift(hosting(new), 1.0)
    traffic.give_up()
    assert new.closed.is_set()
    assert traffic.ask({}).body == b"old"
    newest = FakeFleet("newest", {"a": 1.0})
    traffic.shift(hosting(newest), 0.0)
    traffic.promote().close()
    assert old.closed.is_set()
    assert traffic.ask({}).body == b"newest"


def test_a_request_to_servers_that_were_just_closed_goes_to_their_successors() -> None:
    old, new, traffic = fleets()
    traffic.shift(hosting(new), 0.0)
    invoke = old.invoke

    def closed_meanwhile(*arguments: Any, **more: Any) -> Any:
        traffic.promote().close(0)
        return invoke(*arguments, **more)

    old.invoke = closed_meanwhile  # type: ignore[method-assign]
    assert traffic.ask({}).body == b"new"


def test_closed_traffic_takes_nothing_and_ends_all_servers() -> None:
    old, new, traffic = fleets()
    traffic.shift(hosting(new), 0.5)
    traffic.close(0)
    assert old.closed.is_set()
    assert new.closed.is_set()
    with pytest.raises(FleetClosedError):
        traffic.ask({})
