"""The metadata service of an instance: tokens, credentials that are renewed, and who gets nothing."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from sagemaker_local.lifecycle.credentials import RoleCredentials
from sagemaker_local.notebooks.metadata import InstanceFacts, MetadataService

ROLE = "arn:aws:iam::123456789012:role/team/ana"
KEYS = "/latest/meta-data/iam/security-credentials"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sessions:
    """Makes credentials that count, at a time that a test sets."""

    def __init__(self) -> None:
        self.made = 0
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def make(self, _seconds: float) -> dict[str, str]:
        """Return the next ones."""
        self.made += 1
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return {name: f"{name} {self.made}" for name in names}


@pytest.fixture
def sessions() -> Sessions:
    """Sessions of a role."""
    return Sessions()


@pytest.fixture
def services(sessions: Sessions) -> Iterator[dict[str, MetadataService]]:
    """The services of an instance that takes version 1, and of one that does not."""
    made = {}
    for name in ("1", "2"):
        facts = InstanceFacts("123456789012", "eu-west-1", "ml.t3.medium", ROLE, needs_token=name == "2")
        made[name] = MetadataService(facts, RoleCredentials(sessions.make, 3600, lambda: sessions.now))
    yield made
    for service in made.values():
        service.close()


def ask(service: MetadataService, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(service.url + path, method=method, headers=named)  # noqa: S310  # its own address
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def token(service: MetadataService, seconds: str = "60") -> str:
    return ask(service, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=seconds)[1]


def test_credentials_are_those_of_the_instances_role_with_and_without_a_token(
    services: Mapping[str, MetadataService],
) -> None:
    service = services["1"]
    assert ask(service, f"{KEYS}/") == (200, "ana")
    status, text = ask(service, f"{KEYS}/ana", X_aws_ec2_metadata_token=token(service))
    assert status == 200
    assert json.loads(text) == {
        "Code": "Success",
        "LastUpdated": "2026-11-20T12:00:00Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": "AWS_ACCESS_KEY_ID 1",
        "SecretAccessKey": "AWS_SECRET_ACCESS_KEY 1",
        "Token": "AWS_SESSION_TOKEN 1",
        "Expiration": "2026-11-20T13:00:00Z",
    }


def test_an_instance_of_version_2_answers_nobody_without_a_token(services: Mapping[str, MetadataService]) -> None:
    service = services["2"]
    assert ask(service, f"{KEYS}/ana") == (401, "")
    assert ask(service, f"{KEYS}/ana", X_aws_ec2_metadata_token=token(services["1"])) == (401, "")
    assert ask(service, f"{KEYS}/", X_aws_ec2_metadata_token=token(service)) == (200, "ana")


@pytest.mark.parametrize("seconds", ["", "0", "21601", "1.5", "-1"])
def test_a_token_of_no_time_or_of_too_long_a_time_is_refused(
    services: Mapping[str, MetadataService], seconds: str
) -> None:
    headers = {"X_aws_ec2_metadata_token_ttl_seconds": seconds} if seconds else {}
    assert ask(services["2"], "/latest/api/token", "PUT", **headers) == (400, "")


def test_credentials_stay_the_same_until_a_quarter_of_their_time_is_left(
    services: Mapping[str, MetadataService], sessions: Sessions
) -> None:
    def key() -> str:
        return str(json.loads(ask(services["1"], f"{KEYS}/ana")[1])["AccessKeyId"])

    first = key()
    sessions.now += timedelta(seconds=2699)
    assert key() == first
    sessions.now += timedelta(seconds=1)
    assert key() != first


def test_region_zone_and_identity_are_the_instances(services: Mapping[str, MetadataService]) -> None:
    service = services["1"]
    assert ask(service, "/latest/meta-data/placement/region") == (200, "eu-west-1")
    assert ask(service, "/latest/meta-data/placement/availability-zone") == (200, "eu-west-1a")
    identity = json.loads(ask(service, "/latest/dynamic/instance-identity/document")[1])
    assert (identity["region"], identity["accountId"]) == ("eu-west-1", "123456789012")
    assert ask(service, "/latest/meta-data/instance-id") == (200, identity["instanceId"])


@pytest.mark.parametrize("path", ["/", "/latest/meta-data/iam/security-credentials/other", "/latest/user-data"])
def test_what_is_not_there_is_not_found(services: Mapping[str, MetadataService], path: str) -> None:
    assert ask(services["1"], path) == (404, "")


def test_a_page_under_another_name_and_a_proxy_get_nothing(services: Mapping[str, MetadataService]) -> None:
    service = services["1"]
    assert ask(service, f"{KEYS}/ana", Host="evil.example") == (403, "")
    seconds = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
    assert ask(service, "/latest/api/token", "PUT", Host="evil.example", **seconds) == (403, "")
    assert ask(service, "/latest/api/token", "PUT", X_Forwarded_For="10.0.0.1", **seconds) == (403, "")
    assert ask(service, "/latest/api/other", "PUT", **seconds) == (404, "")
