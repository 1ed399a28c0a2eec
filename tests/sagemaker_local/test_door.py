"""The door: browsers that ask on behalf of other pages stay outside, programs and the cloud's own pages come in."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from sagemaker_local.door import api_of, refusal, without_leave

HOST = "127.0.0.1:4566"


def refused(host: str = HOST, *, public: bool = False, **given: str) -> str | None:
    headers = {"host": host, **{name.replace("_", "-"): value for name, value in given.items()}}
    return refusal([(name.encode(), value.encode()) for name, value in headers.items()], public=public)


@pytest.mark.parametrize(
    "host", [HOST, "127.0.0.1", "localhost:4566", "[::1]:4566", "bucket.localhost:4566", "LOCALHOST:80"]
)
def test_a_program_that_names_this_machine_comes_in(host: str) -> None:
    assert refused(host) is None
    assert refused(host, public=True) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:4566",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "[",
        "0.0.0.0:4566",
    ],
)
def test_a_name_that_somebody_elses_dns_points_here_gets_nothing(host: str) -> None:
    assert "answers to 127.0.0.1 and localhost only" in str(refused(host))
    assert refused(host, public=True) == refused(host)


def test_an_apis_name_on_aws_comes_in_if_the_api_is_here() -> None:
    def api(host: str) -> str | None:
        return api_of([(b"host", host.encode())], "us-east-1", ["abc"])

    assert [api(f"abc.execute-api.us-east-1.amazonaws.com{port}") for port in ("", ":443")] == ["abc"] * 2
    for host in (
        "other.execute-api.us-east-1.amazonaws.com",
        "abc.execute-api.eu-west-1.amazonaws.com",
        "abc.execute-api.us-east-1.amazonaws.com.evil.example",
        "evil.abc.execute-api.us-east-1.amazonaws.com",
        "abc.execute-api.evil.example",
        "abc",
        "",
    ):
        assert api(host) is None
    assert refusal([(b"host", b"abc.execute-api.us-east-1.amazonaws.com")], public=True, named=True) is None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:8888", "http://localhost:4566", "null", "file://", "http://127.0.0.1"],
)
def test_a_page_of_another_origin_comes_in_to_what_is_public_only(origin: str) -> None:
    assert refused(origin=origin) == f"a page of {origin} may ask the local cloud for nothing"
    assert refused(origin=origin, public=True) is None


def test_the_clouds_own_pages_come_in() -> None:
    assert refused(origin=f"http://{HOST}", sec_fetch_site="same-origin", sec_fetch_mode="cors") is None
    assert refused(sec_fetch_site="none", sec_fetch_mode="navigate") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pictures_and_scripts_of_other_pages_are_refused_and_a_link_is_followed(site: str) -> None:
    assert "another site" in str(refused(sec_fetch_site=site, sec_fetch_mode="no-cors"))
    assert refused(sec_fetch_site=site, sec_fetch_mode="navigate") is None


def test_no_answer_gives_a_page_leave_to_read_it() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def answer() -> None:
        named = [(b"Access-Control-Allow-Origin", b"*"), (b"content-type", b"text/plain")]
        await without_leave(send)({"type": "http.response.start", "status": 200, "headers": named})
        await without_leave(send)({"type": "http.response.body", "body": b"x"})

    asyncio.run(answer())
    assert [message.get("headers") for message in sent] == [[(b"content-type", b"text/plain")], None]
