"""The ports of planning, on boto3, and the function that wires them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from functions.plan_training import app
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.training import S3Objects, SageMakerPackages
from signalbox.training.ports import Container, Package

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
DESCRIBED: dict[str, Any] = {
    "ModelPackageArn": ARN,
    "ModelPackageStatus": "Completed",
    "InferenceSpecification": {
        "Containers": [{"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz", "Environment": {"A": "b"}}],
        "SupportedContentTypes": ["text/csv"],
    },
    "CustomerMetadataProperties": {"test-data": "s3://data-bucket/test/"},
    "MetadataProperties": {"CommitId": "8c1d"},
}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="data-bucket")
        yield client


def test_a_prefix_holds_data_only_if_an_object_in_it_has_a_byte(s3: Any) -> None:
    s3.put_object(Bucket="data-bucket", Key="folder/", Body=b"")
    s3.put_object(Bucket="data-bucket", Key="folder/empty.csv", Body=b"")
    assert not S3Objects(s3).holds_data("s3://data-bucket/folder/")
    s3.put_object(Bucket="data-bucket", Key="folder/full.csv", Body=b"9,M")
    assert S3Objects(s3).holds_data("s3://data-bucket/folder/")


def test_a_prefix_or_bucket_that_does_not_exist_holds_no_data(s3: Any) -> None:
    assert not S3Objects(s3).holds_data("s3://data-bucket/nothing/")
    assert not S3Objects(s3).holds_data("s3://no-such-bucket/nothing/")


def test_a_refused_listing_is_not_taken_for_missing_data() -> None:
    client: Any = RecordingClient("s3", {"list_objects_v2": client_error("AccessDenied")})
    with pytest.raises(Exception, match="AccessDenied"):
        S3Objects(client).holds_data("s3://data-bucket/folder/")


def test_a_package_is_read_from_the_registry() -> None:
    client: Any = RecordingClient("sagemaker", {"describe_model_package": DESCRIBED})
    assert SageMakerPackages(client).find(ARN) == Package(
        arn=ARN,
        status="Completed",
        containers=[Container("image", "s3://b/model.tar.gz", {"A": "b"})],
        properties={"test-data": "s3://data-bucket/test/"},
        content_types=["text/csv"],
        commit="8c1d",
    )


def test_a_package_that_the_registry_does_not_have_is_none_and_a_refusal_is_raised() -> None:
    gone = client_error("ValidationException", f"ModelPackage {ARN} does not exist.")
    missing: Any = RecordingClient("sagemaker", {"describe_model_package": gone})
    assert SageMakerPackages(missing).find(ARN) is None
    for code in ("AccessDeniedException", "ValidationException"):
        refused: Any = RecordingClient("sagemaker", {"describe_model_package": client_error(code)})
        with pytest.raises(Exception, match=code):
            SageMakerPackages(refused).find(ARN)


def test_the_function_plans_a_registered_package(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="data-bucket", Key="test/test.csv", Body=b"9,M,0.4")
    fakes = {"s3": s3, "sagemaker": RecordingClient("sagemaker", {"describe_model_package": DESCRIBED})}
    monkeypatch.setattr("signalbox.aws.clients.client", fakes.__getitem__)
    for name, value in {"PREFIX": "signalbox", "DATA_BUCKET": "data-bucket", "ARTIFACTS_BUCKET": "artifacts"}.items():
        monkeypatch.setenv(name, value)
    app._dependencies.cache_clear()
    context: Any = SimpleNamespace(
        function_name="plan_training", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="id"
    )
    try:
        planned = app.handler({"execution": "run-1", "execution_arn": "arn", "input": {"package": ARN}}, context)
    finally:
        app._dependencies.cache_clear()
    assert (planned["model"], planned["test_data"]) == ("abalone", "s3://data-bucket/test/")
