"""The four functions of the review journey are wired to their settings and to AWS."""

from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from functions.announce import app as announce
from functions.close_review import app as close_review
from functions.request_review import app as request_review
from functions.review_page import app as review_page
from tests.support.botocore_strict import RecordingClient
from tests.support.notifications import ending, release
from tests.support.parameters import RememberedParameters
from tests.support.reviews import ANN, PACKAGE, SECRET, closing_payload, payload

from signalbox.reviews import adapters

CONTEXT: Any = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="id"
)
SETTINGS = {
    "PREFIX": "signalbox",
    "REVIEWS_TABLE": "reviews",
    "REVIEW_SECRET_ARN": "arn:secret",
    "REVIEW_URL": "https://abc.example.com/",
    "PAGE_URL": "own",
    "SENDER": "signalbox@example.com",
    "REPLY_TO": "signalbox@example.com",
    "MAIL_SETTINGS": "untracked",
    "APPROVERS": ANN,
    "API_URL": "https://api.example.com",
}


class Table(RecordingClient):
    """A table that holds one review's item and takes every write."""

    items: ClassVar[dict[str, Any]] = {}

    def _get_item(self, **request: Any) -> Any:
        return {"Item": self.items[request["Key"]["pk"]["S"]]} if request["Key"]["pk"]["S"] in self.items else {}

    def _transact_write_items(self, **request: Any) -> Any:
        for write in request["TransactItems"]:
            item = write["Put"]["Item"]
            self.items[item["pk"]["S"]] = item
        return {}

    def _update_item(self, **request: Any) -> Any:
        item = self.items[request["Key"]["pk"]["S"]]
        changes = {
            name.removeprefix(":new_"): value
            for name, value in request["ExpressionAttributeValues"].items()
            if name.startswith(":new_")
        }
        item.update(changes)
        return {"Attributes": item}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, RecordingClient]:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    found = {
        "dynamodb": Table("dynamodb"),
        "stepfunctions": RecordingClient("stepfunctions"),
        "sagemaker": RecordingClient("sagemaker", {"update_model_package": {"ModelPackageArn": PACKAGE}}),
        "s3": RecordingClient("s3"),
        "sesv2": RecordingClient("sesv2"),
        "ssm": RememberedParameters(),
        "secretsmanager": RecordingClient("secretsmanager", {"get_secret_value": {"SecretString": SECRET.decode()}}),
    }
    Table.items.clear()
    monkeypatch.setattr("signalbox.aws.clients.client", found.__getitem__)
    adapters.secret.cache_clear()
    for app in APPS:
        app._ports.cache_clear()
    return found


APPS: tuple[Any, ...] = (announce, close_review, request_review, review_page)


def test_a_review_is_requested_shown_decided_and_closed(clients: dict[str, RecordingClient]) -> None:
    asked = request_review.handler(payload(report=None), CONTEXT)
    assert asked["mailed"] == 1
    [mail] = clients["sesv2"].requests("SendEmail")
    link = mail["Content"]["Simple"]["Body"]["Text"]["Data"].split("Approve: ")[1].split()[0]
    assert link.startswith("https://abc.example.com/reviews/" + asked["review"])
    event = {
        "requestContext": {"http": {"method": "GET"}, "domainName": "abc.example.com"},
        "pathParameters": {"review": asked["review"]},
        "queryStringParameters": {"key": link.split("key=")[1].split("&")[0]},
    }
    page = review_page.handler(event, CONTEXT)
    assert page["statusCode"] == 200
    assert "Secure" in page["cookies"][0]
    # The small table takes every write, so the review counts as expired here.
    closed = close_review.handler(closing_payload(), CONTEXT)
    assert closed["decision"] == "expired"
    assert clients["sagemaker"].requests("UpdateModelPackage")[0]["ModelApprovalStatus"] == "Rejected"


def test_an_ending_is_announced(clients: dict[str, RecordingClient]) -> None:
    assert announce.handler(ending(release=release("released")), CONTEXT) == {"mailed": 1}
    assert clients["sesv2"].requests("SendEmail")[0]["Destination"] == {"ToAddresses": [ANN]}
