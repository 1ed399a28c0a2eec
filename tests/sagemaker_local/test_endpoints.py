"""Endpoints with fake servers: blue/green moves, canaries, alarms, failures of every kind, and what is refused."""

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import container, tar_gz, until
from tests.sagemaker_local.support.service import DATA, PREFIX, ROLE, SageMaker, refusal, variant

from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.store import Record
from sagemaker_local.images import find
from sagemaker_local.sagemaker.metrics import invocation
from sagemaker_local.serving import InvocationError, ServerStartError
from sagemaker_local.serving.fleet import Taken

ARN = f"{PREFIX}endpoint/e"


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with two configurations, `one` and `two`."""
    made = SageMaker(tmp_path)
    made.config("one")
    made.config("two")
    return made


def move(sagemaker: SageMaker, config: str = "two", **more: Any) -> None:
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName=config, **more)


def canary(percent: int = 10, wait: int = 0, *alarms: str) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": size}
    watched = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}, **watched}


def test_an_endpoint_is_told_to_be_created_and_then_in_service(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()

    assert sagemaker.statuses("Endpoint") == ["CREATING", "IN_SERVICE"]
    assert sagemaker.invoke() == "one"
    (summary,) = sagemaker.describe()["ProductionVariants"]
    assert (summary["VariantName"], summary["CurrentWeight"], summary["CurrentInstanceCount"]) == ("a", 1.0, 1)


def test_an_endpoint_says_which_image_runs_by_its_digest(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()

    [image] = sagemaker.describe()["ProductionVariants"][0]["DeployedImages"]
    repository, _, digest = image["ResolvedImage"].partition("@")
    assert image["SpecifiedImage"].startswith(repository)
    assert digest == find(image["SpecifiedImage"], sagemaker.cloud.containers).digest


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServerStartError("no ping"), "no ping"),
        (ZeroDivisionError("oh"), "InternalServerError: ZeroDivisionError('oh')"),
    ],
)
def test_an_endpoint_whose_servers_do_not_start_fails_whatever_the_reason(
    sagemaker: SageMaker, error: Exception, reason: str
) -> None:
    sagemaker.fake.broken["one"] = error
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="one")
    sagemaker.until("Failed")

    assert sagemaker.describe()["FailureReason"] == reason
    assert "not found" in refusal(sagemaker.invoke)
    sagemaker.call("DeleteEndpoint", EndpointName="e")


def test_a_status_is_told_though_the_endpoint_is_a_step_further_already(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = Resources.update

    def overtaken(*arguments: Any, **members: Any) -> Record:
        record = update(*arguments, **members)
        if members.get("EndpointStatus") == "InService":
            sagemaker.call("DeleteEndpoint", EndpointName="e")
        return record

    monkeypatch.setattr(Resources, "update", overtaken)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="one")
    sagemaker.events.wait_until(lambda: len(sagemaker.statuses("Endpoint")) == 3)

    assert sorted(sagemaker.statuses("Endpoint")) == ["CREATING", "DELETING", "IN_SERVICE"]


def test_an_update_moves_to_the_new_servers_and_ends_the_old_ones(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    move(sagemaker)
    sagemaker.until("InService")

    assert sagemaker.statuses("Endpoint") == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]
    assert sagemaker.invoke() == "two"
    assert sagemaker.describe()["EndpointConfigName"] == "two"
    assert sagemaker.fake.fleets["one"].closed.wait(60)


def test_requests_in_flight_are_answered_by_the_old_servers(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    old, answers = sagemaker.fake.fleets["one"], list[str]()
    asking = threading.Thread(target=lambda: answers.append(sagemaker.invoke(b"slow")))
    asking.start()
    assert old.asked.wait(60)

    move(sagemaker)
    sagemaker.until("InService")
    assert old.closed.wait(60)
    assert sagemaker.invoke() == "two"
    old.go_on.set()
    asking.join()

    assert answers == ["one"]


@pytest.mark.parametrize("error", [ServerStartError("no ping"), KeyError("oh")])
def test_new_servers_that_fail_leave_the_old_ones_serving(sagemaker: SageMaker, error: Exception) -> None:
    sagemaker.endpoint()
    sagemaker.fake.broken["two"] = error
    move(sagemaker)
    sagemaker.until("InService")

    assert sagemaker.statuses("Endpoint")[2:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    found = sagemaker.describe()
    assert (found["EndpointConfigName"], sagemaker.invoke()) == ("one", "one")
    assert ("no ping" in found["FailureReason"]) or ("KeyError('oh')" in found["FailureReason"])
    assert not sagemaker.fake.fleets["one"].closed.is_set()


def test_an_alarm_during_the_bake_time_goes_back_and_ends_the_new_servers(sagemaker: SageMaker) -> None:
    sagemaker.watch.alarms = {"calm": "OK", "errors": "ALARM"}
    sagemaker.endpoint()
    move(sagemaker, DeploymentConfig=canary(10, 10, "calm", "errors"))
    sagemaker.until("InService")

    assert sagemaker.statuses("Endpoint")[-2:] == ["ROLLING_BACK", "IN_SERVICE"]
    assert sagemaker.fake.fleets["two"].closed.is_set()
    assert {sagemaker.invoke() for _ in range(20)} == {"one"}
    assert "ALARM" in sagemaker.describe()["FailureReason"]


def test_the_next_update_clears_the_reason_of_the_last_failure(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    sagemaker.fake.broken["two"] = ServerStartError("no ping")
    move(sagemaker)
    sagemaker.until("InService")
    sagemaker.fake.broken.clear()
    move(sagemaker)
    sagemaker.until("InService")

    assert "FailureReason" not in sagemaker.describe()


def test_alarms_that_are_calm_let_the_update_through(sagemaker: SageMaker) -> None:
    sagemaker.watch.alarms = {"errors": "INSUFFICIENT_DATA"}
    sagemaker.endpoint()
    move(sagemaker, DeploymentConfig=canary(10, 0, "errors", "missing"))
    sagemaker.until("InService")

    assert sagemaker.describe()["EndpointConfigName"] == "two"


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "DeleteEndpoint"])
def test_an_endpoint_that_is_updating_is_left_alone(sagemaker: SageMaker, operation: str) -> None:
    sagemaker.config("three")
    sagemaker.endpoint()
    gate = sagemaker.fake.gates["two"] = threading.Event()
    move(sagemaker)
    request = {"EndpointName": "e"} | ({"EndpointConfigName": "three"} if operation == "UpdateEndpoint" else {})

    refused = sagemaker.refused(operation, **request)

    assert refused.startswith(f'ValidationException: Cannot update in-progress endpoint "{ARN}"')
    gate.set()
    sagemaker.until("InService")


def test_an_update_to_the_same_configuration_or_of_no_endpoint_is_refused(sagemaker: SageMaker) -> None:
    missing = f'ValidationException: Could not find endpoint "{ARN}".'
    assert sagemaker.refused("UpdateEndpoint", EndpointName="e", EndpointConfigName="two") == missing
    assert sagemaker.refused("DeleteEndpoint", EndpointName="e") == missing
    sagemaker.endpoint()
    assert "uses configuration one already" in sagemaker.refused(
        "UpdateEndpoint", EndpointName="e", EndpointConfigName="one"
    )


def test_a_name_that_is_taken_and_a_configuration_that_is_missing_are_refused(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    request = {"EndpointName": "e", "EndpointConfigName": "one"}
    assert "already existing endpoint" in sagemaker.refused("CreateEndpoint", **request)
    assert "Could not find endpoint configuration" in sagemaker.refused(
        "CreateEndpoint", EndpointName="f", EndpointConfigName="none"
    )


def test_other_variant_names_are_refused_where_traffic_is_shifted(sagemaker: SageMaker) -> None:
    sagemaker.config("other", "b")
    sagemaker.endpoint()
    request = {"EndpointName": "e", "EndpointConfigName": "other", "DeploymentConfig": canary()}
    assert "differ from the current ones, ['a']" in sagemaker.refused("UpdateEndpoint", **request)


def test_the_deployment_of_the_creation_is_kept_for_an_update_that_wants_it(sagemaker: SageMaker) -> None:
    sagemaker.watch.alarms = {"errors": "ALARM"}
    sagemaker.endpoint(DeploymentConfig=canary(10, 10, "errors"))
    move(sagemaker, RetainAllVariantProperties=False, RetainDeploymentConfig=True)
    sagemaker.until("InService")

    assert sagemaker.describe()["EndpointConfigName"] == "one"
    assert sagemaker.describe()["LastDeploymentConfig"] == canary(10, 10, "errors")


def test_alarms_without_a_time_to_bake_protect_nothing(sagemaker: SageMaker) -> None:
    sagemaker.watch.alarms = {"errors": "ALARM"}
    sagemaker.endpoint()
    move(sagemaker, DeploymentConfig=canary(10, 0, "errors"))
    sagemaker.until("InService")

    assert sagemaker.describe()["EndpointConfigName"] == "two"


def test_alarms_are_asked_for_as_the_role_of_the_models(sagemaker: SageMaker) -> None:
    sagemaker.endpoint(DeploymentConfig=canary(10, 10, "errors"))
    move(sagemaker, DeploymentConfig=canary(10, 10, "other"))
    sagemaker.until("InService")

    assert set(sagemaker.watch.asked) == {(ROLE, "errors"), (ROLE, "other")}


@pytest.mark.parametrize("operation", ["CreateEndpoint", "UpdateEndpoint"])
def test_a_role_that_may_not_describe_the_alarms_is_refused_before_anything_moves(
    sagemaker: SageMaker, operation: str
) -> None:
    if operation == "UpdateEndpoint":
        sagemaker.endpoint()
    sagemaker.access.forbidden.add((ROLE, "cloudwatch:DescribeAlarms"))
    guarded = {"EndpointName": "e", "EndpointConfigName": "two", "DeploymentConfig": canary(10, 10, "errors")}

    refused = sagemaker.refused(operation, **guarded)

    assert refused.startswith(f"ValidationException: The execution role {ROLE} cannot describe the alarms errors")
    assert "cloudwatch:DescribeAlarms" in refused
    if operation == "UpdateEndpoint":
        assert sagemaker.status() == "InService"


def count(sagemaker: SageMaker) -> int:
    return int(sagemaker.describe()["ProductionVariants"][0]["DesiredInstanceCount"])


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({}, 1),
        ({"RetainAllVariantProperties": False}, 1),
        ({"RetainAllVariantProperties": True}, 4),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            1,
        ),
    ],
)
def test_a_scaled_out_count_is_kept_by_an_update_that_asks_for_it(
    sagemaker: SageMaker, more: dict[str, Any], left: int
) -> None:
    sagemaker.endpoint()
    scaled = [{"VariantName": "a", "DesiredInstanceCount": 4, "DesiredWeight": 2.0}]
    sagemaker.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scaled)
    assert (sagemaker.status(), count(sagemaker)) == ("InService", 4)
    assert sagemaker.fake.fleets["one"].weights == {"a": 2.0}

    move(sagemaker, **more)
    sagemaker.until("InService")

    assert count(sagemaker) == left


def test_counts_of_no_such_variant_and_of_a_moving_endpoint_are_refused(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    asked = {"EndpointName": "e", "DesiredWeightsAndCapacities": [{"VariantName": "b", "DesiredInstanceCount": 4}]}
    assert "has no variant b, but a" in sagemaker.refused("UpdateEndpointWeightsAndCapacities", **asked)
    gate = sagemaker.fake.gates["two"] = threading.Event()
    move(sagemaker)
    assert "Cannot update in-progress" in sagemaker.refused("UpdateEndpointWeightsAndCapacities", **asked)
    gate.set()
    sagemaker.until("InService")


def test_an_endpoint_serves_on_and_moves_on_when_its_configuration_is_deleted(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    sagemaker.call("DeleteEndpointConfig", EndpointConfigName="one")

    assert sagemaker.describe()["ProductionVariants"][0]["VariantName"] == "a"
    move(sagemaker, DeploymentConfig=canary())
    sagemaker.until("InService")
    assert sagemaker.invoke() == "two"


def test_a_deleted_endpoint_is_gone_and_so_are_its_servers(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    sagemaker.call("DeleteEndpoint", EndpointName="e")
    assert sagemaker.fake.fleets["one"].closed.wait(60)

    assert "Endpoint e of account 123456789012 not found." in refusal(sagemaker.invoke)
    assert sagemaker.statuses("Endpoint")[-1] == "DELETING"


def test_an_endpoint_is_one_however_its_name_is_written(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    assert sagemaker.rest("POST", "/endpoints/E/invocations")["Body"] == b"one"

    sagemaker.call("UpdateEndpoint", EndpointName="E", EndpointConfigName="two")
    sagemaker.until("InService")
    assert sagemaker.invoke() == "two"
    sagemaker.call("DeleteEndpoint", EndpointName="E")
    assert sagemaker.fake.fleets["two"].closed.wait(60)


def test_a_caller_without_the_right_to_the_configuration_is_denied(sagemaker: SageMaker) -> None:
    sagemaker.access.forbidden.add(("sagemaker:CreateEndpoint", f"{PREFIX}endpoint-config/one"))
    denied = sagemaker.refused("CreateEndpoint", EndpointName="e", EndpointConfigName="one")
    assert denied.startswith("AccessDeniedException")


def test_answers_of_a_model_are_passed_on_and_its_errors_are_model_errors(sagemaker: SageMaker) -> None:
    sagemaker.config("three", "b", "c")
    sagemaker.endpoint("three")
    target = {"X-Amzn-SageMaker-Target-Variant": "c"}

    answer = sagemaker.rest("POST", "/endpoints/e/invocations", b"1", **target)

    assert (answer["x-Amzn-Invoked-Production-Variant"], answer["Content-Type"]) == ("c", "text/csv")
    assert 'ModelError: Received client error (400) from primary with message "three".' in refusal(
        lambda: sagemaker.invoke(b"bad")
    )
    unknown = {"X-Amzn-SageMaker-Target-Variant": "x"}
    asked = refusal(lambda: sagemaker.rest("POST", "/endpoints/e/invocations", b"1", **unknown))
    assert asked.startswith("ValidationError: Variant x not found")


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (TimeoutError("timed out"), "Your invocation timed out while waiting for a response from container primary."),
        (ConnectionResetError("gone"), "Amazon SageMaker could not get a response from the e endpoint."),
    ],
)
def test_a_model_that_gives_no_answer_is_a_server_error_of_status_0(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch, cause: Exception, said: str
) -> None:
    sagemaker.endpoint()

    def silent(*_: Any, **__: Any) -> None:
        raise InvocationError("no answer") from cause

    monkeypatch.setattr(sagemaker.fake.fleets["one"], "invoke", silent)
    with pytest.raises(ApiError) as refused:
        sagemaker.invoke()
    assert refused.value.message.startswith(f'Received server error (0) from primary with message "{said}')
    assert (refused.value.code, refused.value.status, refused.value.members["OriginalStatusCode"]) == (
        "ModelError",
        424,
        0,
    )
    assert str(refused.value.members["LogStreamArn"]).endswith(":log-group:/aws/sagemaker/Endpoints/e")


def test_an_answer_of_500_is_a_server_error_with_what_the_model_said(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    with pytest.raises(ApiError) as refused:
        sagemaker.invoke(b"broken")
    assert 'Received server error (500) from primary with message "one". See https://us-east-1' in refused.value.message
    members = refused.value.members
    assert (members["OriginalStatusCode"], members["OriginalMessage"]) == (500, "one")


def test_headers_pass_to_the_model_and_back(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    given = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1", "X-Amzn-SageMaker-Session-Id": "NEW_SESSION"}

    answer = sagemaker.rest("POST", "/endpoints/e/invocations", b"1", **given)

    assert sagemaker.fake.fleets["one"].headers == given
    assert answer["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1"
    assert answer["X-Amzn-SageMaker-New-Session-Id"] == "s; Expires=2026-11-20T12:00:00Z"


def test_an_answer_that_is_too_large_to_pass_is_a_model_error(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    assert "could not load the entire response body" in refusal(lambda: sagemaker.invoke(b"large"))


def test_all_servers_end_with_the_cloud(sagemaker: SageMaker) -> None:
    sagemaker.endpoint()
    sagemaker.endpoints.close()
    assert sagemaker.fake.fleets["one"].closed.is_set()


COUNTED = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")


def test_what_a_variant_prints_is_in_the_log_group_of_its_endpoint_while_it_serves(tmp_path: Path) -> None:
    sagemaker = SageMaker(tmp_path, real=True)
    container(sagemaker.containers, serve="print('a word', flush=True)\n")
    sagemaker.access.s3.put(DATA, tar_gz({"model": "1"}))
    sagemaker.config("one")
    try:
        sagemaker.endpoint()
        until(lambda: ["a word"] in sagemaker.access.logs.streams.values())
    finally:
        sagemaker.endpoints.close()
    ((group, stream),) = sagemaker.access.logs.streams
    assert group == "/aws/sagemaker/Endpoints/e"
    assert re.fullmatch(r"[^/]+/i-[0-9a-f]{17}", stream)


def test_real_servers_are_started_from_the_models_of_the_variants(tmp_path: Path) -> None:
    sagemaker = SageMaker(tmp_path, real=True)
    sagemaker.call(
        "CreateModel",
        ModelName="m",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
    )
    slow = variant("a", ContainerStartupHealthCheckTimeoutInSeconds=60)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="one", ProductionVariants=[slow, variant("b")])
    try:
        sagemaker.endpoint()
        assert sagemaker.invoke(b"1,2") == "1,2"
        sagemaker.watch.measured.clear()
        sagemaker.invoke(b"1,2", **{"X-Amzn-SageMaker-Target-Variant": "b"})
    finally:
        sagemaker.endpoints.close()
    units = {one["MetricName"]: one["Unit"] for one in sagemaker.watch.measured}
    assert units == dict.fromkeys(COUNTED, "None") | dict.fromkeys(("ModelLatency", "OverheadLatency"), "Microseconds")
    took = [one["Value"] for one in sagemaker.watch.measured if one["MetricName"] == "ModelLatency"]
    assert all(0 < value < 60_000_000 for value in took)
    errors = [one for one in sagemaker.watch.measured if one["MetricName"] == "Invocation5XXErrors"]
    names = [[(each["Name"], each["Value"]) for each in one["Dimensions"]] for one in errors]
    assert [one["Value"] for one in errors] == [0, 0]
    assert names == [
        [("EndpointName", "e"), ("VariantName", "b")],
        [("EndpointName", "e"), ("VariantName", "b"), ("EndpointConfigName", "one")],
    ]


@pytest.mark.parametrize(("status", "errors"), [(200, (0, 0)), (404, (1, 0)), (503, (0, 1))])
def test_an_answer_is_counted_with_its_kind_of_error(status: int, errors: tuple[int, int]) -> None:
    values = {one["MetricName"]: one["Value"] for one in invocation("e", "one", "a", Taken(status, 0.25, 0.000_5))}
    assert values == {
        "Invocations": 1,
        "Invocation4XXErrors": errors[0],
        "Invocation5XXErrors": errors[1],
        "InvocationModelErrors": int(status != 200),
        "ModelLatency": 250_000,
        "OverheadLatency": 500,
    }
