"""Plans as the machine gets them, and what any order of approvals, rejections and replays comes to."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.botocore_strict import check_request
from tests.unit.releases_world import ROLE, World, arn, question

from signalbox.releases.planning import plan_put_back
from signalbox.releases.ports import Served
from signalbox.stages import Rollout, Stage, StagesDocument

AT = "2026-11-20T10:00:00Z"
CANARY = Stage("prod", "ml.m5.large", 4, rollout=Rollout("canary", 10, 300), alarms=True, review_seconds=3600)


def world_with_live(version: int, stages: StagesDocument | None = None) -> World:
    """Return a world whose first stage serves `version`, released and recorded, and where version 2 is approved."""
    world = World(stages) if stages else World()
    name = world.stages.stages[0].name
    world.endpoints.serve(f"signalbox-abalone-{name}", "config-live", world.registry.put(version, "Approved"))
    world.ledger.record("abalone", name, Served(arn(version), "config-live"))
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")
    return world


def check_requests(answer: dict[str, Any]) -> None:
    check_request("sagemaker", "CreateModel", answer["create_model"])
    check_request("sagemaker", "CreateEndpointConfig", answer["create_config"])
    name, config = answer["endpoint"], answer["names"]["config"]
    check_request(
        "sagemaker", "CreateEndpoint", {"EndpointName": name, "EndpointConfigName": config, "Tags": answer["tags"]}
    )
    if answer["deployment"]:
        update = {"EndpointName": name, "EndpointConfigName": config, "DeploymentConfig": answer["deployment"]}
        check_request("sagemaker", "UpdateEndpoint", update)
    if answer["alarm"]:
        check_request("cloudwatch", "PutMetricAlarm", answer["alarm"])


def test_a_first_release_creates_the_endpoint_with_exactly_the_named_package() -> None:
    world = World()
    world.registry.put(3, "Approved")
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")

    answer = world.plan(question("approved", 2, AT, "run"))

    check_requests(answer)
    assert answer["action"] == "create"
    assert answer["endpoint"] == "signalbox-abalone-staging"
    assert answer["create_model"]["Containers"] == [{"ModelPackageName": arn(2)}]
    assert answer["create_model"]["ExecutionRoleArn"] == ROLE
    variant = answer["create_config"]["ProductionVariants"][0]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": answer["names"]["model"],
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    assert {"Key": "signalbox:package", "Value": arn(2)} in answer["create_model"]["Tags"]
    assert {"Key": "sagemaker:deployment-stage", "Value": "staging"} in answer["tags"]
    assert "signalbox:package" not in {tag["Key"] for tag in answer["tags"]}
    assert (answer["golden"], answer["report"]) == ("s3://artifacts/golden.json", "s3://artifacts/report.json")
    assert (answer["deployment"], answer["alarm"], answer["previous_config"]) == (None, None, None)


def test_an_update_goes_by_the_stages_rollout_and_names_its_alarm() -> None:
    answer = world_with_live(1, StagesDocument((CANARY,))).plan(question("approved", 2, AT, "run"))

    check_requests(answer)
    assert answer["action"] == "update"
    assert answer["previous_config"] == "config-live"
    assert answer["deployment"] == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 300,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
            },
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": 2400,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "signalbox-abalone-prod-errors"}]},
    }
    assert answer["alarm"]["AlarmName"] == "signalbox-abalone-prod-errors"
    assert answer["patience_seconds"] > 2400
    assert answer["expires_in"] == 3600


def test_a_linear_rollout_moves_in_steps() -> None:
    stage = Stage("prod", "ml.m5.large", 4, rollout=Rollout("linear", 25, 60))

    answer = world_with_live(1, StagesDocument((stage,))).plan(question("approved", 2, AT, "run"))

    check_requests(answer)
    routing = answer["deployment"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["LinearStepSize"] == {"Type": "CAPACITY_PERCENT", "Value": 25}
    assert "AutoRollbackConfiguration" not in answer["deployment"]


def test_a_rollback_goes_at_once_and_without_the_alarms_that_may_be_ringing() -> None:
    world = world_with_live(3, StagesDocument((CANARY,)))
    world.registry.put(3, "Rejected")

    answer = world.plan(question("rejected", 3, AT, "run"))

    check_requests(answer)
    assert (answer["action"], answer["package"]) == ("update", arn(2))
    assert answer["golden"] == "s3://artifacts/golden.json"
    policy = answer["deployment"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert policy == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    assert "AutoRollbackConfiguration" not in answer["deployment"]
    assert world.ledger.wanted("abalone") is None


def test_the_same_question_gives_the_same_names_and_another_package_others() -> None:
    world = World()
    world.registry.put(2, "Approved")
    world.registry.put(3, "Approved")

    first, again = (world.plan(question("approved", 2, AT, "run")) for _ in range(2))
    other = world.plan(question("approved", 3, AT, "run-b"))

    assert first == again
    assert set(first["names"].values()).isdisjoint(other["names"].values())


def test_a_package_that_is_live_without_a_record_is_verified_on_the_config_it_has() -> None:
    world = world_with_live(1)
    world.endpoints.serve("signalbox-abalone-staging", "config-of-a-lost-run", arn(2))

    answer = world.plan(question("approved", 2, AT, "run"))

    assert answer["action"] == "verify"
    assert answer["names"]["config"] == "config-of-a-lost-run"


def test_behind_the_last_stage_the_release_is_done() -> None:
    assert World().plan(question("approved", 2, AT, "run", stage_index=2))["action"] == "done"


def test_a_package_that_the_registry_lost_is_withdrawn() -> None:
    answer = World().plan(question("approved", 2, AT, "run"))

    assert (answer["action"], answer["package"], answer["golden"]) == ("withdrawn", None, None)


def test_a_late_request_of_an_earlier_time_does_not_take_the_stage_back() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    world.plan(question("approved", 3, "2026-11-20T11:00:00Z", "newer"))

    assert world.plan(question("approved", 2, AT, "older"))["action"] == "superseded"
    assert world.plan(question("approved", 3, "2026-11-20T11:00:00Z", "newer"))["action"] == "update"


@pytest.mark.parametrize("stage_index", [1, 2])
def test_a_stage_that_was_taken_from_a_newer_release_is_given_back(stage_index: int) -> None:
    world = world_with_live(1)
    older = question("approved", 2, AT, "older")
    world.registry.put(3, "Approved")
    stage = world.stages.stages[stage_index - 1].name
    taken = world.plan(older | {"stage_index": stage_index - 1, "reviewed": ["prod"]})["names"]["config"]
    world.plan(question("approved", 3, "2026-11-20T11:00:00Z", "newer"))
    world.ledger.record("abalone", stage, Served(arn(3), "config-3"))
    world.endpoints.serve(f"signalbox-abalone-{stage}", taken, arn(2))

    answer = world.plan(older | {"stage_index": stage_index})

    check_requests(answer)
    assert (answer["action"], answer["stage"], answer["stage_index"]) == ("update", stage, stage_index - 1)
    assert answer["package"] == arn(3)


def test_a_newer_request_that_has_not_come_to_a_stage_yet_is_not_done_for_it() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    older = question("approved", 2, AT, "older")
    world.plan(older)
    world.plan(question("approved", 3, "2026-11-20T11:00:00Z", "newer"))

    assert world.plan(older | {"stage_index": 1})["action"] == "superseded"


@pytest.mark.parametrize(("stage_index", "wanted"), [(0, True), (1, False)])
def test_only_the_first_stage_records_the_wish(stage_index: int, wanted: bool) -> None:
    world = world_with_live(1)

    world.plan(question("approved", 2, AT, "run", stage_index=stage_index))

    assert (world.ledger.wanted("abalone") is not None) is wanted


def test_putting_back_tells_the_previous_config_and_its_golden_requests() -> None:
    world = world_with_live(1)
    world.registry.put(1, "Approved", golden="s3://artifacts/old-golden.json")
    failed = world.plan(question("approved", 2, AT, "run"))
    world.endpoints.serve(failed["endpoint"], failed["names"]["config"], arn(2))

    back = plan_put_back(question("approved", 2, AT, "run", failed=failed), world.outside)

    assert (back["action"], back["config"], back["golden"]) == (
        "update",
        "config-live",
        "s3://artifacts/old-golden.json",
    )


def test_putting_back_a_first_endpoint_takes_it_down() -> None:
    world = World()
    world.registry.put(2, "Approved")
    failed = world.plan(question("approved", 2, AT, "run"))
    world.endpoints.serve(failed["endpoint"], failed["names"]["config"], arn(2), "Failed", "no ping")

    back = plan_put_back(question("approved", 2, AT, "run", failed=failed), world.outside)

    assert (back["action"], back["config"], back["golden"]) == ("delete", None, None)


def test_putting_back_to_something_that_is_no_package_works_too() -> None:
    world = world_with_live(1)
    world.endpoints.serve("signalbox-abalone-staging", "made-by-hand", None)
    failed = world.plan(question("approved", 2, AT, "run"))

    back = plan_put_back(question("approved", 2, AT, "run", failed=failed), world.outside)

    assert (back["action"], back["config"], back["golden"]) == ("kept", "made-by-hand", None)


# One change in the registry: (version, whether it is approved, how often its event is delivered, how long it is late).
CHANGES = st.lists(
    st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 2), st.integers(0, 3)), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(CHANGES, st.randoms(use_true_random=False), st.integers(1, 3))
def test_whatever_happens_between_a_plan_and_its_deed_no_stage_keeps_a_package_that_is_not_approved(
    changes: list[tuple[int, bool, int, int]], random: Any, slowness: int
) -> None:
    world = World()
    world.stalls = True
    world.endpoints.slowness = slowness

    live_through(world, changes, random)

    for stage in ("staging", "prod"):
        live = world.live(stage)
        assert live is None or world.registry.packages[live].status == "Approved"


@settings(max_examples=40, deadline=None)
@given(CHANGES, st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_of_approvals_rejections_and_replays_comes_to_what_the_registry_says(
    changes: list[tuple[int, bool, int, int]], random: Any, slowness: int
) -> None:
    world = World()
    world.endpoints.slowness = slowness

    live_through(world, changes, random)

    wish = world.ledger.wanted("abalone")
    # An execution that failed has told people so, with its reason.
    if wish and wish.execution not in world.failed and world.registry.packages[wish.package].status == "Approved":
        assert world.live("staging") == wish.package
        assert world.live("prod") == wish.package


def live_through(world: World, changes: list[tuple[int, bool, int, int]], random: Any) -> None:
    """Make the changes in the registry, deliver their events, and let everything that starts come to its end."""
    running: dict[str, Iterator[str]] = {}
    late: list[tuple[int, str, int, str]] = []
    for number, (version, approved, times, delay) in enumerate(changes):
        world.registry.put(version, "Approved" if approved else "Rejected")
        at = f"2026-11-20T10:00:{number:02}Z"
        late += [(number + delay, at, version, f"run-{number}-{time}") for time in range(times)]
        due, late = [one for one in late if one[0] <= number], [one for one in late if one[0] > number]
        deliver(world, running, due)
        advance(world, running, random, steps=4)
    deliver(world, running, late)
    advance(world, running, random, steps=10_000)
    assert not running


def deliver(world: World, running: dict[str, Iterator[str]], events: list[tuple[int, str, int, str]]) -> None:
    """Start what the event's function would start: it acts on the status of now, under the time of the change."""
    for _, at, version, name in events:
        because = "approved" if world.registry.packages[arn(version)].status == "Approved" else "rejected"
        running[name] = world.execution(because, version, at, name)


def advance(world: World, running: dict[str, Iterator[str]], random: Any, steps: int) -> None:
    """Let executions that are chosen at random take a step each."""
    for _ in range(steps):
        if not running:
            return
        name = random.choice(sorted(running))
        if next(running[name], None) is None:
            del running[name]
        world.endpoints.tick()
