"""Plans as the machine gets them: each action's request, and what follows from what it came to."""

import json
from copy import replace
from functools import partial
from typing import Any

import pytest
from tests.support.botocore_strict import check_request
from tests.unit.releases_world import (
    DONE,
    REFUSED,
    ROLE,
    RegistryFake,
    World,
    after,
    arn,
    content,
    decided,
    execution_arn,
    failed,
    question,
)

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.model import Endpoint, ModelPackage
from signalbox.contracts.releases import ReleasePlan, ReleaseQuestion
from signalbox.releases.actions import LONGEST_WAIT, wait
from signalbox.releases.model import Desired
from signalbox.releases.planning import MOST_ROUNDS
from signalbox.stages import Rollout, Stage, StagesDocument, StagesDocumentError, parse

AT = "2026-11-20T10:00:00Z"
LATER = "2026-11-20T11:00:00Z"
STAGING_ENDPOINT, PROD_ENDPOINT = "signalbox-abalone-staging", "signalbox-abalone-prod"
PLAIN = StagesDocument((Stage("staging", "ml.m5.large", 1),))
CANARY = Stage("prod", "ml.m5.large", 4, rollout=Rollout("canary", 10, 300), alarms=True, review_seconds=3600)

COMMIT, LIVE_COMMIT = "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92", "b60d3817f2c94ae5d1087c3b96ef42a7051d8e3c"


def world_with_live(version: int, stages: StagesDocument | None = None) -> World:
    """Return a world whose first stage serves `version`, released and recorded, and where version 2 is approved."""
    world = World(stages) if stages else World()
    name = world.stages.stages[0].name
    world.sagemaker.serve(f"signalbox-abalone-{name}", "config-live", world.registry.put(version, "Approved"))
    world.store.record(name, version, "config-live")
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")
    return world


def plans(world: World, asked: ReleaseQuestion, *last: Any) -> list[ReleasePlan]:
    """Return the plans of a question and of those that follow with these answers; None does the action in the world."""
    found = [world.plan(asked)]
    for given in last:
        asked = after(asked, found[-1], given or world._do(found[-1], asked["execution"]))
        world.sagemaker.tick()
        found.append(world.plan(asked))
    return found


def through(world: World, action: str, asked: ReleaseQuestion) -> tuple[ReleaseQuestion, ReleasePlan]:
    """Let a release go on until it asks for `action`; return the question and that plan."""
    plan = world.plan(asked)
    while plan["action"] != action:
        asked = after(asked, plan, world._do(plan, asked["execution"]))
        world.sagemaker.tick()
        plan = world.plan(asked)
    return asked, plan


def request(plan: ReleasePlan) -> Any:
    """Return a plan's arguments, once they are what the API takes."""
    operations = {
        "create-model": ("sagemaker", "CreateModel"),
        "create-config": ("sagemaker", "CreateEndpointConfig"),
        "create-endpoint": ("sagemaker", "CreateEndpoint"),
        "update-endpoint": ("sagemaker", "UpdateEndpoint"),
        "delete-endpoint": ("sagemaker", "DeleteEndpoint"),
        "put-alarm": ("cloudwatch", "PutMetricAlarm"),
        "record": ("dynamodb", "PutItem"),
    }
    if plan["action"] in operations:
        check_request(*operations[plan["action"]], dict(plan["arguments"]))
    return plan["arguments"]


