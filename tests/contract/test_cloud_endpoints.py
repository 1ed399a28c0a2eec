"""Endpoints and the Feature Store in our cloud, through boto3: the REST run-time APIs and the moves of traffic."""

import io
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.test_cloud_sagemaker import refused
from tests.contract.world import World, allow, arn, code, name, until

DESCRIBE = "cloudwatch:DescribeAlarms"
CANARY = {"Type": "CANARY", "WaitIntervalInSeconds": 100, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}


def policy(**routing: Any) -> dict[str, Any]:
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {**CANARY, **routing}}}


def invoke(cloud: World, endpoint: str, body: bytes = b"1,2", **more: Any) -> dict[str, Any]:
    runtime = cloud.client("sagemaker-runtime")
    answer: dict[str, Any] = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv", **more)
    return answer


@pytest.fixture(scope="module")
def endpoint(cloud: World) -> str:
    """An endpoint in service."""
    return cloud.endpoint(cloud.config())


def test_a_body_and_its_content_type_come_back_through_the_run_time_api(cloud: World, endpoint: str) -> None:
    answer = invoke(cloud, endpoint, bytes(range(256)))
    assert answer["Body"].read() == bytes(range(256))
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/xml"])
def test_a_models_answer_keeps_its_own_content_type(cloud: World, endpoint: str, kind: str) -> None:
    runtime = cloud.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"a": 1}', ContentType=kind)
    assert (answer["ContentType"], answer["Body"].read()) == (kind, b'{"a": 1}')


def test_an_answer_comes_as_a_stream_too(cloud: World, endpoint: str) -> None:
    runtime = cloud.client("sagemaker-runtime")
    request = {"EndpointName": endpoint, "ContentType": "application/json"}
    answer = runtime.invoke_endpoint_with_response_stream(Body=bytes(range(256)) * 40, **request)
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert (b"".join(parts), answer["ContentType"]) == (bytes(range(256)) * 40, "application/json")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    refusal = refused(runtime.invoke_endpoint_with_response_stream, Body=b"bad", **request)
    assert refusal[0] == "ModelError"


def test_an_error_of_the_model_is_a_model_error_with_its_own_words(cloud: World, endpoint: str) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(cloud, endpoint, b"bad")
    answer: Any = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (500, "no such thing")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_what_cannot_be_invoked_is_a_validation_error(cloud: World, endpoint: str) -> None:
    runtime = cloud.client("sagemaker-runtime")
    assert refused(runtime.invoke_endpoint, EndpointName="none", Body=b"1") == (
        "ValidationError",
        f"Endpoint none of account {ACCOUNT} not found.",
    )
    target = {"EndpointName": endpoint, "Body": b"1", "TargetVariant": "other"}
    assert refused(runtime.invoke_endpoint, **target)[0] == "ValidationError"
    assert refused(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1" * 6_291_457)[0] == "ValidationError"


@pytest.mark.parametrize(
    "deployment",
    [
        policy(CanarySize={"Type": "CAPACITY_PERCENT", "Value": 51}),
        policy(CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}),
        policy(Type="ALL_AT_ONCE"),
        policy(Type="LINEAR"),
        policy() | {"RollingUpdatePolicy": {"MaximumBatchSize": CANARY["CanarySize"], "WaitIntervalInSeconds": 0}},
    ],
)
def test_a_deployment_outside_the_guardrails_is_refused(
    cloud: World, endpoint: str, deployment: Mapping[str, Any]
) -> None:
    update = cloud.client("sagemaker").update_endpoint
    request = {"EndpointName": endpoint, "EndpointConfigName": cloud.config(), "DeploymentConfig": deployment}
    assert refused(update, **request)[0] == "ValidationException"
    assert cloud.settled(endpoint)["EndpointStatus"] == "InService"


def test_an_endpoint_that_is_updating_is_neither_updated_nor_deleted_and_serves_on(cloud: World) -> None:
    sagemaker, first, second = cloud.client("sagemaker"), cloud.config(), cloud.config()
    endpoint = cloud.endpoint(first)
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=second, DeploymentConfig=policy())

    again = refused(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=first)
    deletion = refused(sagemaker.delete_endpoint, EndpointName=endpoint)

    assert again[0] == deletion[0] == "ValidationException"
    assert again[1].startswith(f'Cannot update in-progress endpoint "{arn(f"endpoint/{endpoint}")}"')
    assert deletion[1] == f'Cannot update in-progress endpoint "{arn(f"endpoint/{endpoint}")}".'
    assert invoke(cloud, endpoint)["Body"].read() == b"1,2"
    assert cloud.settled(endpoint)["EndpointConfigName"] == second
    assert (
        refused(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=second)[0] == "ValidationException"
    )


