"""The small `aws` of lifecycle scripts: what it stands in for, and what it says of everything else."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local.lifecycle import aws_cli

ARN = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/n"


class Body(io.BytesIO):
    """The body of an object."""

    def iter_chunks(self) -> list[bytes]:
        """Return its parts."""
        return [self.read(2), self.read()]


class Pages:
    """Tags on two pages."""

    def paginate(self, **asked: str) -> list[dict[str, Any]]:
        """Return the pages."""
        assert asked == {"ResourceArn": ARN}
        return [{"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": [{"Key": "b", "Value": "2"}]}]


class Clients:
    """S3 and SageMaker at once; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def get_object(self, **asked: str) -> dict[str, Any]:
        """Return an object, or refuse one that is not there."""
        self.asked.append(tuple(asked.items()))
        if asked["Key"] == "none":
            raise KeyError("NoSuchKey")
        return {"Body": Body(b"text"), "ETag": "e", "ResponseMetadata": {}}

    def download_file(self, *asked: str) -> None:
        """Remember what is downloaded."""
        self.asked.append(("down", *asked))

    def upload_file(self, *asked: str) -> None:
        """Remember what is uploaded."""
        self.asked.append(("up", *asked))

    def get_paginator(self, operation: str) -> Pages:
        """Return the pages of tags."""
        assert operation == "list_tags"
        return Pages()

    def add_tags(self, **asked: Any) -> dict[str, Any]:
        """Return the tags that were added."""
        assert asked["ResourceArn"] == ARN
        return {"Tags": asked["Tags"]}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The services that are asked."""
    made = Clients()
    monkeypatch.setattr(aws_cli, "_client", lambda _service: made)
    return made


@pytest.mark.usefixtures("clients")
def test_an_object_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["s3api", "get-object", "--bucket", "b", "--key", "k", str(tmp_path / "out")]
    assert aws_cli.main(words) == 0
    assert (tmp_path / "out").read_text() == "text"
    assert json.loads(capsys.readouterr().out) == {"ETag": "e"}


def test_an_object_is_asked_for_with_its_version_and_its_owner(clients: Clients, tmp_path: Path) -> None:
    words = ["--bucket", "b", "--key", "k", "--version-id", "v", "--expected-bucket-owner", "1", str(tmp_path / "out")]
    assert aws_cli.main(["s3api", "get-object", *words]) == 0
    assert clients.asked == [(("Bucket", "b"), ("Key", "k"), ("VersionId", "v"), ("ExpectedBucketOwner", "1"))]


def test_one_object_is_copied_down_or_up_and_named_by_its_file_in_a_folder(clients: Clients, tmp_path: Path) -> None:
    folder = str(tmp_path)
    for source, target in (
        ("s3://b/p/k.pyz", "./w.pyz"),
        ("s3://b/p/k.pyz", folder),
        ("w.log", "s3://b/p/x"),
        ("a/w.log", "s3://b/p/"),
        ("w.log", "s3://b"),
    ):
        assert aws_cli.main(["s3", "cp", source, target, "--quiet"]) == 0
    assert clients.asked == [
        ("down", "b", "p/k.pyz", "w.pyz"),
        ("down", "b", "p/k.pyz", f"{folder}/k.pyz"),
        ("up", "w.log", "b", "p/x"),
        ("up", "a/w.log", "b", "p/w.log"),
        ("up", "w.log", "b", "w.log"),
    ]


@pytest.mark.usefixtures("clients")
def test_all_tags_of_all_pages_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert aws_cli.main(["sagemaker", "list-tags", "--resource-arn", ARN]) == 0
    assert json.loads(capsys.readouterr().out) == {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    "words",
    [
        ["Key=a,Value=1,2=3", "Key=b,Value="],
        ['[{"Key": "a", "Value": "1,2=3"}, {"Key": "b", "Value": ""}]'],
        ['{"Key": "a", "Value": "1,2=3"}', '{"Key": "b", "Value": ""}'],
    ],
)
def test_tags_are_added_in_each_of_their_spellings(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert aws_cli.main(["sagemaker", "add-tags", "--resource-arn", ARN, "--tags", *words]) == 0
    wanted = [{"Key": "a", "Value": "1,2=3"}, {"Key": "b", "Value": ""}]
    assert json.loads(capsys.readouterr().out) == {"Tags": wanted}


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("words", [["s3", "sync", "a", "s3://b"], ["s3", "cp", "s3://a/k", "s3://b/k"], ["ec2"], []])
def test_another_command_is_refused_by_its_name(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert aws_cli.main(words) == 252
    said = capsys.readouterr().err
    assert said.startswith(f"aws: {' '.join(words[:2])}")
    assert "is not here" in said


@pytest.mark.usefixtures("clients")
def test_what_the_service_refuses_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["s3api", "get-object", "--bucket", "b", "--key", "none", str(tmp_path / "out")]
    assert aws_cli.main(words) == 254
    assert "NoSuchKey" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