def test_a_first_release_creates_the_endpoint_with_exactly_the_named_package() -> None:
    world = World(PLAIN)
    world.registry.put(3, "Approved")
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json")

    model, config, endpoint, verify = plans(world, question("approved", 2, AT), None, None, None)

    made = request(model)
    assert made["Containers"] == [{"ModelPackageName": arn(2)}]
    assert made["ExecutionRoleArn"] == ROLE
    assert {"Key": "signalbox:package", "Value": arn(2)} in made["Tags"]
    assert request(config)["ProductionVariants"] == [
        {
            "VariantName": "AllTraffic",
            "ModelName": made["ModelName"],
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
    ]
    created = request(endpoint)
    assert created["EndpointName"] == STAGING_ENDPOINT
    assert created["EndpointConfigName"] == request(config)["EndpointConfigName"]
    assert {"Key": "sagemaker:deployment-stage", "Value": "staging"} in created["Tags"]
    assert "signalbox:package" not in {tag["Key"] for tag in created["Tags"]}
    assert verify["arguments"] == {
        "endpoint": STAGING_ENDPOINT,
        "config": created["EndpointConfigName"],
        "package": arn(2),
        "golden": "s3://artifacts/golden.json",
        "content": content(2),
    }


@pytest.mark.parametrize(
    ("given", "isolated"), [({}, True), ({"network_isolation": True}, True), ({"network_isolation": False}, False)]
)
def test_a_model_is_served_without_a_network_unless_its_stage_asks_for_one(
    given: dict[str, bool], isolated: bool
) -> None:
    stage = {"name": "staging", "instance_type": "ml.m5.large", "instance_count": 1, **given}
    world = World(parse(json.dumps({"stages": [stage]})))
    world.registry.put(2, "Approved", golden="s3://artifacts/golden.json")

    _, plan = through(world, "create-model", question("approved", 2, AT))

    assert request(plan)["EnableNetworkIsolation"] is isolated


def test_an_update_goes_by_the_stages_rollout_and_names_its_alarm() -> None:
    world = world_with_live(1, StagesDocument((CANARY,)))

    _, alarm, _, update = plans(world, question("approved", 2, AT), None, None, None)

    config = request(update)["EndpointConfigName"]
    assert request(alarm)["AlarmName"] == f"{config}-errors"
    assert {one["Name"]: one["Value"] for one in request(alarm)["Dimensions"]} == {
        "EndpointName": "signalbox-abalone-prod",
        "VariantName": "AllTraffic",
        "EndpointConfigName": config,
    }
    assert request(update)["DeploymentConfig"] == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 300,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
            },
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": 2400,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": f"{config}-errors"}]},
    }
    assert "RetainAllVariantProperties" not in request(update)
    deployment = update["progress"]["deployment"]
    assert deployment is not None
    assert deployment["previous"] == "config-live"
    assert deployment["patience_seconds"] > 2400


def test_an_update_keeps_the_old_fleet_as_long_as_the_stage_says() -> None:
    rollout = Rollout(termination_wait_seconds=300)
    world = world_with_live(1, StagesDocument((Stage("prod", "ml.m5.large", 1, rollout=rollout, alarms=True),)))

    _, update = through(world, "update-endpoint", question("approved", 2, AT))

    policy = request(update)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    assert (policy["TerminationWaitInSeconds"], policy["MaximumExecutionTimeoutInSeconds"]) == (300, 2100)


def test_an_endpoint_that_was_scaled_out_keeps_its_instances_forward_and_back() -> None:
    world = world_with_live(1, PLAIN)
    asked, update = through(world, "update-endpoint", question("approved", 2, AT))
    world.sagemaker.scaled = {(STAGING_ENDPOINT, request(update)["EndpointConfigName"])}

    assert request(world.plan(asked))["RetainAllVariantProperties"] is True

    world.sagemaker.scaled = {(STAGING_ENDPOINT, "config-live")}
    asked, verify = through(world, "verify", after(asked, update, world._do(update, "run")))
    _, back = through(world, "update-endpoint", after(asked, verify, failed("GoldenMismatchError")))
    assert request(back)["EndpointConfigName"] == "config-live"
    assert request(back)["RetainAllVariantProperties"] is True


def test_a_linear_rollout_moves_in_steps() -> None:
    stage = Stage("prod", "ml.m5.large", 4, rollout=Rollout("linear", 25, 60))
    world = world_with_live(1, StagesDocument((stage,)))

    _, update = through(world, "update-endpoint", question("approved", 2, AT))

    deployment = request(update)["DeploymentConfig"]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["LinearStepSize"] == {"Type": "CAPACITY_PERCENT", "Value": 25}
    assert "AutoRollbackConfiguration" not in deployment


def test_a_rejection_brings_the_fallback_back_at_once_and_without_the_alarms_that_may_be_ringing() -> None:
    world = world_with_live(3, StagesDocument((CANARY,)))
    world.registry.put(3, "Rejected")

    asked, update = through(world, "update-endpoint", question("rejected", 3, AT))

    deployment = request(update)["DeploymentConfig"]
    policy = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert policy == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    assert "AutoRollbackConfiguration" not in deployment
    assert update["progress"]["deployment"]["package"] == arn(2)  # type: ignore[index]  # an update has one
    _, verify = through(world, "verify", after(asked, update, world._do(update, "run")))
    assert verify["arguments"]["golden"] == "s3://artifacts/golden.json"
    assert world.store.desired("abalone") is None


