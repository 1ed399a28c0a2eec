"""The review journey's calls to AWS: each request is one that AWS takes, each error is ours."""

import io
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.reviews import ANN, PACKAGE, SECRET, World

from signalbox import reviews
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.machines import StateMachines, TaskClosedError
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.reviews import adapters, reports
from signalbox.reviews.model import ReviewError
from signalbox.settings import CloseReview, RequestReview, ReviewPage


class Client(RecordingClient):
    """Answers every call with one error."""

    def __init__(self, service: str, code: str, **more: Any) -> None:
        super().__init__(service)
        self.error = client_error(code)
        self.error.response.update(more)  # type: ignore[typeddict-item]  # some errors have members of their own

    def _answer(self, method: str, operation: str, request: dict[str, Any]) -> Any:
        raise self.error


def refusing(service: str, code: str, **more: Any) -> Any:
    return Client(service, code, **more)


def test_a_task_is_answered_with_json() -> None:
    client: Any = RecordingClient("stepfunctions")
    tasks = StateMachines(client)
    tasks.succeed("token", {"by": "ä"})
    tasks.fail("token", "ReviewRejected", {"by": "b"})
    assert client.calls == [
        ("SendTaskSuccess", {"taskToken": "token", "output": '{"by": "\\u00e4"}'}),
        ("SendTaskFailure", {"taskToken": "token", "error": "ReviewRejected", "cause": '{"by": "b"}'}),
    ]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
def test_a_task_that_waits_no_more_is_closed(code: str) -> None:
    with pytest.raises(TaskClosedError):
        StateMachines(refusing("stepfunctions", code)).succeed("token", {})


def test_another_refusal_of_an_answer_is_an_error() -> None:
    with pytest.raises(CallRefusedError, match="SendTaskFailure was refused: AccessDeniedException"):
        StateMachines(refusing("stepfunctions", "AccessDeniedException")).fail("token", "e", {})


