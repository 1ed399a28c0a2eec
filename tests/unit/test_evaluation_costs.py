"""What a training has cost and what endpoints will: only with a price that somebody has read."""

import json
import re
from typing import Any

import pytest
from tests.support.evaluation import ports, predictions, question
from tests.support.objects import RememberedObjects

from signalbox.contracts.training import Fleet
from signalbox.evaluation import costs, prices
from signalbox.evaluation.evaluating import evaluate
from signalbox.stages import Stage

LARGE: Fleet = {"instance_type": "ml.m5.large", "instance_count": 2}
PROD = Stage("prod", "ml.m5.xlarge", 3)


def test_a_training_costs_its_time_on_all_its_instances() -> None:
    (cost,) = costs.of("us-east-1", LARGE, 1800, [])
    assert (cost["use"], cost["stage"], cost["dollars"]) == ("training", "", 0.115)
    assert (cost["dollars_an_hour"], cost["source"], cost["read"]) == (0.115, "AWS Price List", "2026-08-11")


def test_an_endpoint_costs_a_month_of_all_its_instances() -> None:
    (cost,) = costs.of("us-east-1", None, 0, [PROD])
    assert (cost["use"], cost["stage"], cost["hours"]) == ("hosting", "prod", 730)
    assert cost["dollars"] == pytest.approx(730 * 3 * 0.23)


def test_training_and_hosting_of_one_type_may_have_two_prices() -> None:
    found = costs.of("eu-west-1", {"instance_type": "ml.g4dn.xlarge", "instance_count": 1}, 3600, [
        Stage("prod", "ml.g4dn.xlarge", 1)
    ])  # fmt: skip
    assert [cost["dollars_an_hour"] for cost in found] == [0.822, 0.821]


@pytest.mark.parametrize(
    ("region", "instance_type"),
    [("us-east-1", "ml.x9.huge"), ("mars-north-1", "ml.m5.large"), ("us-east-1", "ml.m5.LARGE"), ("", "ml.m5.large")],
)
def test_a_type_or_a_region_without_a_price_is_left_out(region: str, instance_type: str) -> None:
    fleet: Fleet = {"instance_type": instance_type, "instance_count": 1}
    assert costs.of(region, fleet, 60, [Stage("prod", instance_type, 1)]) == []


def test_endpoints_that_are_paid_by_request_are_left_out() -> None:
    assert costs.of("us-east-1", None, 0, [Stage("prod", "ml.m5.large", 1, hosting="serverless")]) == []


@pytest.mark.parametrize(("fleet", "seconds"), [(None, 60), (LARGE, 0)])
def test_a_training_of_unknown_instances_or_time_is_left_out(fleet: Fleet | None, seconds: float) -> None:
    assert costs.of("us-east-1", fleet, seconds, []) == []


def test_every_price_says_where_and_when_it_was_read() -> None:
    assert {"us-east-1", "eu-west-1"} == set(prices.REGIONS)
    for price in (price for region in prices.REGIONS.values() for price in region.values()):
        assert price.dollars > 0
        assert price.source
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9](-[0-3][0-9])?", price.read)


REGRESSION = "".join(f"{n},M,0.{n},{n}\n" for n in range(1, 4))


def report(objects: RememberedObjects, **plan: Any) -> dict[str, Any]:
    asked = question()
    asked["plan"] |= plan  # type: ignore[typeddict-item]
    if plan.get("trained"):
        asked["training"] = None
    found: dict[str, Any] = json.loads(objects.texts[evaluate(asked, ports(objects))["report"]])
    return found


def test_the_report_has_the_costs_of_the_runs_own_training_and_of_every_stage() -> None:
    found = report(predictions(a=REGRESSION), fleet=LARGE)["costs"]
    assert [(cost["use"], cost["stage"]) for cost in found] == [
        ("training", ""),
        ("hosting", "staging"),
        ("hosting", "prod"),
    ]
    assert found[0]["dollars"] == pytest.approx(61 / 3600 * 2 * 0.115, abs=0.0001)


def test_the_report_of_a_package_has_the_job_that_trained_it_and_its_cost() -> None:
    trained = {"job": "pipelines-1-Train-2", "seconds": 3600, "fleet": LARGE}
    found = report(predictions(a=REGRESSION), trained=trained, fleet=None)
    assert found["training"] == {"job": "pipelines-1-Train-2", "seconds": 3600}
    assert found["costs"][0]["dollars"] == 0.23


def test_a_run_that_an_earlier_version_planned_has_the_costs_of_its_endpoints_alone() -> None:
    assert {cost["use"] for cost in report(predictions(a=REGRESSION))["costs"]} == {"hosting"}