def test_the_same_question_has_the_same_answer_and_another_package_other_names() -> None:
    world = World()
    world.registry.put(2, "Approved")
    world.registry.put(3, "Approved")

    first, again = (world.plan(question("approved", 2, AT)) for _ in range(2))
    other = world.plan(question("approved", 3, AT, "run-b"))

    assert first == again
    assert request(first)["ModelName"] != request(other)["ModelName"]


def test_a_package_that_is_live_without_a_record_is_verified_on_the_config_it_has() -> None:
    world = world_with_live(1)
    world.sagemaker.serve(STAGING_ENDPOINT, "config-of-a-lost-run", arn(2))

    plan = world.plan(question("approved", 2, AT))

    assert (plan["action"], plan["arguments"]["config"]) == ("verify", "config-of-a-lost-run")


def test_a_release_without_anything_to_do_is_told_and_done() -> None:
    world = world_with_live(2, PLAIN)

    told, done = plans(world, question("approved", 2, AT), None)

    assert told["action"] == "announce"
    assert (done["action"], done["arguments"]["verdict"]) == ("done", "nothing-to-do")
    assert [stage["verdict"] for stage in done["outcome"]["stages"]] == ["kept"]


def test_a_package_that_the_registry_lost_is_withdrawn_and_that_is_recorded() -> None:
    world = World()

    record = world.plan(question("approved", 2, AT))

    item = {name: value["S"] for name, value in request(record)["Item"].items()}
    assert item == {
        "pk": "model#abalone",
        "sk": "release#2026-11-20T10:00:00.000Z#run#staging",
        "trigger": "approved",
        "package": arn(2),
        "stage": "staging",
        "endpoint": STAGING_ENDPOINT,
        "config": "",
        "verdict": "withdrawn",
        "at": "2026-11-20T10:00:00.000000Z",
        "execution": execution_arn("run"),
    }


def test_a_late_request_of_an_earlier_time_does_not_take_the_stage_back() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    newer = question("approved", 3, LATER, "newer")
    plan = world.plan(newer)

    older = world.run("approved", 2, AT, "older")

    assert older.outcome["verdict"] == "superseded"
    assert (plan["action"], world.plan(newer)["action"]) == ("create-model", "create-model")


@pytest.mark.parametrize("stage_index", [1, 2])
def test_a_stage_that_was_taken_from_a_newer_release_is_given_back(stage_index: int) -> None:
    world = world_with_live(1)
    stage = world.stages.stages[stage_index - 1].name
    if stage_index == 2:
        world.sagemaker.serve(STAGING_ENDPOINT, "config-2", arn(2))
        world.store.record("staging", 2, "config-2")
    world.registry.put(3, "Approved")
    # Time goes by between the plan of the update and the update itself: meanwhile version 3 was released there.
    move = "update-endpoint" if stage_index == 1 else "create-endpoint"
    asked, update = through(world, move, question("approved", 2, AT, "older"))
    world.store.desire("abalone", Desired("2026-11-20T11:00:00.000000Z", "newer", arn(3)))
    world.store.record(stage, 3, "config-3")
    asked, record = through(world, "record", after(asked, update, world._do(update, "older")))

    actions = world.actions["older"] = []
    plan = world.plan(after(asked, record, world._do(record, "older")))
    actions.append(plan["action"])

    assert plan["action"] == "create-model"
    assert request(plan)["Containers"] == [{"ModelPackageName": arn(3)}]
    deployment = plan["progress"]["deployment"]
    assert deployment is not None
    assert deployment["stage"] == stage


def test_a_newer_request_that_has_not_come_to_a_stage_yet_is_not_done_for_it() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    asked, record = through(world, "record", question("approved", 2, AT, "older"))
    world.plan(question("approved", 3, LATER, "newer"))

    plan = world.plan(after(asked, record, world._do(record, "older")))

    assert (plan["action"], plan["progress"]["verdict"]) == ("record", "superseded")


def test_a_request_that_claims_to_be_of_the_future_does_not_block_those_after_it() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    world.plan(question("approved", 2, AT, "typed-wrong", requested_at="2099-01-01T00:00:00Z"))

    plan = world.plan(question("approved", 3, LATER, "later"))

    assert (plan["action"], plan["progress"]["verdict"]) == ("create-model", None)


def test_only_the_first_plan_records_what_is_desired() -> None:
    world = world_with_live(1)
    asked = question("approved", 2, AT)
    plan = world.plan(asked)
    assert world.store.desired("abalone") is not None
    world.store.desires.clear()

    world.plan(after(asked, plan, DONE))

    assert world.store.desired("abalone") is None


