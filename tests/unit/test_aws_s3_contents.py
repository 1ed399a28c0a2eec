"""The object store's listings, lines and texts: the same tests over moto's S3 and over the one that remembers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.objects import RememberedObjects

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore


@dataclass(frozen=True)
class World:
    """A store over one of the two, and how to put something there behind its back."""

    store: ObjectStore
    put: Callable[[str, bytes], Any]


@pytest.fixture(params=["moto", "remembered"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "remembered":
        objects = RememberedObjects({"s3://artifacts/other": "something else"})
        yield World(objects.store, lambda key, body: objects.texts.update({f"s3://artifacts/{key}": body.decode()}))
        return
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        yield World(ObjectStore(client), lambda key, body: client.put_object(Bucket="artifacts", Key=key, Body=body))


def test_objects_are_listed_beyond_one_page_in_order_of_keys(world: World) -> None:
    for number in (4, 2, 0, 1, 3):
        world.put(f"transforms/run-1/{number}.csv.out", b"x" * number)
    listed = list(world.store.listing("s3://artifacts/transforms/run-1/"))
    assert [item.uri for item in listed] == [f"s3://artifacts/transforms/run-1/{n}.csv.out" for n in range(5)]
    assert [item.size for item in listed] == [0, 1, 2, 3, 4]
    assert all(isinstance(item.modified, datetime) and item.modified.tzinfo for item in listed)


def test_a_prefix_without_objects_and_a_bucket_that_does_not_exist_list_nothing(world: World) -> None:
    assert list(world.store.listing("s3://artifacts/nothing/")) == []
    assert list(world.store.listing("s3://no-such-bucket/nothing/")) == []


def test_lines_are_read_with_their_ends_from_keys_of_any_spelling(world: World) -> None:
    world.put("a ?+#.out", "1,é,2\r\n3,b,4".encode())
    assert list(world.store.lines("s3://artifacts/a ?+#.out")) == ["1,é,2\r\n", "3,b,4"]


def test_what_was_written_is_read_again_and_what_was_not_is_none(world: World) -> None:
    world.store.write("s3://artifacts/report.json", '{"a": "é"}', "application/json")
    assert world.store.text("s3://artifacts/report.json") == '{"a": "é"}'
    assert world.store.text("s3://artifacts/gone.json") is None
    assert world.store.text("s3://nowhere-at-all/gone.json") is None


def test_a_byte_that_is_no_utf_8_spoils_its_own_cell_only() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        client.put_object(Bucket="artifacts", Key="a.out", Body=b"1,\xff,2\r\n3,b,4")
        assert list(ObjectStore(client).lines("s3://artifacts/a.out")) == ["1,\ufffd,2\r\n", "3,b,4"]


def test_an_object_is_written_with_its_content_type() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        ObjectStore(client).write("s3://artifacts/report.json", "{}", "application/json")
        assert client.head_object(Bucket="artifacts", Key="report.json")["ContentType"] == "application/json"


def test_a_refusal_is_not_taken_for_something_missing() -> None:
    refused = client_error("AccessDenied")
    client: Any = RecordingClient("s3", {"get_object": refused, "list_objects_v2": refused})
    store = ObjectStore(client)
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        store.text("s3://artifacts/report.json")
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        list(store.lines("s3://artifacts/report.json"))
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        list(store.listing("s3://artifacts/reports/"))
