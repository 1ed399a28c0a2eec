"""Objects in S3, against moto."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3() -> "Iterator[S3Client]":
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="data")
        yield client


@pytest.fixture
def objects(s3: "S3Client") -> ObjectStore:
    return ObjectStore(s3)


def refusing(code: str) -> ObjectStore:
    operations = ("get_object", "list_objects_v2", "head_object", "put_object")
    client: Any = RecordingClient("s3", {operation: client_error(code) for operation in operations})
    return ObjectStore(client)


def test_a_text_is_read_back_as_it_was_written(objects: ObjectStore, s3: "S3Client") -> None:
    objects.write("s3://data/a b/ü.json", "größer", "application/json")
    assert objects.text("s3://data/a b/ü.json") == "größer"
    assert s3.head_object(Bucket="data", Key="a b/ü.json")["ContentType"] == "application/json"


def test_what_is_not_there_is_none(objects: ObjectStore) -> None:
    assert objects.text("s3://data/none") is None
    assert objects.text("s3://no-such-bucket/none") is None
    assert objects.look("data", "none") is None
    assert list(objects.listing("s3://no-such-bucket/none")) == []


def test_a_version_is_read_as_it_was_and_is_none_once_it_is_gone(objects: ObjectStore, s3: "S3Client") -> None:
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    first, second = (s3.put_object(Bucket="data", Key="text", Body=body)["VersionId"] for body in (b"1", b"2"))
    assert [objects.text("s3://data/text", version=one) for one in (first, second, None)] == ["1", "2", "2"]
    s3.delete_object(Bucket="data", Key="text", VersionId=first)
    assert objects.text("s3://data/text", version=first) is None


def test_an_object_is_read_up_to_its_readers_limit(objects: ObjectStore) -> None:
    objects.write("s3://data/text", "12345", "text/plain")
    assert objects.text("s3://data/text", limit=5) == "12345"
    with pytest.raises(ObjectTooLargeError, match="s3://data/text has 5 bytes, and at most 4 are read"):
        objects.text("s3://data/text", limit=4)


def test_bytes_that_are_no_text_spoil_only_themselves(objects: ObjectStore, s3: "S3Client") -> None:
    s3.put_object(Bucket="data", Key="text", Body=b"a,\xff\nb,2\n")
    assert objects.text("s3://data/text") == "a,\ufffd\nb,2\n"
    assert list(objects.lines("s3://data/text")) == ["a,\ufffd\n", "b,2\n"]


def test_lines_keep_their_ends_and_the_last_may_have_none(objects: ObjectStore) -> None:
    objects.write("s3://data/text", "a\n\nb", "text/plain")
    assert list(objects.lines("s3://data/text")) == ["a\n", "\n", "b"]


def test_a_listing_has_every_object_of_every_page_in_order(objects: ObjectStore, s3: "S3Client") -> None:
    for number in range(1001):
        s3.put_object(Bucket="data", Key=f"in/{number:04}", Body=b"12")
    s3.put_object(Bucket="data", Key="other", Body=b"")
    found = list(objects.listing("s3://data/in/"))
    assert [one.uri for one in found] == [f"s3://data/in/{number:04}" for number in range(1001)]
    assert {one.size for one in found} == {2}
    assert found[0].modified.tzinfo is not None


def test_an_object_is_looked_at_without_being_read(objects: ObjectStore, s3: "S3Client") -> None:
    objects.write("s3://data/text", "12345", "text/plain")
    found = objects.look("data", "text")
    assert found is not None
    assert (found.version, found.size, found.etag) == (None, 5, "827ccb0eea8a706c4c34a16891f84e7b")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="data", Key="text", Body=b"1")["VersionId"]
    again = objects.look("data", "text")
    assert again is not None
    assert again.version == version


def test_a_version_where_versioning_is_suspended_is_none() -> None:
    head = {"VersionId": "null", "ETag": '"e"', "ContentLength": 1, "LastModified": "2026-03-01T10:20:00Z"}
    client: Any = RecordingClient("s3", {"head_object": head})
    found = ObjectStore(client).look("data", "text")
    assert found is not None
    assert found.version is None


@pytest.mark.parametrize(("code", "kind"), [("SlowDown", ServiceBusyError), ("AccessDenied", CallRefusedError)])
def test_every_refusal_is_ours_and_names_the_object(code: str, kind: type[Exception]) -> None:
    store = refusing(code)
    with pytest.raises(kind, match=f"s3:GetObject of s3://data/text.*{code}"):
        store.text("s3://data/text")
    with pytest.raises(kind, match="s3:GetObject of s3://data/text"):
        list(store.lines("s3://data/text"))
    with pytest.raises(kind, match="s3:ListObjectsV2 of s3://data/in/"):
        list(store.listing("s3://data/in/"))
    with pytest.raises(kind, match="s3:HeadObject of s3://data/text"):
        store.look("data", "text")
    with pytest.raises(kind, match="s3:PutObject of s3://data/text"):
        store.write("s3://data/text", "", "text/plain")


def test_lines_of_what_is_not_there_are_an_error(objects: ObjectStore) -> None:
    with pytest.raises(CallRefusedError, match="NoSuchKey"):
        list(objects.lines("s3://data/none"))


@pytest.mark.parametrize("uri", ["", "data/text", "https://data/text", "s3://"])
def test_what_names_no_object_is_refused(objects: ObjectStore, uri: str) -> None:
    with pytest.raises(ValueError, match="s3"):
        objects.text(uri)
