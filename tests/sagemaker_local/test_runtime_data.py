"""What jobs download and upload: prefixes, manifests, compression, archives, and what goes wrong."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import ROLE, tar_gz, untar

from sagemaker_local.runtime import archive, data
from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

OBJECTS = {
    "in/train/": "",
    "in/train/a.csv": "a",
    "in/train/deep/b.csv": "b",
    "in/train.csv": "c",
    "in/training/d.csv": "d",
}


@pytest.fixture(params=["fake", "moto"])
def s3(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    """The fake and moto's S3, each with the same objects: the fake is only worth what it has in common with S3."""
    if request.param == "fake":
        yield FakeS3({f"s3://data/{key}": body for key, body in OBJECTS.items()}).client
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="data")
        for key, body in OBJECTS.items():
            client.put_object(Bucket="data", Key=key, Body=body.encode())
        yield client


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://data/in/train/", {"a.csv": "a", "deep/b.csv": "b"}),
        ("s3://data/in/train.csv", {"train.csv": "c"}),
        # A prefix is no folder: it also matches names that go on behind it, as on AWS.
        ("s3://data/in/train", {"a.csv": "a", "deep/b.csv": "b", "train.csv": "c", "training/d.csv": "d"}),
        (
            "s3://data",
            {"in/train/a.csv": "a", "in/train/deep/b.csv": "b", "in/train.csv": "c", "in/training/d.csv": "d"},
        ),
    ],
)
def test_all_objects_under_a_prefix_arrive_with_their_relative_paths(
    s3: S3Client, tmp_path: Path, uri: str, expected: dict[str, str]
) -> None:
    assert data.download(s3, data.Source(uri), tmp_path / "d") == len(expected)
    assert files(tmp_path / "d") == expected


def test_a_manifest_names_the_objects(s3: S3Client, tmp_path: Path) -> None:
    manifest = [{"prefix": "s3://data/in/"}, "train/a.csv", "training/d.csv"]
    s3.put_object(Bucket="data", Key="manifests/1.json", Body=json.dumps(manifest).encode())

    data.download(s3, data.Source("s3://data/manifests/1.json", "ManifestFile"), tmp_path / "d")

    assert files(tmp_path / "d") == {"train/a.csv": "a", "training/d.csv": "d"}


def test_a_prefix_without_objects_is_an_error_in_the_words_of_aws(s3: S3Client, tmp_path: Path) -> None:
    with pytest.raises(ContainerError) as raised:
        data.download(s3, data.Source("s3://data/nothing/", role=ROLE), tmp_path / "d")

    assert str(raised.value).startswith(
        'ClientError: Data download failed: No S3 objects found under S3 URL "s3://data/nothing/"'
    )
    assert ROLE in str(raised.value)


def test_a_missing_object_of_a_manifest_is_named(s3: S3Client, tmp_path: Path) -> None:
    s3.put_object(Bucket="data", Key="m", Body=b'[{"prefix": "s3://data/in/"}, "gone.csv"]')

    with pytest.raises(ContainerError, match=r"s3://data/in/gone\.csv.*NoSuchKey"):
        data.download(s3, data.Source("s3://data/m", "ManifestFile"), tmp_path / "d")


def test_a_folder_goes_up_with_its_relative_paths(s3: S3Client, tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "x").write_text("1")

    assert data.upload(s3, tmp_path / "out", "s3://data/results/") == 1
    assert s3.get_object(Bucket="data", Key="results/deep/x")["Body"].read() == b"1"


@pytest.mark.parametrize("text", ["{}", "no json", "[]", '[{"prefix": "http://x/"}, "a"]', '[{"prefix": 1}]', "[1, 2]"])
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    s3 = FakeS3({"s3://data/m": text})

    with pytest.raises(ContainerError, match="ClientError"):
        data.download(s3.client, data.Source("s3://data/m", "ManifestFile"), tmp_path / "d")


def test_an_augmented_manifest_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="AugmentedManifestFile is not emulated"):
        data.download(FakeS3().client, data.Source("s3://data/m", "AugmentedManifestFile"), tmp_path)


def test_a_denied_bucket_names_the_role_and_what_s3_said(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/x": "1"})
    s3.denied.add("data")

    with pytest.raises(ContainerError, match=rf'role "{ROLE}".*AccessDenied'):
        data.download(s3.client, data.Source("s3://data/x", role=ROLE), tmp_path)
    with pytest.raises(ContainerError, match=r"Failed to upload to s3://data/y.*AccessDenied"):
        data.write(s3.client, b"", "s3://data/y")


def test_gzipped_objects_arrive_unpacked(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/x.csv.gz": gzip.compress(b"1,2")})

    data.download(s3.client, data.Source("s3://data/x.csv.gz", gzip=True), tmp_path / "d")

    assert files(tmp_path / "d") == {"x.csv": "1,2"}


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"1,2")[:-9]], ids=["plain", "cut short"])
def test_what_is_said_to_be_gzip_and_is_not_is_an_error(tmp_path: Path, body: bytes) -> None:
    s3 = FakeS3({"s3://data/x": body})

    with pytest.raises(ContainerError, match="s3://data/x"):
        data.download(s3.client, data.Source("s3://data/x", gzip=True), tmp_path / "d")


def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/in/../../evil": "1"})

    with pytest.raises(ContainerError, match="leads out of its folder"):
        data.download(s3.client, data.Source("s3://data/in/"), tmp_path / "a" / "b")
    assert not (tmp_path / "evil").exists()


def test_what_is_no_s3_uri_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="is not an S3 URI"):
        data.download(FakeS3().client, data.Source("https://data/x"), tmp_path)


def test_the_same_files_make_the_same_archive_with_contents_at_its_root(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "code").mkdir(parents=True)
        (tmp_path / name / "model.bin").write_bytes(b"m")
        (tmp_path / name / "code" / "inference.py").write_text("x")

    packed = [archive.pack(tmp_path / name, tmp_path / f"{name}.tar.gz").read_bytes() for name in ("one", "two")]

    assert packed[0] == packed[1]
    assert untar(packed[0]) == {"model.bin": b"m", "code/inference.py": b"x"}


@pytest.mark.parametrize("body", [b"no archive", b"", tar_gz({"../evil": "x"})], ids=["text", "nothing", "leads out"])
def test_an_archive_that_is_none_or_leads_out_of_its_folder_is_refused(tmp_path: Path, body: bytes) -> None:
    s3 = FakeS3({"s3://data/model.tar.gz": body})

    with pytest.raises(ContainerError, match=r"s3://data/model\.tar\.gz is not a tar\.gz archive"):
        archive.fetch_and_unpack(s3.client, "s3://data/model.tar.gz", tmp_path / "a" / "model")
    assert not (tmp_path / "a" / "evil").exists()


def test_an_absolute_path_in_an_archive_stays_inside_the_folder(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/model.tar.gz": tar_gz({"/evil": "x"})})

    archive.fetch_and_unpack(s3.client, "s3://data/model.tar.gz", tmp_path / "model")

    assert files(tmp_path / "model") == {"evil": "x"}
