"""The endpoint of an app's credentials: what SDKs read there, when there are new ones, and who gets nothing."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sagemaker_local.lifecycle.credentials import RoleCredentials
from sagemaker_local.studio.credentials import CredentialsService

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CountedKeys:
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
def keys() -> CountedKeys:
    """Credentials of a role."""
    return CountedKeys()


@pytest.fixture
def service(keys: CountedKeys) -> Iterator[CredentialsService]:
    """The endpoint of an app."""
    made = CredentialsService(RoleCredentials(keys.make, 3600, lambda: keys.now))
    yield made
    made.close()


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310  # its own address
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_it_answers_with_what_sdks_read_of_a_container(service: CredentialsService) -> None:
    status, text = ask(service.address)
    found = json.loads(text)
    assert status == 200
    assert {name: found[name] for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")} == {
        "AccessKeyId": "AWS_ACCESS_KEY_ID 1",
        "SecretAccessKey": "AWS_SECRET_ACCESS_KEY 1",
        "Token": "AWS_SESSION_TOKEN 1",
        "Expiration": "2026-11-20T13:00:00Z",
    }


def test_there_are_new_ones_before_the_old_ones_end(service: CredentialsService, keys: CountedKeys) -> None:
    keys.now += timedelta(minutes=44)
    ask(service.address)
    keys.now += timedelta(minutes=46)
    assert json.loads(ask(service.address)[1])["Token"] == "AWS_SESSION_TOKEN 2"


@pytest.mark.parametrize("path", ["", "/", "/_sagemaker-instance-credentials/guessed"])
def test_nothing_is_said_on_a_path_that_was_guessed(service: CredentialsService, path: str) -> None:
    assert ask(f"{service.url}{path}") == (404, "")
    assert ask(service.address, "PUT") == (404, "")


def test_a_page_that_goes_by_another_hosts_name_gets_nothing(service: CredentialsService, keys: CountedKeys) -> None:
    assert ask(service.address, Host="rebound.example") == (403, "")
    assert keys.made == 0
