"""The worker of notebook instances on the local cloud's S3, with IAM: it needs what a person's own prefix grants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, allow, name
from tests.support.notebook_cloud import State
from tests.support.notebook_cloud import cloud as tags_alone
from tests.support.notebooks import Instance, described, every_kind

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/nb"


@pytest.fixture
def tagged() -> Iterator[tuple[State, str]]:
    """Serve an instance's tags; its objects are the local cloud's."""
    state = State(tags={"snapshot-prefix": "people/ana"})
    with tags_alone(state) as url:
        yield state, url


def made(folder: Path, cloud: World, tagged: tuple[State, str], *statements: dict[str, object]) -> Instance:
    """Make an instance whose role has `statements`."""
    sts = cloud.client("sts")
    keys = sts.assume_role(RoleArn=cloud.role(*statements), RoleSessionName="SageMaker")["Credentials"]
    extra = {
        "AWS_ENDPOINT_URL_S3": cloud.url,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return Instance(folder, tagged[1], tagged[0], ARN, extra)


def own_prefix(bucket: str) -> tuple[dict[str, object], ...]:
    """Return what a person may: their own prefix, and nothing of the bucket itself."""
    listing = allow("s3:ListBucket", resource=f"arn:aws:s3:::{bucket}")
    listing["Condition"] = {"StringLike": {"s3:prefix": "people/ana/*"}}
    return listing, allow("s3:GetObject", "s3:PutObject", resource=f"arn:aws:s3:::{bucket}/people/ana/*")


def test_with_the_rights_of_an_own_prefix_everything_is_saved_and_restored(
    cloud: World, tagged: tuple[State, str], tmp_path: Path
) -> None:
    bucket, state = name("backups"), tagged[0]
    cloud.client("s3").create_bucket(Bucket=bucket)
    state.tags["ebs-backup-bucket"] = bucket
    saved, restored = (made(tmp_path / part, cloud, tagged, *own_prefix(bucket)) for part in ("saved", "restored"))
    every_kind(saved.home)

    first, second = saved.run("backup"), saved.run("backup")
    state.tags["backup-snapshot"] = state.tags["snapshot-name"]
    back, checked = restored.run("restore"), restored.run("verify")

    assert (first.returncode, second.returncode, back.returncode) == (0, 0, 0), first.stderr + back.stderr
    assert described(restored.home) == described(saved.home)
    assert checked.returncode == 0, checked.stdout
    listed = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert all(one["Key"].startswith("people/ana/") for one in listed)
    assert len([one for one in listed if "/packs/" in one["Key"]]) == 1


def test_a_bucket_that_is_not_there_is_made_and_protected(
    cloud: World, tagged: tuple[State, str], tmp_path: Path
) -> None:
    bucket = name("backups")
    tagged[0].tags["ebs-backup-bucket"] = bucket
    saved = made(tmp_path / "saved", cloud, tagged, allow("s3:*"))
    (saved.home / "file").write_text("content")

    done = saved.run("backup")

    s3 = cloud.client("s3")
    assert done.returncode == 0, done.stderr
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def test_a_role_without_rights_is_told_so(cloud: World, tagged: tuple[State, str], tmp_path: Path) -> None:
    bucket = name("backups")
    cloud.client("s3").create_bucket(Bucket=bucket)
    tagged[0].tags["ebs-backup-bucket"] = bucket

    done = made(tmp_path / "saved", cloud, tagged, allow("s3:GetObject")).run("backup")

    assert done.returncode == 1
    assert f"the bucket {bucket} is not one of account {ACCOUNT}, or the role may not use it" in done.stderr