def test_a_server_that_does_not_come_up_leaves_the_old_configuration_serving(cloud: World) -> None:
    config = cloud.config()
    endpoint = cloud.endpoint(config)

    cloud.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName=cloud.config("broken"))

    found = cloud.settled(endpoint)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    assert "did not pass the ping health check" in found["FailureReason"]
    assert invoke(cloud, endpoint)["Body"].read() == b"1,2"


def test_an_endpoint_whose_first_servers_do_not_come_up_has_failed_and_can_be_deleted(cloud: World) -> None:
    endpoint, sagemaker = cloud.endpoint(cloud.config("broken")), cloud.client("sagemaker")
    assert cloud.settled(endpoint)["EndpointStatus"] == "Failed"
    sagemaker.delete_endpoint(EndpointName=endpoint)
    until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])


def test_an_alarm_that_rings_during_the_bake_time_takes_the_endpoint_back(cloud: World) -> None:
    sagemaker, watch, config, alarm = (
        cloud.client("sagemaker"),
        cloud.client("cloudwatch"),
        cloud.config(),
        name("alarm"),
    )
    endpoint = cloud.endpoint(config)
    threshold = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1.0}
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors", "Period": 60, "Statistic": "Sum"}
    watch.put_metric_alarm(AlarmName=alarm, **threshold, **metric)
    watch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    guarded = policy() | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}

    watched = cloud.config("echo", DESCRIBE)
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=watched, DeploymentConfig=guarded)

    found = cloud.settled(endpoint)
    assert (found["EndpointConfigName"], "ALARM" in found["FailureReason"]) == (config, True)


def ask_badly(cloud: World, endpoint: str) -> None:
    """Send a request to which the model answers with a server error."""
    with pytest.raises(ClientError, match="no such thing"):
        invoke(cloud, endpoint, b"bad")


def guarded_update(cloud: World, endpoint: str, config: str) -> None:
    """Start an update that bakes, watched by an alarm on the server errors of the new configuration alone."""
    alarm = name("alarm")
    dimensions = {"EndpointName": endpoint, "VariantName": "AllTraffic", "EndpointConfigName": config}
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    watched = policy() | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}
    update = {"EndpointName": endpoint, "EndpointConfigName": config, "DeploymentConfig": watched}
    cloud.client("sagemaker").update_endpoint(**update)


def test_errors_of_the_old_fleet_do_not_cancel_the_update_that_mends_them_and_those_of_the_new_one_do(
    cloud: World,
) -> None:
    first, second, third = (cloud.config("echo", DESCRIBE) for _ in range(3))
    endpoint = cloud.endpoint(first)
    ask_badly(cloud, endpoint)

    guarded_update(cloud, endpoint, second)
    assert cloud.settled(endpoint)["EndpointConfigName"] == second

    guarded_update(cloud, endpoint, third)
    while cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "Updating":
        ask_badly(cloud, endpoint)
    found = cloud.settled(endpoint)
    assert (found["EndpointConfigName"], "ALARM" in found["FailureReason"]) == (second, True)


def test_a_models_role_that_may_not_describe_the_alarms_cannot_be_deployed_with_them(cloud: World) -> None:
    endpoint = cloud.endpoint(cloud.config())
    with pytest.raises(ClientError, match=f"cannot describe the alarms .*{DESCRIBE}") as caught:
        guarded_update(cloud, endpoint, cloud.config())
    assert code(caught.value) == "ValidationException"


def test_nothing_is_lost_while_traffic_moves(cloud: World) -> None:
    endpoint, stop, failures, answers = cloud.endpoint(cloud.config()), threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(invoke(cloud, endpoint)["Body"].read())
            except ClientError as error:
                failures.append(str(error))

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    cloud.client("sagemaker").update_endpoint(
        EndpointName=endpoint, EndpointConfigName=cloud.config(), DeploymentConfig=policy()
    )
    cloud.settled(endpoint)
    stop.set()
    for thread in asking:
        thread.join()
    assert (failures, set(answers)) == ([], {b"1,2"})


