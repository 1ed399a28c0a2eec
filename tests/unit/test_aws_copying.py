"""Copies of objects, against moto."""

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from signalbox.aws.copying import ObjectCopier
from signalbox.aws.errors import CallRefusedError

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


def test_nothing_is_copied_where_nothing_is(s3: "S3Client") -> None:
    assert ObjectCopier(s3).copy("s3://artifacts/none", "s3://artifacts/packages/none") is None


def test_a_copy_to_a_bucket_that_is_not_there_is_refused(s3: "S3Client") -> None:
    s3.put_object(Bucket="artifacts", Key="a", Body=b"a")

    with pytest.raises(CallRefusedError, match="s3://elsewhere/a"):
        ObjectCopier(s3).copy("s3://artifacts/a", "s3://elsewhere/a")
