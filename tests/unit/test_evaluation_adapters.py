"""The ports of an evaluation, on boto3, and the function that wires them."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from functions.evaluate_model import app
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws import clients
from signalbox.evaluation import EndpointModels, S3Objects

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
REPORT = "s3://artifacts/evaluations/run-0/report.json"
ANSWERS: dict[str, Any] = {
    "describe_endpoint": {"EndpointConfigName": "config-1"},
    "describe_endpoint_config": {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "model-1"}]},
    "describe_model": {"Containers": [{"ModelPackageName": ARN}]},
    "describe_model_package": {"CustomerMetadataProperties": {"report": REPORT}},
}
MISSING = client_error("ValidationException", "Could not find endpoint")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        yield client


def live_models(**changes: Any) -> tuple[EndpointModels, RecordingClient]:
    client = RecordingClient("sagemaker", ANSWERS | changes)
    fake: Any = client
    return EndpointModels("signalbox", lambda: "prod", fake), client


def test_objects_are_listed_beyond_one_page_in_order_of_keys(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(5):
        s3.put_object(Bucket="artifacts", Key=f"transforms/run-1/{number}.csv.out", Body=b"x")
    listed = S3Objects(s3).list("s3://artifacts/transforms/run-1/")
    assert [item.uri[-9:] for item in listed] == [f"{number}.csv.out" for number in range(5)]
    assert listed[0].at.endswith("+00:00")


def test_lines_are_read_with_their_ends_from_keys_of_any_spelling(s3: Any) -> None:
    s3.put_object(Bucket="artifacts", Key="a ?+#.out", Body=b"1,\xff,2\r\n3,b,4")
    assert list(S3Objects(s3).lines("s3://artifacts/a ?+#.out")) == ["1,\ufffd,2\r\n", "3,b,4"]


def test_what_was_written_is_read_again_and_what_was_not_is_none(s3: Any) -> None:
    objects = S3Objects(s3)
    objects.write("s3://artifacts/report.json", "{}", "application/json")
    assert objects.read("s3://artifacts/report.json") == "{}"
    assert s3.head_object(Bucket="artifacts", Key="report.json")["ContentType"] == "application/json"
    assert objects.read("s3://artifacts/other.json") is None
    assert objects.read("s3://nowhere-at-all/other.json") is None


def test_a_refused_read_is_not_taken_for_a_missing_object() -> None:
    client: Any = RecordingClient("s3", {"get_object": client_error("AccessDenied")})
    with pytest.raises(Exception, match="AccessDenied"):
        S3Objects(client).read("s3://artifacts/report.json")


def test_the_live_package_is_found_behind_the_endpoint_of_the_last_stage() -> None:
    models, client = live_models()
    assert models.package("abalone") == ARN
    assert client.calls == [
        ("DescribeEndpoint", {"EndpointName": "signalbox-abalone-prod"}),
        ("DescribeEndpointConfig", {"EndpointConfigName": "config-1"}),
        ("DescribeModel", {"ModelName": "model-1"}),
    ]


@pytest.mark.parametrize(
    ("changes", "package"),
    [
        ({"describe_endpoint": MISSING}, None),
        ({"describe_endpoint_config": MISSING}, None),
        ({"describe_model": MISSING}, None),
        ({"describe_model": {"PrimaryContainer": {"ModelPackageName": ARN}}}, ARN),
        ({"describe_model": {"PrimaryContainer": {"Image": "image"}}}, None),
    ],
)
def test_a_chain_that_ends_early_means_that_nothing_of_ours_is_live(
    changes: dict[str, Any], package: str | None
) -> None:
    assert live_models(**changes)[0].package("abalone") == package


def test_a_package_says_where_its_report_is_if_it_has_one() -> None:
    assert live_models()[0].report(ARN) == REPORT
    assert live_models(describe_model_package={})[0].report(ARN) is None
    assert live_models(describe_model_package=MISSING)[0].report(ARN) is None


def test_a_refused_describe_is_raised() -> None:
    refused = client_error("AccessDeniedException")
    with pytest.raises(Exception, match="AccessDenied"):
        live_models(describe_endpoint=refused)[0].package("abalone")
    with pytest.raises(Exception, match="AccessDenied"):
        live_models(describe_model_package=refused)[0].report(ARN)


def test_the_function_evaluates_with_the_last_stage_of_the_document(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = {"instance_type": "ml.m5.large", "instance_count": 1}
    document = {"stages": [{"name": "staging"} | stage, {"name": "prod"} | stage]}
    sagemaker = RecordingClient("sagemaker", {"describe_endpoint": MISSING})
    ssm = RecordingClient("ssm", {"get_parameter": {"Parameter": {"Value": json.dumps(document)}}})
    monkeypatch.setattr(clients, "client", {"s3": s3, "sagemaker": sagemaker, "ssm": ssm}.__getitem__)
    for name, value in {"PREFIX": "signalbox", "ARTIFACTS_BUCKET": "artifacts", "STAGES_PARAMETER": "/stages"}.items():
        monkeypatch.setenv(name, value)
    s3.put_object(Bucket="artifacts", Key="transforms/run-1/test.csv.out", Body=b"9,M,0.4,8\n")
    outputs = {"transform": "s3://artifacts/transforms/run-1/", "evaluation": "s3://artifacts/evaluations/run-1/"}
    plan = {"model": "abalone", "package": None, "commit": "8c1d", "content_type": "text/csv", "test_data": "s3://d/t/"}
    context: Any = SimpleNamespace(
        function_name="evaluate_model", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="id"
    )
    app._dependencies.cache_clear()
    try:
        answer = app.handler({"plan": plan | {"outputs": outputs}, "training": None, "execution_arn": "arn"}, context)
    finally:
        app._dependencies.cache_clear()
    assert (answer["primary"], answer["value"]) == ("mse", 1.0)
    assert sagemaker.requests("DescribeEndpoint") == [{"EndpointName": "signalbox-abalone-prod"}]
    assert S3Objects(s3).read(answer["golden"])