@pytest.mark.parametrize(("approved", "status"), [(True, "Approved"), (False, "Rejected")])
def test_the_registry_gets_status_and_description(*, approved: bool, status: str) -> None:
    client: Any = RecordingClient("sagemaker", {"update_model_package": {"ModelPackageArn": PACKAGE}})
    ModelRegistry(client).decide(PACKAGE, approved=approved, description="because")
    assert client.requests("UpdateModelPackage") == [
        {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": status, "ApprovalDescription": "because"}
    ]


def test_a_registry_that_refuses_names_the_package() -> None:
    with pytest.raises(CallRefusedError, match=r"signalbox-abalone/3 was refused: ConflictException"):
        ModelRegistry(refusing("sagemaker", "ConflictException")).decide(PACKAGE, approved=True, description="")


def test_a_report_is_read_by_its_address() -> None:
    client: Any = RecordingClient("s3", {"get_object": {"ContentLength": 4, "Body": io.BytesIO(b"text")}})
    assert reports.read_report("s3://bucket/evaluations/a b/report.json", ObjectStore(client)) == "text"
    assert client.requests("GetObject") == [{"Bucket": "bucket", "Key": "evaluations/a b/report.json"}]


def test_a_report_that_is_missing_hidden_or_huge_is_refused() -> None:
    def read(client: Any, uri: str = "s3://bucket/key") -> str:
        return reports.read_report(uri, ObjectStore(client))

    with pytest.raises(ReviewError, match="s3://bucket/key cannot be read: there is no such object"):
        read(refusing("s3", "NoSuchKey"))
    with pytest.raises(ReviewError, match=r"cannot be read: .*AccessDenied"):
        read(refusing("s3", "AccessDenied"))
    with pytest.raises(ReviewError, match="cannot be read"):
        read(refusing("s3", "NoSuchKey"), "https://example.com/report.json")
    huge: Any = RecordingClient("s3", {"get_object": {"ContentLength": 10**7, "Body": io.BytesIO(b"")}})
    with pytest.raises(ReviewError, match=r"cannot be read: .* at most 1000000 are read"):
        read(huge)


def test_a_report_that_s3_cannot_give_now_may_be_asked_for_again() -> None:
    busy = refusing("s3", "SlowDown")
    with pytest.raises(ServiceBusyError, match="try again in a moment"):
        reports.read_report("s3://bucket/key", ObjectStore(busy))


def test_a_secret_is_read_and_must_be_long() -> None:
    good: Any = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": SECRET.decode()}})
    assert adapters.read_secret("arn", good) == SECRET
    short: Any = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": "short"}})
    with pytest.raises(adapters.SecretError, match="shorter than 32"):
        adapters.read_secret("arn", short)
    with pytest.raises(adapters.SecretError, match="ResourceNotFoundException"):
        adapters.read_secret("arn", refusing("secretsmanager", "ResourceNotFoundException"))


def test_a_secret_is_read_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": SECRET.decode()}})
    monkeypatch.setattr("signalbox.aws.clients.client", {"secretsmanager": client}.__getitem__)
    adapters.secret.cache_clear()
    assert adapters.secret("arn") == adapters.secret("arn") == SECRET
    assert len(client.calls) == 1
    adapters.secret.cache_clear()


def test_a_secret_that_cannot_be_read_now_may_be_asked_for_again() -> None:
    busy = refusing("secretsmanager", "ThrottlingException")
    with pytest.raises(ServiceBusyError, match="secretsmanager:GetSecretValue of arn"):
        adapters.read_secret("arn", busy)


def stored(client: Any) -> adapters.DynamoReviews:
    return adapters.DynamoReviews(Table("reviews", client))


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ProvisionedThroughputExceededException", ServiceBusyError), ("AccessDeniedException", CallRefusedError)],
)
def test_every_refusal_of_the_table_is_ours(code: str, kind: type[Exception]) -> None:
    review = World().request()
    store = stored(refusing("dynamodb", code))
    with pytest.raises(kind, match="GetItem of reviews"):
        store.get("id")
    with pytest.raises(kind, match=r"Query of package#.* in reviews"):
        store.of_package(PACKAGE)
    with pytest.raises(kind, match="TransactWriteItems of reviews"):
        store.create(review, None)
    with pytest.raises(kind, match="UpdateItem of reviews"):
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
    store = stored(refusing("dynamodb", "TransactionCanceledException", CancellationReasons=reasons))
    review = World().request()
    if lost:
        assert not store.create(review, None)
    else:
        with pytest.raises(CallRefusedError):
            store.create(review, None)


def test_the_registrys_rule_is_answered_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = {
        "dynamodb": RecordingClient("dynamodb", {"query": {"Items": []}}),
        "stepfunctions": RecordingClient("stepfunctions"),
        "sagemaker": RecordingClient("sagemaker"),
    }
    monkeypatch.setattr("signalbox.aws.clients.client", clients.__getitem__)
    answer_reviews = reviews.registry_answers("reviews")
    assert answer_reviews(PACKAGE, True, "eve", "looks good") == "unreviewed"
    [(_, query)] = clients["dynamodb"].calls
    assert query["TableName"] == "reviews"
    assert query["ConsistentRead"]


def test_only_the_page_and_the_close_write_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signalbox.aws.clients.client", RecordingClient)
    page = reviews.page_ports(
        ReviewPage(
            reviews_table="reviews",
            review_secret_arn="arn",
            page_url="own",
            sender="a@b.de",
            reply_to="a@b.de",
            mail_settings="untracked",
        )
    )
    closing = reviews.closing_ports(CloseReview(reviews_table="reviews"))
    asking = RequestReview(
        prefix="signalbox",
        reviews_table="reviews",
        review_secret_arn="arn",
        review_url="https://x",
        sender="a@b.de",
        reply_to="a@b.de",
        mail_settings="untracked",
        approvers=ANN,
    )
    requesting = reviews.requesting_ports(asking)
    assert isinstance(page.deciding.registry, ModelRegistry)
    assert isinstance(closing.registry, ModelRegistry)
    assert requesting.deciding.registry is None
    assert len(page.random()) >= 16
    assert page.url == "", "the API's own address is the request's domain"