def test_an_endpoint_outlives_its_configuration(cloud: World) -> None:
    config, sagemaker = cloud.config(), cloud.client("sagemaker")
    endpoint = cloud.endpoint(config)
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    assert cloud.settled(endpoint)["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=cloud.config())
    assert cloud.settled(endpoint)["EndpointStatus"] == "InService"


@pytest.fixture(scope="module")
def group(cloud: World) -> tuple[str, str]:
    """A feature group with both stores, and its bucket."""
    bucket, group = cloud.bucket(), name("group")
    cloud.client("sagemaker").create_feature_group(
        FeatureGroupName=group,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
            {"FeatureName": "rings", "FeatureType": "Integral"},
        ],
        OnlineStoreConfig={"EnableOnlineStore": True},
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}},
        RoleArn=cloud.role(allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/features/*")),
    )
    return group, bucket


def record(identifier: str, at: float, rings: int) -> list[dict[str, str]]:
    values = {"id": identifier, "at": str(at), "rings": str(rings)}
    return [{"FeatureName": key, "ValueAsString": value} for key, value in values.items()]


def test_the_online_store_keeps_the_newest_record(cloud: World, group: tuple[str, str]) -> None:
    runtime = cloud.client("sagemaker-featurestore-runtime")
    get = {"FeatureGroupName": group[0], "RecordIdentifierValueAsString": "a b/c"}
    runtime.put_record(FeatureGroupName=group[0], Record=record("a b/c", 200, 9))
    runtime.put_record(FeatureGroupName=group[0], Record=record("a b/c", 100, 8))

    assert runtime.get_record(**get, FeatureNames=["rings", "id"])["Record"] == [
        {"FeatureName": "id", "ValueAsString": "a b/c"},
        {"FeatureName": "rings", "ValueAsString": "9"},
    ]
    runtime.delete_record(**get, EventTime="300")
    assert "Record" not in runtime.get_record(**get)
    by_arn = {"FeatureGroupName": arn(f"feature-group/{group[0]}"), "RecordIdentifierValueAsString": "a b/c"}
    runtime.put_record(FeatureGroupName=by_arn["FeatureGroupName"], Record=record("a b/c", 400, 7))
    assert runtime.get_record(**by_arn)["Record"][2]["ValueAsString"] == "7"


def test_batches_answer_for_each_record(cloud: World, group: tuple[str, str]) -> None:
    runtime = cloud.client("sagemaker-featurestore-runtime")
    entries = [
        {"FeatureGroupName": group[0], "Record": record("x", 1, 5)},
        {
            "FeatureGroupName": group[0],
            "Record": [*record("y", 1, 6)[:2], {"FeatureName": "other", "ValueAsString": "1"}],
        },
        {"FeatureGroupName": "none", "Record": record("z", 1, 7)},
    ]
    errors = runtime.batch_write_record(Entries=entries)["Errors"]
    assert [error["ErrorCode"] for error in errors] == ["ValidationError", "ResourceNotFound"]
    wanted = {"FeatureGroupName": group[0], "RecordIdentifiersValueAsString": ["x", "y"]}
    answer = runtime.batch_get_record(Identifiers=[wanted])
    assert [item["RecordIdentifierValueAsString"] for item in answer["Records"]] == ["x"]
    assert refused(runtime.put_record, FeatureGroupName="none", Record=record("z", 1, 7))[0] == "ResourceNotFound"


def test_the_offline_store_has_every_record_under_the_hour_of_its_event(cloud: World, group: tuple[str, str]) -> None:
    at = time.time()
    cloud.client("sagemaker-featurestore-runtime").put_record(FeatureGroupName=group[0], Record=record("off", at, 4))

    described = cloud.client("sagemaker").describe_feature_group(FeatureGroupName=group[0])
    place = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"].removeprefix(f"s3://{group[1]}/")
    assert place.startswith(f"features/{ACCOUNT}/sagemaker/{REGION}/offline-store/{group[0]}-")
    hour = time.strftime("year=%Y/month=%m/day=%d/hour=%H", time.gmtime(at))
    s3 = cloud.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=group[1], Prefix=f"{place}/{hour}/")["Contents"]]
    rows = pq.read_table(io.BytesIO(s3.get_object(Bucket=group[1], Key=keys[-1])["Body"].read())).to_pylist()
    assert json.dumps({key: rows[0][key] for key in ("id", "rings", "is_deleted")}) == json.dumps(
        {"id": "off", "rings": 4, "is_deleted": False}
    )
    assert {"write_time", "api_invocation_time"} <= set(rows[0])