def test_a_release_that_is_overtaken_before_it_moved_the_endpoint_takes_away_what_it_made() -> None:
    world = world_with_live(1)
    world.registry.put(3, "Approved")
    asked, config = through(world, "create-config", question("approved", 2, AT, "older"))
    models = set(world.sagemaker.models)
    world.plan(question("approved", 3, LATER, "newer"))

    world.actions["older"] = []
    plan = world.plan(after(asked, config, world._do(config, "older")))
    steps = [plan["action"]]
    while plan["action"] not in ("done", "failed"):
        asked = after(asked, plan, world._do(plan, "older"))
        plan = world.plan(asked)
        steps.append(plan["action"])

    assert steps == ["delete-config", "delete-model", "record", "announce", "done"]
    assert plan["arguments"]["verdict"] == "superseded"
    assert set(world.sagemaker.models) < models


def test_what_a_newer_release_moved_away_from_is_there_when_it_has_to_go_back() -> None:
    world = World(PLAIN)
    for version in (2, 3):
        world.registry.put(version, "Approved")
    asked, verifying = through(world, "verify", question("approved", 2, AT, "older"))
    newer, moved = through(world, "verify", question("approved", 3, LATER, "newer"))
    world.actions["older"], plan = [], verifying
    while plan["action"] not in ("done", "failed"):
        asked = after(asked, plan, world._do(plan, "older"))
        plan = world.plan(asked)

    back = world.plan(after(newer, moved, failed("GoldenMismatchError")))
    done = world._do(back, "newer")

    assert (back["action"], done) == ("update-endpoint", DONE)
    assert back["arguments"]["EndpointConfigName"] == verifying["progress"]["deployment"]["config"]  # type: ignore[index]  # it is verified


def test_an_endpoint_that_somebody_made_meanwhile_is_updated_and_not_created() -> None:
    world = World(PLAIN)
    world.registry.put(2, "Approved")
    asked, plan = through(world, "create-endpoint", question("approved", 2, AT))
    world.sagemaker.serve(STAGING_ENDPOINT, "made-by-hand", None)

    wait = world.plan(after(asked, plan, world._do(plan, "run")))
    update = world.plan(after(asked, wait, DONE))

    assert (wait["action"], update["action"]) == ("wait", "update-endpoint")
    assert update["progress"]["deployment"]["previous"] == "made-by-hand"  # type: ignore[index]  # an update has one


@pytest.mark.parametrize("lost", ["create-model", "create-config", "create-endpoint"])
def test_a_call_that_arrived_though_its_answer_was_lost_is_not_made_again(lost: str) -> None:
    world = World(PLAIN)
    world.registry.put(2, "Approved")
    asked, plan = through(world, lost, question("approved", 2, AT))
    world._do(plan, "run")

    following = world.plan(after(asked, plan, failed("States.Timeout", None)))

    assert following["action"] not in (lost, "wait", "record") or lost == "create-endpoint"
    assert following["progress"]["tries"] == 0


def test_an_update_that_is_on_its_way_is_not_sent_again() -> None:
    world = world_with_live(1, PLAIN)
    world.sagemaker.slowness = 3
    asked, update = through(world, "update-endpoint", question("approved", 2, AT))
    world._do(update, "run")

    plan = world.plan(after(asked, update, REFUSED))

    assert (plan["action"], plan["progress"]["todo"][0]) == ("wait", "settle")


def test_a_call_that_is_always_refused_fails_the_stage_after_three_tries() -> None:
    world = World(PLAIN)
    world.registry.put(2, "Approved")
    world.disturb = lambda action: (REFUSED, False) if action == "create-endpoint" else None

    ended = world.run("approved", 2, AT)

    assert world.actions["run"].count("create-endpoint") == 3
    assert (ended.action, ended.arguments) == (
        "failed",
        {"Error": "SageMaker.SageMakerException", "Cause": "refused"},
    )
    assert world.sagemaker.models == world.sagemaker.configs == {}


def test_a_failed_stage_goes_back_to_the_previous_config_at_once_and_is_verified_with_its_golden_requests() -> None:
    world = world_with_live(1, StagesDocument((CANARY,)))
    world.registry.put(1, "Approved", golden="s3://artifacts/old-golden.json")
    asked, verify = through(world, "verify", question("approved", 2, AT))

    back = world.plan(after(asked, verify, failed("GoldenMismatchError", "answered 9")))

    assert request(back)["EndpointConfigName"] == "config-live"
    policy = request(back)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert "AutoRollbackConfiguration" not in request(back)["DeploymentConfig"]
    _, again = through(world, "verify", after(asked, back, world._do(back, "run")))
    assert again["arguments"] == {
        "endpoint": "signalbox-abalone-prod",
        "config": "config-live",
        "package": None,
        "golden": "s3://artifacts/old-golden.json",
        "content": content(1),
    }


