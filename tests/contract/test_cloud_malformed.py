"""Requests that are none, sent to our cloud: each gets a refusal as AWS has them, and the cloud goes on."""

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World

PATIENCE = 20.0
JSON = "application/x-amz-json-1.1"
LIST = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": JSON}


def ask(
    cloud: World, method: str = "POST", path: str = "/", body: bytes = b"{}", headers: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str]]:
    """Send a request signed by the owner, and return status, code and what else the answer has."""
    signed = AWSRequest(method, cloud.url + path, headers or LIST, body)
    SigV4Auth(Credentials(ACCOUNT, cloud.secret), "sagemaker", REGION).add_auth(signed)
    connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=PATIENCE)
    try:
        connection.request(method, path, body, dict(signed.headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    found = json.loads(content or b"{}")
    return response.status, str(found.get("__type", "")), found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ""),
        (b"{", "SerializationException"),
        (b"no JSON", "SerializationException"),
        (b"\xff\xfe\x00", "SerializationException"),
        (b"[]", "ValidationException"),
        (b"null", "ValidationException"),
        (b'"text"', "ValidationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"a":' * 100_000, "SerializationException"),
        (b'{"MaxResults": ' + b"9" * 10_000 + b"}", "SerializationException"),
        (b'{"MaxResults": NaN}', "SerializationException"),
        (b'{"MaxResults": 1e999}', "ValidationException"),
        (b'{"NameContains": "\\ud800"}', "SerializationException"),
        (b'{"NameContains": "' + b"x" * 5_000_000 + b'"}', "ValidationException"),
        (b'{"CreationTimeAfter": "yesterday"}', "ValidationException"),
        (b'{"CreationTimeAfter": 1e300}', "ValidationException"),
        (b'{"SortBy": ["Name"]}', "ValidationException"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_no_request_is_refused(cloud: World, body: bytes, code: str) -> None:
    status, found, answer = ask(cloud, body=body)
    assert (status, found) == ((400, code) if code else (200, code)), str(answer)[:300]


@pytest.mark.parametrize("target", ["SageMaker.", "SageMaker.Nothing", "SageMaker", "SageMaker.A.B", "x" * 3_000])
def test_a_target_that_is_none_is_refused(cloud: World, target: str) -> None:
    status, code, answer = ask(cloud, headers={"X-Amz-Target": target, "Content-Type": JSON})
    assert (400 <= status < 500, bool(code)) == (True, True), answer


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "", "application/x-www-form-urlencoded", "\xff"])
def test_the_content_type_of_a_json_request_does_not_matter(cloud: World, kind: str) -> None:
    assert ask(cloud, headers={**LIST, "Content-Type": kind})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/BatchGetRecord", b'{"Identifiers": "x"}'),
        ("POST", "/BatchGetRecord", b'{"Identifiers": [1]}'),
        ("POST", "/BatchGetRecord", b"[" * 100_000),
        ("POST", "/BatchWriteRecord", b'{"Entries": {"a": 1}}'),
        ("PUT", "/FeatureGroup/g", b'{"Record": 1}'),
        ("PUT", "/FeatureGroup/" + "g" * 5_000, b"{}"),
        ("GET", "/FeatureGroup/g", b""),
        ("DELETE", "/FeatureGroup/%00", b""),
        ("POST", "/endpoints/%2e%2e/invocations", b""),
        ("POST", "/endpoints/a%20b/invocations", b""),
        ("POST", "/endpoints//invocations", b""),
        ("PATCH", "/endpoints/e/invocations", b""),
    ],
)
def test_a_run_time_request_that_is_none_is_refused(cloud: World, method: str, path: str, body: bytes) -> None:
    status, code, answer = ask(cloud, method, path, body, {"Content-Type": "application/json"})
    assert (400 <= status < 500, bool(code)) == (True, True), answer


def test_a_body_does_not_name_another_resource_than_its_path(cloud: World) -> None:
    body = b'{"FeatureGroupName": "other", "Record": []}'
    status, code, answer = ask(cloud, "PUT", "/FeatureGroup/g", body, {"Content-Type": "application/json"})
    assert (status, code) == (400, "SerializationException")
    assert "FeatureGroupName" in answer["message"]


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_connection_that_is_cut_hurts_nobody(cloud: World, sent: bytes) -> None:
    place = urlsplit(cloud.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), PATIENCE) as connection:
        connection.sendall(sent)
    assert ask(cloud)[0] == 200


@pytest.mark.parametrize("head", [b"X-A: " + b"a" * 2_000_000, b"\x00\x01\x02", b"X-A: b\r\nContent-Length: -1"])
def test_headers_that_are_none_are_answered_at_once(cloud: World, head: bytes) -> None:
    place = urlsplit(cloud.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), PATIENCE) as connection:
        try:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n")
            answer = connection.recv(100)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert ask(cloud)[0] == 200
