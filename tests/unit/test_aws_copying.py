"""Copies of objects, against moto."""

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from signalbox.aws import copying
from signalbox.aws.copying import ObjectCopier, UnfitPrefixError
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

MIB = 1024**2


@pytest.fixture
def s3() -> "Iterator[S3Client]":
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        client.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.mark.parametrize("part", [64 * MIB, 5 * MIB])
def test_a_copy_has_the_same_content_and_is_named_by_its_version(s3: "S3Client", part: int) -> None:
    content = b"0123456789abcdef" * (11 * MIB // 16)
    s3.put_object(Bucket="artifacts", Key="training/model.tar.gz", Body=content)

    copy = ObjectCopier(s3, part).copy("s3://artifacts/training/model.tar.gz", "s3://artifacts/packages/model.tar.gz")

    assert copy is not None
    found = s3.get_object(Bucket="artifacts", Key="packages/model.tar.gz")
    assert found["Body"].read() == content
    assert (found["VersionId"], found["ETag"].strip('"')) == (copy.version, copy.etag)


@pytest.mark.parametrize(("part", "operation"), [(64 * MIB, "CopyObject"), (5 * MIB, "UploadPartCopy")])
def test_s3_is_asked_to_refuse_a_copy_of_another_content_than_was_found(
    s3: "S3Client", part: int, operation: str
) -> None:
    etag = s3.put_object(Bucket="artifacts", Key="training/model.tar.gz", Body=bytes(11 * MIB))["ETag"]
    asked: list[object] = []
    s3.meta.events.register(
        f"provide-client-params.s3.{operation}", lambda params, **_: asked.append(params.get("CopySourceIfMatch"))
    )

    copy = ObjectCopier(s3, part).copy("s3://artifacts/training/model.tar.gz", "s3://artifacts/packages/model.tar.gz")

    assert copy is not None
    assert set(asked) == {etag}


def test_nothing_is_copied_where_nothing_is(s3: "S3Client") -> None:
    assert ObjectCopier(s3).copy("s3://artifacts/none", "s3://artifacts/packages/none") is None


def test_a_copy_to_a_bucket_that_is_not_there_is_refused(s3: "S3Client") -> None:
    s3.put_object(Bucket="artifacts", Key="a", Body=b"a")

    with pytest.raises(CallRefusedError, match="s3://elsewhere/a"):
        ObjectCopier(s3).copy("s3://artifacts/a", "s3://elsewhere/a")


def put(s3: "S3Client", **objects: bytes) -> None:
    for name, body in objects.items():
        s3.put_object(Bucket="artifacts", Key=f"training/model/{name}", Body=body)


SOURCE, TARGET = "s3://artifacts/training/model/", "s3://artifacts/packages/run-1/0/"


def test_what_lies_under_a_prefix_is_copied_as_one_content_that_a_later_look_finds_again(s3: "S3Client") -> None:
    put(s3, weights=b"1" * 7, config=b"{}")

    copy = ObjectCopier(s3).copy_under(SOURCE, TARGET)

    assert copy is not None
    look = ObjectStore(s3).look_under
    kept, source = look(TARGET), look(SOURCE)
    assert kept is not None
    assert source is not None
    assert (copy.uri, copy.version, copy.etag, copy.source_etag) == (TARGET, None, kept.etag, source.etag)
    assert s3.get_object(Bucket="artifacts", Key="packages/run-1/0/weights")["Body"].read() == b"1" * 7


@pytest.mark.parametrize("change", [{"config": b"other"}, {"more": b""}])
def test_a_prefix_of_which_anything_differs_is_another_content(s3: "S3Client", change: dict[str, bytes]) -> None:
    put(s3, weights=b"1", config=b"{}")
    before = ObjectStore(s3).look_under(SOURCE)

    put(s3, **change)

    assert before is not None
    assert before != ObjectStore(s3).look_under(SOURCE)


def test_an_empty_prefix_is_no_model(s3: "S3Client") -> None:
    assert ObjectCopier(s3).copy_under(SOURCE, TARGET) is None
    assert ObjectStore(s3).look_under(SOURCE) is None


def test_a_prefix_to_which_others_write_meanwhile_is_refused(s3: "S3Client") -> None:
    put(s3, weights=b"1")
    s3.put_object(Bucket="artifacts", Key="packages/run-1/0/left-behind", Body=b"")

    with pytest.raises(UnfitPrefixError, match="was written to while it was copied"):
        ObjectCopier(s3).copy_under(SOURCE, TARGET)


def test_a_prefix_with_more_objects_than_a_model_has_is_refused(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "MOST_OBJECTS", 1)
    put(s3, weights=b"1", config=b"{}")

    with pytest.raises(UnfitPrefixError, match="holds more than 1 objects"):
        ObjectCopier(s3).copy_under(SOURCE, TARGET)