def test_a_rollback_needs_no_stages_document_which_may_be_what_is_wrong() -> None:
    world = world_with_live(1, PLAIN)
    asked, config = through(world, "create-config", question("approved", 2, AT))

    def broken() -> StagesDocument:
        raise StagesDocumentError("stages[0].name is missing")

    world.ports = replace(world.ports, stages=broken)
    ended = [world.plan(after(asked, config, world._do(config, "run")))]
    while ended[-1]["action"] != "failed":
        asked = after(asked, ended[-1], world._do(ended[-1], "run"))
        ended.append(world.plan(asked))

    assert [plan["action"] for plan in ended] == ["record", "delete-config", "delete-model", "announce", "failed"]
    assert ended[-1]["arguments"]["Error"] == "StagesDocumentError"
    assert world.told["run"]["release"]["rollback"]["result"] == "untouched"  # type: ignore[index]  # it failed


def test_a_rollback_that_cannot_be_planned_is_told_as_unknown_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = world_with_live(1, PLAIN)
    asked, verify = through(world, "verify", question("approved", 2, AT))

    def denied(_name: str) -> None:
        raise CallRefusedError("sagemaker:DescribeEndpoint of e", "AccessDeniedException", "not allowed")

    monkeypatch.setattr(world.sagemaker, "find", denied)
    record = world.plan(after(asked, verify, failed("GoldenMismatchError")))

    assert record["action"] == "record"
    rollback = record["progress"]["rollback"]
    assert rollback is not None
    assert rollback["result"] == "unknown"
    assert "AccessDeniedException not allowed" in rollback["reason"]


def test_a_review_is_asked_with_all_but_the_machines_token() -> None:
    world = world_with_live(2)

    _, review = through(world, "review", question("approved", 2, AT))

    assert review["arguments"] == {
        "execution_arn": execution_arn("run"),
        "kind": "stage",
        "stage": "prod",
        "model": "abalone",
        "package": arn(2),
        "report": "s3://artifacts/report.json",
        "expires_in": 604_800,
        "serving": {"stage": "prod", "endpoint": PROD_ENDPOINT, "status": "", "package": None, "commit": ""},
    }


def test_a_review_is_asked_with_what_the_last_stage_serves_by_then() -> None:
    world = world_with_live(2)
    world.sagemaker.serve(PROD_ENDPOINT, "config-prod", world.registry.put(1, "Approved", LIVE_COMMIT))

    _, review = through(world, "review", question("approved", 2, AT))

    served = {"stage": "prod", "endpoint": PROD_ENDPOINT, "status": "InService", "package": arn(1)}
    assert request(review)["serving"] == served | {"commit": LIVE_COMMIT}


def test_a_live_package_that_cannot_be_read_is_asked_about_without_its_commit() -> None:
    world, find = world_with_live(2), RegistryFake.find
    world.sagemaker.serve(PROD_ENDPOINT, "config-prod", "arn:of-another-account")

    def refuse(registry: RegistryFake, package: str) -> ModelPackage | None:
        if package == "arn:of-another-account":
            raise CallRefusedError("sagemaker:DescribeModelPackage", "AccessDeniedException", "no")
        return find(registry, package)

    world.registry.find = partial(refuse, world.registry)  # type: ignore[method-assign]  # it refuses
    _, review = through(world, "review", question("approved", 2, AT))

    assert request(review)["serving"]["commit"] == ""


