"""The adapters of a release: the requests they send, and what they make of the answers and errors."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.unit.releases_world import GROUP, LedgerFake, arn

from signalbox.releases.adapters import DynamoLedger, S3GoldenFiles, SageMakerEndpoints, SageMakerRegistry
from signalbox.releases.errors import ReleaseError, ServiceBusyError
from signalbox.releases.ports import Answer, Endpoint, Ledger, Package, Served, Wish

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
CONFIG = {
    "EndpointConfigName": "c",
    "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1}],
}
EARLY, LATE = "2026-11-20T10:00:00.000000Z", "2026-11-20T11:00:00.000000Z"


class DynamoLedgerWithRecords(DynamoLedger):
    """The table's adapter, and the item that the release machine writes."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        super().__init__(dynamodb, table)
        self._written = 0

    def record(self, model: str, stage: str, served: Served, verdict: str = "released") -> None:
        """Write what the machine writes."""
        self._written += 1
        item = {
            "pk": f"model#{model}",
            "sk": f"release#2026-11-20T10:00:{self._written:02}Z#run#{stage}",
            "stage": stage,
            "package": served.package,
            "config": served.config,
            "verdict": verdict,
        }
        self._dynamodb.put_item(TableName=self._table, Item={name: {"S": value} for name, value in item.items()})


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Iterator[LedgerFake | DynamoLedgerWithRecords]:
    if request.param == "fake":
        yield LedgerFake()
        return
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        dynamodb.create_table(
            TableName="releases",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoLedgerWithRecords(dynamodb, "releases")


def test_nobody_wants_anything_at_first(ledger: Ledger) -> None:
    assert ledger.wanted("abalone") is None
    assert list(ledger.released("abalone", "prod")) == []


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        (Wish(EARLY, "a", arn(1)), Wish(LATE, "b", arn(2)), arn(2)),
        (Wish(LATE, "b", arn(2)), Wish(EARLY, "a", arn(1)), arn(2)),
        (Wish(EARLY, "b", arn(2)), Wish(EARLY, "a", arn(1)), arn(2)),
        (Wish(EARLY, "a", arn(1)), Wish(EARLY, "b", arn(2)), arn(2)),
        (Wish(EARLY, "a", arn(1)), Wish(EARLY, "a", arn(1)), arn(1)),
    ],
)
def test_the_later_wish_holds_whatever_order_they_come_in(
    ledger: Ledger, first: Wish, second: Wish, holds: str
) -> None:
    ledger.want("abalone", first)
    ledger.want("abalone", second)
    ledger.want("iris", Wish(LATE, "z", arn(9)))

    wish = ledger.wanted("abalone")

    assert wish is not None
    assert wish.package == holds


def test_releases_of_a_stage_are_told_oldest_first(ledger: LedgerFake | DynamoLedgerWithRecords) -> None:
    ledger.record("abalone", "prod", Served(arn(1), "c1"))
    ledger.record("abalone", "staging", Served(arn(2), "c2"))
    ledger.record("iris", "prod", Served(arn(3), "c3"))
    ledger.record("abalone", "prod", Served(arn(4), "c4"))

    assert list(ledger.released("abalone", "prod")) == [Served(arn(1), "c1"), Served(arn(4), "c4")]


def test_a_stage_that_failed_counts_as_not_released() -> None:
    with mock_aws():
        ledgers = ledger.__wrapped__(type("Request", (), {"param": "dynamodb"}))  # type: ignore[attr-defined]  # a fixture
        table = next(ledgers)
        table.record("abalone", "prod", Served(arn(1), "c1"), verdict="failed")

        assert table.released("abalone", "prod") == []


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("put_item", lambda table: table.want("abalone", Wish(EARLY, "a", arn(1)))),
        ("get_item", lambda table: table.wanted("abalone")),
        ("query", lambda table: table.released("abalone", "prod")),
    ],
)
@pytest.mark.parametrize(
    ("code", "error"),
    [("ProvisionedThroughputExceededException", ServiceBusyError), ("ResourceNotFoundException", ReleaseError)],
)
def test_errors_of_the_table_become_ours(method: str, call: Any, code: str, error: type[Exception]) -> None:
    dynamodb = RecordingClient("dynamodb", {method: client_error(code)})

    with pytest.raises(error, match=code):
        call(DynamoLedger(dynamodb, "releases"))


def test_a_package_is_read_with_its_report_and_golden_requests() -> None:
    described = {
        "ModelPackageArn": arn(2),
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {"report": "s3://b/report.json", "golden": "s3://b/golden.json"},
    }
    registry = SageMakerRegistry(RecordingClient("sagemaker", {"describe_model_package": described}))

    assert registry.package(arn(2)) == Package(arn(2), "Approved", "s3://b/report.json", "s3://b/golden.json")


def test_a_package_without_properties_is_read_too() -> None:
    described = {"ModelPackageArn": arn(2), "ModelApprovalStatus": "Rejected"}
    registry = SageMakerRegistry(RecordingClient("sagemaker", {"describe_model_package": described}))

    assert registry.package(arn(2)) == Package(arn(2), "Rejected")


