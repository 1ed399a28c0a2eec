"""The parts of the patches that need no ministack: what they read from documents, logs and bodies."""

from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import ministack, ministack_patches


@pytest.mark.parametrize(
    ("log", "raised"),
    [
        ("START\nTraceback (most recent call last):\n  File x\n    line\nOwnError: own words\n", "OwnError"),
        (
            "Traceback (most recent call last):\n  File x\nsignalbox.stages.StagesDocumentError: no\nEND",
            "StagesDocumentError",
        ),
        ("Traceback (most recent call last):\n  a\nValueError\n", "ValueError"),
        (
            (
                "Traceback (most recent call last):\n  a\nKeyError: 1\n\nDuring handling …:\n\n"
                "Traceback (most recent call last):\n  b\nOwnError: 2\n"
            ),
            "OwnError",
        ),
        ("nothing was raised", None),
        ("", None),
        ("Traceback (most recent call last):\n", None),
    ],
)
def test_the_class_that_was_raised_is_read_from_the_log(log: str, raised: str | None) -> None:
    assert ministack_patches.raised_class(log) == raised


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is done to the routes of an API."""
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(ministack, "clear_http_routes", lambda api: done.append(("clear", api)))
    monkeypatch.setattr(ministack, "add_http_route", lambda *route: done.append(route))
    return done


def test_a_document_makes_a_route_of_each_method_with_an_integration(routes: list[tuple[str, ...]]) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    way = {"x-amazon-apigateway-integration": {"uri": uri}}
    paths = {"/a": {"get": way, "post": {**way, "security": [{"AWS_IAM": []}]}, "options": {}}}

    ministack_patches.import_document("api", {"Body": {"paths": paths}})

    assert routes == [
        ("clear", "api"),
        ("api", "get", "/a", function, "NONE"),
        ("api", "post", "/a", function, "AWS_IAM"),
    ]


def test_an_api_without_a_document_keeps_its_routes(routes: list[tuple[str, ...]]) -> None:
    ministack_patches.import_document("api", {"Name": "x"})
    assert routes == []


@pytest.mark.parametrize(
    ("query", "body", "found"),
    [
        ({"AlarmNames.member.1": ["a"]}, b"", "alarm:a"),
        ({"AlarmNames.member.1": "a"}, b"", "alarm:a"),
        ({}, b'{"AlarmNames": ["a", "b"]}', "alarm:a"),
        ({}, b'{"AlarmNames": []}', None),
        ({}, b"\xa0", None),
        ({}, b"[]", None),
    ],
)
def test_alarms_are_found_in_the_query_and_in_json(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], body: bytes, found: str | None
) -> None:
    finders: list[Any] = []
    monkeypatch.setattr(ministack, "name_resource", lambda _, find: finders.append(find))
    ministack_patches.decide_alarms_by_their_names()
    assert finders[0](query, body) == found


@pytest.mark.parametrize(
    ("path", "body", "found"),
    [
        ("/v2/email/outbound-emails", b'{"FromEmailAddress": "Me <me@example.com>"}', "identity/me@example.com"),
        ("/v2/email/outbound-emails/", b'{"FromEmailAddress": "me@example.com"}', "identity/me@example.com"),
        ("/v2/email/outbound-emails", b"{}", None),
        ("/v2/email/outbound-emails", b"{", None),
        ("/v2/email/identities", b'{"FromEmailAddress": "me@example.com"}', None),
    ],
)
def test_the_sender_of_a_mail_is_found(
    monkeypatch: pytest.MonkeyPatch, path: str, body: bytes, found: str | None
) -> None:
    finders: list[Any] = []
    monkeypatch.setattr(ministack, "name_ses_resource", finders.append)
    ministack_patches.decide_mails_by_their_sender()
    assert finders[0](path, body) == found