@pytest.mark.parametrize("live", [1, 2])
def test_the_commit_of_a_released_package_is_in_its_record_and_in_what_is_told(live: int) -> None:
    world = world_with_live(live, PLAIN)
    world.store.items.clear()
    world.registry.put(1, "Approved", LIVE_COMMIT)
    world.registry.put(2, "Approved", COMMIT, golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")

    ended = world.run("approved", 2, AT)

    [record] = [item for (_, sk), item in world.store.items.items() if sk.startswith("release#")]
    assert (record["verdict"], record["package"], record["commit"]) == ("released", arn(2), COMMIT)
    assert [one["commit"] for one in ended.outcome["stages"]] == [COMMIT]


def test_a_package_without_a_commit_is_recorded_without_one() -> None:
    world = world_with_live(1, PLAIN)
    world.store.items.clear()

    ended = world.run("approved", 2, AT)

    [record] = [item for (_, sk), item in world.store.items.items() if sk.startswith("release#")]
    assert record["verdict"] == "released"
    assert "commit" not in record
    assert [one for one in ended.outcome["stages"] if "commit" in one] == []


def test_what_is_back_after_a_rejection_is_recorded_with_its_own_commit() -> None:
    world = world_with_live(1, PLAIN)
    world.registry.put(1, "Approved", LIVE_COMMIT)
    world.registry.put(2, "Approved", COMMIT, golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")
    world.run("approved", 2, AT, "forward")
    world.registry.put(2, "Rejected", COMMIT, report="s3://artifacts/report.json")
    world.run("rejected", 2, LATER, "back")

    [back] = [item for (_, sk), item in world.store.items.items() if sk.startswith("release#") and "#back#" in sk]
    assert (back["verdict"], back["package"], back["commit"]) == ("released", arn(1), LIVE_COMMIT)


@pytest.mark.parametrize(
    ("decision", "verdict"), [("approved", None), ("rejected", "declined"), ("expired", "expired")]
)
def test_a_review_that_ended_without_an_approval_is_closed_and_its_decision_counts(
    decision: str, verdict: str | None
) -> None:
    world = world_with_live(2)
    asked, review = through(world, "review", question("approved", 2, AT))

    close = world.plan(after(asked, review, failed("States.Timeout", None)))
    after_close = world.plan(after(asked, close, {"result": decided(decision)}))

    assert close["action"] == "close-review"
    assert close["arguments"] == {"execution_arn": execution_arn("run"), "kind": "stage", "stage": "prod"}
    assert after_close["progress"]["verdict"] == verdict
    assert after_close["action"] == ("create-model" if verdict is None else "record")


def test_waits_become_longer_and_never_shorter_than_the_poll_nor_longer_than_ten_minutes() -> None:
    assert [wait(waited, 1)["seconds"] for waited in (0, 10, 25, 100, 10_000)] == [1, 1, 2, 10, LONGEST_WAIT]
    assert wait(100, 30) == {"seconds": 30}


def test_who_waits_for_others_gives_up_after_one_deployment() -> None:
    world = world_with_live(1, PLAIN)
    world.sagemaker.serve(STAGING_ENDPOINT, "config-live", arn(1), "Updating")

    ended = world.run("approved", 2, AT)

    assert ended.arguments["Error"] == "EndpointBusyError"
    assert ended.arguments["Cause"].startswith(f"endpoint {STAGING_ENDPOINT} did not come to rest within 2400 seconds")
    assert ended.outcome["rollback"] == {"result": "untouched", "reason": "the release had changed nothing"}


def test_a_release_that_never_comes_to_an_end_gives_up_before_its_history_is_full() -> None:
    world = world_with_live(1, PLAIN)
    asked = question("approved", 2, AT)
    plan = world.plan(asked)
    plan["progress"]["rounds"] = MOST_ROUNDS

    following = world.plan(after(asked, plan, DONE))

    assert following["progress"]["problem"]["Error"] == "TooManyRoundsError"  # type: ignore[index]  # it failed


def test_ten_stages_that_each_take_as_long_as_a_deployment_may_fit_into_one_history() -> None:
    rollout = Rollout("linear", 10, 2_700)
    names = [f"stage{number}" for number in range(10)]
    stages = StagesDocument(tuple(Stage(name, "ml.m5.large", 2, rollout=rollout, alarms=True) for name in names))
    world = World(stages)
    world.registry.put(1, "Approved")
    world.registry.put(2, "Approved")
    for name in names:
        world.sagemaker.serve(f"signalbox-abalone-{name}", f"live-{name}", arn(1))
    world.ports = replace(world.ports, poll_seconds=1)
    asked, events, plan = question("approved", 2, AT), 0, None

    while plan is None or plan["action"] not in ("done", "failed"):
        plan = world.plan(asked)
        # Step Functions API reference, "HistoryEvent": a task enters, is scheduled, starts, succeeds and exits; a Wait
        # and a Choice enter and exit.
        events += 5 + 2 + (2 if plan["action"] == "wait" else 5)
        if plan["action"] == "wait" and plan["progress"]["waited"] >= rollout.deployment_seconds:
            world.sagemaker.tick()
        if plan["action"] not in ("done", "failed"):
            asked = after(asked, plan, world._do(plan, "run"))

    assert plan["action"] == "done", plan["arguments"]
    assert plan["progress"]["rounds"] < MOST_ROUNDS
    assert events < 25_000


def test_each_action_is_written_down_once_and_of_waits_in_a_row_only_the_first() -> None:
    world = world_with_live(1, PLAIN)
    world.sagemaker.slowness = 4

    world.run("approved", 2, AT)

    noted = [item["action"] for (_, sk), item in sorted(world.store.items.items()) if sk.startswith("action#")]
    assert noted == ["create-model", "create-config", "update-endpoint", "wait", "verify", "record", "announce", "done"]
    assert world.actions["run"].count("wait") == 3


def test_an_input_that_cannot_be_read_is_told_and_fails() -> None:
    world = World()

    ended = world.run("approved", 2, AT, "typo", trigger="tuesday")

    assert world.actions["typo"] == ["announce", "failed"]
    assert ended.arguments["Cause"].startswith('the release\'s input: trigger is "tuesday"')
    assert ended.told is not None
    assert (ended.told["model"], ended.told["error"]) == ("abalone", ended.arguments)


def test_a_package_that_does_not_support_a_stages_instances_is_refused_before_any_stage_moves() -> None:
    world = World()
    world.registry.packages[arn(2)] = ModelPackage(arn(2), "Approved", realtime_types=("ml.m5.large",))
    two = (Stage("staging", "ml.m5.large", 1), Stage("prod", "ml.c5.xlarge", 1, approval=True))
    world.stages = StagesDocument(two)

    ended = world.run("approved", 2, AT)

    assert world.actions["run"] == ["announce", "failed"]
    assert ended.arguments["Cause"].startswith(f"{arn(2)} supports ml.m5.large, and the stage prod has")
    assert ended.outcome["rollback"] == {"result": "untouched", "reason": "the release had changed nothing"}
    assert world.store.desired("abalone") is None


def test_a_package_that_supports_the_instances_of_all_stages_is_released() -> None:
    world = World(PLAIN)
    supported = ("ml.m5.large", "ml.c5.large")
    package = world.registry.packages[world.registry.put(2, "Approved")]
    world.registry.packages[arn(2)] = replace(package, realtime_types=supported)

    assert world.run("approved", 2, AT).action == "done"


def test_what_a_release_waits_for_is_noted_with_its_action() -> None:
    world = world_with_live(1)
    world.sagemaker.slowness = 3
    world.sagemaker.serve(STAGING_ENDPOINT, "config-other", arn(1), "Updating")

    for action in world.execution("approved", 2, AT, "run"):
        if action == "wait" and world.sagemaker.endpoints[STAGING_ENDPOINT].config == "config-other":
            world.sagemaker.endpoints[STAGING_ENDPOINT] = Endpoint(STAGING_ENDPOINT, "InService", "config-live")
        world.sagemaker.tick()

    waits = [item["waits_for"] for item in world.store.items.values() if item.get("waits_for")]
    assert list(dict.fromkeys(waits)) == [
        "the endpoint, which is moved by another execution or by SageMaker",
        "the endpoint to come to rest",
        "an approver's decision",
    ]


@pytest.mark.parametrize(("status", "measured"), [("Updating", True), ("InService", False)])
def test_how_long_a_release_waits_for_what_others_move_is_measured_and_its_own_deployment_is_not(
    status: str, measured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, spans = world_with_live(1), list[tuple[str, float]]()
    world.sagemaker.serve(STAGING_ENDPOINT, "config-live", arn(1), status)
    world.sagemaker.slowness = 3
    monkeypatch.setattr("signalbox.releases.waiting.measure", lambda span, seconds: spans.append((span, seconds)))

    asked = question("approved", 2, AT)
    for _ in range(8):
        answer = world.plan(asked)
        asked = after(asked, answer, world._do(answer, "run"))
        world.sagemaker.tick()

    assert spans == ([("ReleaseWaiting", 30 * number) for number in range(1, 9)] if measured else [])


def test_the_pause_before_another_try_is_noted_as_that() -> None:
    world = world_with_live(1)
    failures = [failed("ServiceBusyError")]
    world.disturb = lambda action: (failures.pop(), False) if action == "verify" and failures else None

    world.run("approved", 2, AT)

    waits = [item.get("waits_for") for item in world.store.items.values() if item.get("action") == "wait"]
    assert "the next try of what has failed" in waits


LAB, STAGING, PROD = (Stage(name, "ml.m5.large", 1) for name in ("lab", "staging", "prod"))


def released_through(world: World, change: StagesDocument, at: str, times: int = 1) -> dict[str, str | None]:
    """Release version 2, changing the stages before its plan after the `times`-th `at`; return what is live then."""
    seen = 0
    for action in world.execution("approved", 2, AT, "run"):
        world.sagemaker.tick()
        seen += action == at
        if seen == times:
            world.stages = change
    return {name: world.live(name) for name in ("lab", "staging", "prod")}


@pytest.mark.parametrize(
    ("before", "then", "live"),
    [
        ([STAGING, PROD], [PROD], ["staging", "prod"]),
        ([STAGING, PROD], [LAB, STAGING, PROD], ["lab", "staging", "prod"]),
        ([STAGING, PROD], [PROD, STAGING], ["staging", "prod"]),
        ([STAGING, PROD], [STAGING], ["staging"]),
        ([LAB, STAGING, PROD], [STAGING, LAB, PROD], ["lab", "staging", "prod"]),
    ],
)
def test_stages_that_change_behind_the_first_record_are_neither_skipped_nor_served_twice(
    before: list[Stage], then: list[Stage], live: list[str]
) -> None:
    world = World(StagesDocument(tuple(before)))
    world.registry.put(2, "Approved")

    found = released_through(world, StagesDocument(tuple(then)), "record")

    assert found == {name: arn(2) if name in live else None for name in ("lab", "staging", "prod")}
    assert world.finished["run"].outcome["verdict"] == "released"
    assert len(world.sagemaker.moves) == len(live)
    serving = world.finished["run"].outcome["serving"]
    assert serving is not None
    assert {one["stage"] for one in serving} == {one.name for one in then} | set(live)


@pytest.mark.parametrize("at", ["create-model", "create-config"])
def test_a_stage_that_is_taken_out_while_it_is_being_deployed_to_leaves_nothing_behind(at: str) -> None:
    for left in ([PROD], [LAB, PROD]):
        world = World(StagesDocument((STAGING, PROD)))
        world.registry.put(2, "Approved")

        found = released_through(world, StagesDocument(tuple(left)), at)

        assert (found["staging"], found["prod"]) == (None, arn(2))
        assert [name for name in (*world.sagemaker.models, *world.sagemaker.configs) if "staging" in name] == []


def test_the_last_stage_that_is_taken_out_while_it_is_being_deployed_to_leaves_nothing_behind() -> None:
    world = World(StagesDocument((STAGING, PROD)))
    world.registry.put(2, "Approved")

    found = released_through(world, StagesDocument((STAGING,)), "create-config", times=2)

    assert (found["staging"], found["prod"]) == (arn(2), None)
    assert [name for name in (*world.sagemaker.models, *world.sagemaker.configs) if "prod" in name] == []
    assert world.finished["run"].outcome["verdict"] == "released"


def test_a_stage_that_is_taken_out_between_its_plan_and_its_request_lets_the_release_fail_with_a_sentence() -> None:
    world = World(StagesDocument((STAGING, PROD)))
    world.registry.put(2, "Approved")
    documents = [StagesDocument((STAGING, PROD))] * 2
    world.ports = replace(world.ports, stages=lambda: documents.pop() if documents else StagesDocument((PROD,)))

    ended = world.run("approved", 2, AT)

    assert ended.action == "failed"
    assert (
        "stage staging was taken out of the stages document while it was being released to" in ended.arguments["Cause"]
    )
    assert not world.sagemaker.endpoints


def test_a_release_that_the_version_before_has_planned_goes_on() -> None:
    """The progress of a release that is under way while the stack is updated has what that version wrote."""
    world = World(StagesDocument((STAGING, PROD)))
    world.registry.put(2, "Approved")
    plan = world.plan

    def old(question: Any) -> Any:
        answer: Any = plan(question)
        progress = answer["progress"]
        progress["stage_index"] = len(progress["stages"])
        for added in ("serving", "change"):
            del progress[added]
        if progress["deployment"]:
            progress["deployment"]["stage_index"] = progress["stage_index"]
        return answer

    world.plan = old  # type: ignore[method-assign]  # as the version before did
    ended = world.run("approved", 2, AT)

    assert ended.outcome["verdict"] == "released"
    assert (world.live("staging"), world.live("prod")) == (arn(2), arn(2))
