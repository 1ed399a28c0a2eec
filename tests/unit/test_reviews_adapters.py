"""The review journey's calls to AWS: each request is one that AWS takes, each error is ours."""

import io
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.reviews import PACKAGE, SECRET, World

from signalbox import reviews
from signalbox.reviews import adapters
from signalbox.reviews.model import ReviewError
from signalbox.reviews.ports import TaskClosedError


class Client(RecordingClient):
    """Answers every call with one error."""

    def __init__(self, service: str, code: str, **more: Any) -> None:
        super().__init__(service)
        self.error = client_error(code)
        self.error.response.update(more)  # type: ignore[typeddict-item]  # some errors have members of their own

    def _answer(self, method: str, operation: str, request: dict[str, Any]) -> Any:
        raise self.error


def test_a_task_is_answered_with_json() -> None:
    client = RecordingClient("stepfunctions")
    tasks = adapters.StepFunctionsTasks(client)
    tasks.succeed("token", {"by": "ä"})
    tasks.fail("token", "ReviewRejected", {"by": "b"})
    assert client.calls == [
        ("SendTaskSuccess", {"taskToken": "token", "output": '{"by": "\\u00e4"}'}),
        ("SendTaskFailure", {"taskToken": "token", "error": "ReviewRejected", "cause": '{"by": "b"}'}),
    ]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
def test_a_task_that_waits_no_more_is_closed(code: str) -> None:
    with pytest.raises(TaskClosedError):
        adapters.StepFunctionsTasks(Client("stepfunctions", code)).succeed("token", {})


def test_another_refusal_of_an_answer_is_an_error() -> None:
    with pytest.raises(adapters.TaskError, match="could not be answered"):
        adapters.StepFunctionsTasks(Client("stepfunctions", "AccessDeniedException")).fail("token", "e", {})


@pytest.mark.parametrize(("approved", "status"), [(True, "Approved"), (False, "Rejected")])
def test_the_registry_gets_status_and_description(*, approved: bool, status: str) -> None:
    client = RecordingClient("sagemaker", {"update_model_package": {"ModelPackageArn": PACKAGE}})
    adapters.SageMakerRegistry(client).decide(PACKAGE, approved=approved, description="because")
    assert client.requests("UpdateModelPackage") == [
        {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": status, "ApprovalDescription": "because"}
    ]


def test_a_registry_that_refuses_names_the_package() -> None:
    with pytest.raises(adapters.RegistryError, match="signalbox-abalone/3"):
        adapters.SageMakerRegistry(Client("sagemaker", "ConflictException")).decide(
            PACKAGE, approved=True, description=""
        )


def test_a_report_is_read_by_its_address() -> None:
    client = RecordingClient("s3", {"get_object": {"ContentLength": 4, "Body": io.BytesIO(b"text")}})
    assert adapters.S3Reports(client).read("s3://bucket/evaluations/a b/report.json") == "text"
    assert client.requests("GetObject") == [{"Bucket": "bucket", "Key": "evaluations/a b/report.json"}]


def test_a_report_that_is_missing_or_huge_is_refused() -> None:
    with pytest.raises(ReviewError, match="cannot be read"):
        adapters.S3Reports(Client("s3", "NoSuchKey")).read("s3://bucket/key")
    huge = RecordingClient("s3", {"get_object": {"ContentLength": 10**7, "Body": io.BytesIO(b"")}})
    with pytest.raises(ReviewError, match="larger than 1000000 bytes"):
        adapters.S3Reports(huge).read("s3://bucket/key")


def test_a_secret_is_read_and_must_be_long() -> None:
    good = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": SECRET.decode()}})
    assert adapters.read_secret("arn", good) == SECRET
    short = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": "short"}})
    with pytest.raises(adapters.SecretError, match="shorter than 32"):
        adapters.read_secret("arn", short)
    with pytest.raises(adapters.SecretError, match="ResourceNotFoundException"):
        adapters.read_secret("arn", Client("secretsmanager", "ResourceNotFoundException"))


def test_a_secret_is_read_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    client = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": SECRET.decode()}})
    monkeypatch.setattr("signalbox.aws.clients.client", {"secretsmanager": client}.__getitem__)
    adapters.secret.cache_clear()
    assert adapters.secret("arn") == adapters.secret("arn") == SECRET
    assert len(client.calls) == 1
    adapters.secret.cache_clear()


def test_every_refusal_of_the_table_is_ours() -> None:
    review = World().request()
    store = adapters.DynamoStore("reviews", Client("dynamodb", "ProvisionedThroughputExceededException"))
    with pytest.raises(adapters.ReviewsTableError):
        store.get("id")
    with pytest.raises(adapters.ReviewsTableError):
        store.of_package(PACKAGE)
    with pytest.raises(adapters.ReviewsTableError):
        store.create(review, None)
    with pytest.raises(adapters.ReviewsTableError):
        store.change("id", {}, {"status": "open"})


@pytest.mark.parametrize(
    ("reasons", "lost"),
    [
        ([{"Code": "ConditionalCheckFailed"}, {"Code": "None"}], True),
        ([{"Code": "TransactionConflict"}, {}], True),
        ([{"Code": "ValidationError"}, {"Code": "None"}], False),
        ([], False),
    ],
)
def test_a_lost_race_is_no_error_and_everything_else_is(reasons: list[dict[str, str]], *, lost: bool) -> None:
    client = Client("dynamodb", "TransactionCanceledException", CancellationReasons=reasons)
    store = adapters.DynamoStore("reviews", client)
    review = World().request()
    if lost:
        assert not store.create(review, None)
    else:
        with pytest.raises(adapters.ReviewsTableError):
            store.create(review, None)


def test_the_registrys_rule_is_answered_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = {
        "dynamodb": RecordingClient("dynamodb", {"query": {"Items": []}}),
        "stepfunctions": RecordingClient("stepfunctions"),
        "sagemaker": RecordingClient("sagemaker"),
    }
    monkeypatch.setattr("signalbox.aws.clients.client", clients.__getitem__)
    reviews.desk.cache_clear()
    at = "2026-03-01T10:20:00Z"
    assert reviews.answer_from_registry(PACKAGE, True, "eve", at, reviews_table="reviews") == "none"
    [(_, query)] = clients["dynamodb"].calls
    assert query["TableName"] == "reviews"
    assert query["ConsistentRead"]
    assert reviews.desk("reviews", registry=True).registry is not None
    assert reviews.desk("reviews", registry=False).registry is None
    assert reviews.now().tzinfo is not None
    reviews.desk.cache_clear()