def test_approved_versions_are_asked_for_newest_first_and_page_by_page() -> None:
    pages = [
        {"ModelPackageSummaryList": [summary(3)], "NextToken": "more"},
        {"ModelPackageSummaryList": [summary(1)]},
    ]
    sagemaker = RecordingClient("sagemaker", {"list_model_packages": pages})

    assert SageMakerRegistry(sagemaker).approved(GROUP) == [arn(3), arn(1)]
    assert sagemaker.requests("ListModelPackages")[0] == {
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }


def summary(version: int) -> dict[str, Any]:
    return {"ModelPackageArn": arn(version), "CreationTime": NOW, "ModelPackageStatus": "Completed"}


@pytest.mark.parametrize(
    ("model", "package"),
    [
        ({"ModelName": "m", "Containers": [{"ModelPackageName": arn(2)}]}, arn(2)),
        ({"ModelName": "m", "PrimaryContainer": {"ModelPackageName": arn(2)}}, arn(2)),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "i"}}, None),
        (client_error("ValidationException", 'Could not find model "m".'), None),
    ],
)
def test_the_live_package_is_found_behind_config_and_model(model: Any, package: str | None) -> None:
    answers = {
        "describe_endpoint": {
            "EndpointName": "e",
            "EndpointConfigName": "c",
            "EndpointStatus": "Failed",
            "FailureReason": "ping",
        },
        "describe_endpoint_config": CONFIG,
        "describe_model": model,
    }
    endpoints = SageMakerEndpoints(RecordingClient("sagemaker", answers))

    assert endpoints.endpoint("e") == Endpoint("e", "Failed", "c", package, "ping")


@pytest.mark.parametrize(
    "config", [client_error("ValidationException", "Could not find endpoint configuration."), CONFIG]
)
def test_a_config_without_a_model_of_ours_serves_no_package(config: Any) -> None:
    changed = config if isinstance(config, ClientError) else CONFIG | {"ProductionVariants": [{"VariantName": "v"}]}
    endpoints = SageMakerEndpoints(RecordingClient("sagemaker", {"describe_endpoint_config": changed}))

    assert endpoints.package_of_config("c") is None


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException", 'Could not find endpoint "e".'),
        client_error("ValidationException", "ModelPackage x does not exist."),
        client_error("ResourceNotFound", "no"),
    ],
)
def test_what_does_not_exist_is_none(error: ClientError) -> None:
    sagemaker = RecordingClient("sagemaker", {"describe_endpoint": error, "describe_model_package": error})

    assert SageMakerEndpoints(sagemaker).endpoint("e") is None
    assert SageMakerRegistry(sagemaker).package(arn(2)) is None


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", ServiceBusyError), ("AccessDeniedException", ReleaseError)]
)
def test_errors_of_sagemaker_become_ours(code: str, error: type[Exception]) -> None:
    failing = client_error(code, "try later")
    sagemaker = RecordingClient("sagemaker", {"describe_endpoint": failing, "list_model_packages": failing})

    with pytest.raises(error, match=f"{code} try later"):
        SageMakerEndpoints(sagemaker).endpoint("e")
    with pytest.raises(error, match=f"{code} try later"):
        SageMakerRegistry(sagemaker).approved(GROUP)


def test_an_endpoint_is_asked_in_the_content_type_of_the_request() -> None:
    runtime = RecordingClient("sagemaker-runtime", {"invoke_endpoint": {"Body": io.BytesIO(b"8.7\n")}})

    assert SageMakerEndpoints(None, runtime).ask("e", "M,0.4", "text/csv") == Answer("8.7\n")
    assert runtime.requests("InvokeEndpoint") == [
        {"EndpointName": "e", "Body": b"M,0.4", "ContentType": "text/csv", "Accept": "text/csv"}
    ]


def test_a_refusal_of_the_model_is_an_answer_and_a_refusal_of_sagemaker_is_an_error() -> None:
    answers = [client_error("ModelError", "500 from primary"), client_error("ServiceUnavailable", "later")]
    endpoints = SageMakerEndpoints(None, RecordingClient("sagemaker-runtime", {"invoke_endpoint": answers}))

    assert endpoints.ask("e", "M", "text/csv") == Answer(failure="500 from primary")
    with pytest.raises(ServiceBusyError):
        endpoints.ask("e", "M", "text/csv")


def test_golden_requests_are_read_from_their_uri() -> None:
    s3 = RecordingClient("s3", {"get_object": {"Body": io.BytesIO(b"{}")}})

    assert S3GoldenFiles(s3).read("s3://artifacts/evaluations/run/golden.json") == "{}"
    assert s3.requests("GetObject") == [{"Bucket": "artifacts", "Key": "evaluations/run/golden.json"}]


def test_golden_requests_that_are_not_there_are_told_with_their_uri() -> None:
    s3 = RecordingClient("s3", {"get_object": client_error("NoSuchKey", "none")})

    with pytest.raises(ReleaseError, match=r"s3://artifacts/golden\.json was refused: NoSuchKey"):
        S3GoldenFiles(s3).read("s3://artifacts/golden.json")
    with pytest.raises(ReleaseError, match=r"'golden\.json' is not the S3 URI of a file"):
        S3GoldenFiles(s3).read("golden.json")
