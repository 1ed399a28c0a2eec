"""The secret, the document and the queue of webhooks are asked as their models say, and not more often than needed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from functions.receive_hook import app
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.hooks import SECRET
from tests.support.pushes import commit
from tests.support.samples import http_event, lambda_context

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError
from signalbox.code_events import BranchTold
from signalbox.pushes import hook_places
from signalbox.pushes.hook_places import Fresh, PushesQueue

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/signalbox-PushesQueue.fifo"
AUTOMATION = {
    "project": "wine",
    "repository": {"provider": "github", "name": "acme/wine"},
    "main": "main",
    "build": "signalbox-wine",
}
TOLD = BranchTold("wine", "🌹" * 200, None, commit(1), "2026-11-20T12:00:00.000000Z", "ann", "", "d-1", "github")


def secrets(**answers: Any) -> Any:
    return RecordingClient("secretsmanager", answers)


def test_each_branch_is_a_message_of_the_projects_group_that_is_sent_once() -> None:
    client: Any = RecordingClient("sqs", {"send_message": {"MessageId": "1", "MD5OfMessageBody": "0" * 32}})
    PushesQueue(URL, client).send([TOLD, TOLD, TOLD._replace(branch="main"), TOLD._replace(delivery="d-2")])

    sent = [request for _, request in client.calls]
    assert {one["MessageGroupId"] for one in sent} == {"wine"}
    assert len({one["MessageDeduplicationId"] for one in sent}) == 3
    assert BranchTold.read(json.loads(sent[0]["MessageBody"])) == TOLD


def test_a_project_has_the_secret_of_its_name_or_none() -> None:
    client = secrets(get_secret_value={"SecretString": SECRET})
    assert hook_places.secret("signalbox", "wine", client) == SECRET
    assert [request for _, request in client.calls] == [{"SecretId": "signalbox/hooks/wine"}]
    missing = secrets(get_secret_value=client_error("ResourceNotFoundException"))
    assert hook_places.secret("signalbox", "wine", missing) == ""
    with pytest.raises(CallRefusedError):
        hook_places.secret("signalbox", "wine", secrets(get_secret_value=client_error("AccessDeniedException")))


def test_a_text_is_read_once_a_minute_and_one_that_is_not_there_each_time() -> None:
    asked, now = [], [0.0]

    def find(project: str) -> str:
        asked.append(project)
        return "" if project == "winery" else f"{project} {len(asked)}"

    texts = Fresh(find, lambda: now[0])
    assert [texts.text("wine"), texts.text("wine"), texts.text("winery"), texts.text("winery")] == [
        "wine 1",
        "wine 1",
        "",
        "",
    ]
    now[0] = 61
    assert texts.text("wine") == "wine 4"


def test_a_document_that_cannot_be_used_or_speaks_for_another_project_is_none() -> None:
    for text in ("{", "", json.dumps({**AUTOMATION, "project": "winery"})):
        assert hook_places.automation_of("wine", "signalbox", Fresh(lambda _, found=text: found)) is None  # type: ignore[misc]
    found = hook_places.automation_of("wine", "signalbox", Fresh(lambda _: json.dumps(AUTOMATION)))
    assert found is not None
    assert (found.provider, found.repository, found.hooked) == ("github", "acme/wine", True)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    made: dict[str, Any] = {
        "ssm": RecordingClient("ssm", {"get_parameter": {"Parameter": {"Value": json.dumps(AUTOMATION)}}}),
        "secretsmanager": secrets(get_secret_value={"SecretString": SECRET}),
        "dynamodb": RecordingClient("dynamodb", {"put_item": {}, "update_item": {"Attributes": {}}}),
        "sqs": RecordingClient("sqs", {"send_message": {"MessageId": "1", "MD5OfMessageBody": "0" * 32}}),
    }
    monkeypatch.setattr(clients, "client", made.__getitem__)
    settings = {"PREFIX": "signalbox", "PUSHES_TABLE": "signalbox-Pushes", "PUSHES_QUEUE_URL": URL}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    app._ports.cache_clear()
    yield made
    app._ports.cache_clear()


def test_the_function_takes_a_push_with_one_write_one_message_and_one_note(cloud: dict[str, Any]) -> None:
    answered = app.handler(http_event("hook-github"), lambda_context("receive_hook"))

    assert answered["statusCode"] == 202
    calls = {name: [operation for operation, _ in client.calls] for name, client in cloud.items()}
    assert calls == {
        "ssm": ["GetParameter"],
        "secretsmanager": ["GetSecretValue"],
        "dynamodb": ["PutItem", "UpdateItem"],
        "sqs": ["SendMessage"],
    }
