"""The outermost application: its own pages, the public address, and the rest passed on as it came, over TLS."""

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.sagemaker_local.support.ministack_modules import access, events, ministack

from sagemaker_local import server
from sagemaker_local.call_record import CallRecord, RecordedCall
from sagemaker_local.core.errors import ApiError
from sagemaker_local.server import ACCOUNT, KEY_VARIABLE, REGION, Gateway, free_port, prepare

MAILS = [{"To": ["a@b.c"], "Subject": "First <1>", "BodyHtml": "<p>one</p>"}, {"Subject": "Second", "BodyText": "two"}]


class Servers:
    """Model servers that remember that they were ended."""

    closed = False

    def close(self) -> None:
        """End them."""
        self.closed = True


class Service:
    """A service with model servers."""

    def __init__(self) -> None:
        self.endpoints = Servers()

    def close(self) -> None:
        """End the servers."""
        self.endpoints.close()


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The scopes that reach the cloud behind."""
    scopes: list[dict[str, Any]] = []

    async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)

    monkeypatch.setattr(ministack, "asgi", asgi)
    monkeypatch.setattr(ministack, "sent_mails", lambda: MAILS)
    monkeypatch.setattr(ministack, "http_api_ids", lambda: ["api1"])
    return scopes


def ask(path: str, kind: str = "http", more: Iterable[tuple[bytes, bytes]] = ()) -> tuple[int, str, str]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [] if kind == "lifespan" else [(b"host", b"127.0.0.1:4566"), *more]
    asyncio.run(Gateway(Service())({"type": kind, "path": path, "headers": headers}, None, send))
    if not sent:
        return 0, "", ""
    answered = dict(sent[0]["headers"])
    return sent[0]["status"], answered[b"content-type"].decode(), sent[1]["body"].decode()


def test_the_health_names_the_process(passed_on: list[dict[str, Any]]) -> None:
    assert ask("/_local/health") == (200, "text/plain", f"ready {os.getpid()}")


def test_mails_are_json_a_list_and_pages(passed_on: list[dict[str, Any]]) -> None:
    assert json.loads(ask("/_local/mails")[2]) == MAILS
    page = ask("/_local/inbox")
    assert page[1].startswith("text/html")
    assert page[2].index("Second") < page[2].index("First &lt;1&gt;")
    assert ask("/_local/inbox/0")[2] == "<p>one</p>"
    assert ask("/_local/inbox/1")[2] == "<pre>two</pre>"
    assert [ask(f"/_local/{path}")[0] for path in ("inbox/2", "inbox/x", "other")] == [404, 404, 404]
    assert passed_on == []


def test_the_record_of_calls_is_json(passed_on: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    call_record = CallRecord()
    call_record.add(RecordedCall("me", "s3:GetObject", "arn:x", allowed=True))
    monkeypatch.setattr(ministack, "call_record", call_record)
    call = {"principal": "me", "action": "s3:GetObject", "resource": "arn:x", "allowed": True}
    assert json.loads(ask("/_local/calls")[2]) == [call]


def test_the_public_address_leads_to_the_default_stage_of_the_api(passed_on: list[dict[str, Any]]) -> None:
    ask("/public/reviews/1")
    assert passed_on[0]["path"] == "/_aws/execute-api/api1/$default/reviews/1"


def test_everything_else_comes_over_tls_and_its_life_span_untouched(
    passed_on: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ministack, "http_api_ids", list)
    ask("/bucket/key")
    ask("/public/key")
    ask("", "lifespan")
    come = [(b"host", b"127.0.0.1:4566"), (b"x-forwarded-proto", b"https")]
    assert [scope["headers"] for scope in passed_on] == [come] * 2 + [[]]


def test_the_model_servers_end_with_the_cloud() -> None:
    service = Service()
    Gateway(service).close()
    assert service.endpoints.closed


def test_the_environment_keeps_everything_on_one_port_of_the_loopback(tmp_path: Path) -> None:
    with patch.dict(os.environ):
        prepare(4711, tmp_path)
        found = {name: os.environ[name] for name in ("AUTH", "MINISTACK_HOST", "GATEWAY_PORT", "AWS_ENDPOINT_URL")}
    assert found == {
        "AUTH": "true",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": "4711",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4711",
    }
    assert 1024 < free_port() < 65536


def test_of_the_persons_shell_nothing_is_inherited_but_how_programs_run(tmp_path: Path) -> None:
    person = {"PATH": "/bin", "LANG": "de_DE.UTF-8", "HOME": "/home/ann", "GITHUB_TOKEN": "t", "AWS_PROFILE": "mine"}
    with patch.dict(os.environ, person, clear=True):
        prepare(4711, tmp_path)
        found = dict(os.environ)
    assert (found["PATH"], found["LANG"], found["HOME"]) == ("/bin", "de_DE.UTF-8", str(tmp_path))
    assert {"GITHUB_TOKEN", "AWS_PROFILE"}.isdisjoint(found)


def test_the_owners_secret_is_given_or_new_at_each_start_and_never_known_beforehand(tmp_path: Path) -> None:
    secrets = []
    for given in ({KEY_VARIABLE: "given"}, {}, {}, {"AWS_SECRET_ACCESS_KEY": "guessed"}):
        with patch.dict(os.environ, given, clear=True):
            prepare(4711, tmp_path)
            secrets.append(os.environ["AWS_SECRET_ACCESS_KEY"])
            assert KEY_VARIABLE not in os.environ
    assert secrets[0] == "given"
    assert len(set(secrets)) == len(secrets)
    assert "guessed" not in secrets


@pytest.mark.parametrize(("repeat", "count"), [(0.0, 1), (1.0, 2)])
def test_an_event_is_sent_once_or_on_demand_twice(monkeypatch: pytest.MonkeyPatch, repeat: float, count: int) -> None:
    put: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ministack, "put_event", lambda *event: put.append(event))
    events.BusEvents(ACCOUNT, REGION, repeat).send("kind", ["arn"], {"a": 1})
    assert put == [("aws.sagemaker", "kind", ["arn"], {"a": 1})] * count


def test_the_chance_of_a_second_event_is_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    def counts() -> list[int]:
        put: list[int] = []
        monkeypatch.setattr(ministack, "put_event", lambda *event: put.append(event[3]["n"]))
        bus = events.BusEvents(ACCOUNT, REGION, 0.5, seed=3)
        for number in range(20):
            bus.send("kind", [], {"n": number})
        return put

    assert 20 < len(counts()) < 40
    assert counts() == counts()


def test_a_bus_that_fails_is_told_in_the_log_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ConnectionError("no bus")

    monkeypatch.setattr(ministack, "put_event", broken)
    events.BusEvents(ACCOUNT, REGION).send("kind", ["arn"], {})
    assert "an event was lost: kind ['arn']" in caplog.text


ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize(
    ("document", "trusted"),
    [
        (None, False),
        ({}, False),
        ({"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}, True),
        ({"Statement": [{"Effect": "Allow", "Principal": {"Service": ["x", "sagemaker.amazonaws.com"]}}]}, True),
        ({"Statement": [{"Effect": "Deny", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}, False),
        ({"Statement": [{"Effect": "Allow", "Principal": "*"}]}, False),
        ({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn"}}]}, False),
    ],
)
def test_a_role_has_to_trust_sagemaker(
    monkeypatch: pytest.MonkeyPatch, document: dict[str, Any] | None, trusted: bool
) -> None:
    monkeypatch.setattr(ministack, "trust_policy", lambda _: document)
    check = access.RoleAccess("http://127.0.0.1:1", REGION).require_service_role
    if trusted:
        check(ROLE)
    else:
        with pytest.raises(ApiError, match="Could not assume role"):
            check(ROLE)


def test_a_program_and_a_client_act_as_the_role_in_this_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"}
    monkeypatch.setattr(ministack, "credentials", lambda *_: keys)
    made = access.RoleAccess("http://127.0.0.1:1", REGION)
    assert made.environment(ROLE, "s") == {
        **keys,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    client: Any = made.client("sqs", ROLE, "s")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:1", REGION)
    assert access.root_client("http://127.0.0.1:1", REGION, "sqs").meta.endpoint_url == "http://127.0.0.1:1"


def test_a_denial_is_an_access_denied_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, "you may not"])
    monkeypatch.setattr(ministack, "refusal", lambda *_: next(answers))
    made = access.RoleAccess("http://127.0.0.1:1", REGION)
    made.require("KEY", "sagemaker:ListModels", "*")
    with pytest.raises(ApiError, match="AccessDeniedException: you may not"):
        made.require("KEY", "sagemaker:ListModels", "*")


@pytest.mark.usefixtures("without_namespaces")
def test_a_cloud_whose_programs_get_no_namespaces_says_so_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    server._try_namespaces()

    assert "programs run beside each other, with paths rewritten: switched off by a test" in caplog.text
