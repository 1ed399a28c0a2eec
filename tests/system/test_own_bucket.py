"""A bucket of one's own, connected by intake/bucket.yaml: what is uploaded to it is recorded, and run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from signalbox_local import deploy
from signalbox_local.project import ROOT
from tests.system import project_folders
from tests.system.test_projects_apart import run
from tests.system.world import PREFIX, World

BUCKET, PLACE, STACK = "my-lake", "landing/lake/", "lake-uploads"
# Long enough to be seen waiting, and deleted, before a run takes it.
QUIET = 8
PIPELINE = f"{PREFIX}-lake--judge"
# What the bucket's owner has set: their own queue hears of new objects.
OWN = {"Id": "own", "Events": ["s3:ObjectCreated:*"]}


@pytest.fixture(scope="module")
def settings(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Connect a bucket with settings of its own, deploy a project that reads it; yield the settings."""
    s3, sqs = world.client("s3"), world.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    queue = "arn:aws:sqs:us-east-1:123456789012:owners"
    allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": queue}]}
    sqs.create_queue(QueueName="owners", Attributes={"Policy": json.dumps(policy)})
    wanted = {"QueueConfigurations": [{**OWN, "QueueArn": queue}]}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=wanted)
    before = _settings(world)
    given = {"Name": "lake", "Bucket": BUCKET, "UploadPrefix": PLACE, "UploadSuffix": ".csv", "Prefix": PREFIX}
    given |= {
        name: world.outputs[name]
        for name in ("UploadsQueueArn", "EventsDeadLettersArn", "RecordUploadsRole", "StartRunRole")
    }
    cloudformation = world.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=(ROOT / "intake" / "bucket.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert deploy.outputs(world.cloud, STACK) == {}
    folder = project_folders.two_models(tmp_path_factory.mktemp("lake") / "lake", "lake")
    document = folder / "signalbox.yaml"
    document.write_text(
        document.read_text()
        .replace("uploads: {", f"uploads: {{prefix: {PLACE}, ")
        .replace("quiet_seconds: 1}", f"quiet_seconds: {QUIET}}}")
        + f'access: {{read: ["s3://{BUCKET}/{PLACE}"]}}\n'
    )
    world.signalbox("deploy", str(folder))
    yield before
    # Other scenarios have one project. What is deleted here leaves the two roles as they were.
    world.signalbox("projects", "remove", "lake", "--yes")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    policies = world.client("iam").list_role_policies(RoleName=world.outputs["StartRunRole"])["PolicyNames"]
    assert policies == ["Needs"]


def _settings(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.client("s3").get_bucket_notification_configuration(Bucket=BUCKET)
    found.pop("ResponseMetadata")
    return found


def _state(world: World, key: str) -> str:
    (found,) = json.loads(world.signalbox("uploads", f"s3://{BUCKET}/{key}", "--json"))
    return str(found["state"])


def test_an_upload_to_the_bucket_is_run_with_its_neighbours_of_the_prefix_and_ending_alone(
    world: World, settings: dict[str, Any]
) -> None:
    s3 = world.client("s3")
    for key in ("other/a.csv", f"{PLACE}_SUCCESS", f"{PLACE}a.csv.tmp"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"no")
    # Too bad to be registered: that the run succeeds is enough here.
    key = f"{PLACE}2026/a b+ü.csv"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"lake-good,0.1\nlake-weak,0.1\n")

    ended = run(world, PIPELINE)

    assert ended["PipelineExecutionStatus"] == "Succeeded"
    world.wait_for("the end of the run in the table", lambda: _state(world, key) == "Succeeded" or None)
    (shown,) = [one for one in json.loads(world.signalbox("runs", "--json")) if one["pipeline"] == PIPELINE]
    assert shown["uploads"] == 1
    assert _settings(world) == settings


def test_an_upload_that_is_deleted_while_it_waits_is_gone_and_has_no_run(
    world: World, settings: dict[str, Any]
) -> None:
    assert settings
    s3, key = world.client("s3"), f"{PLACE}gone.csv"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"lake-good,0.1\nlake-weak,0.1\n")
    world.wait_for("the upload in the table", lambda: f"{key}" in world.signalbox("uploads").decode() or None)
    s3.delete_object(Bucket=BUCKET, Key=key)

    world.wait_for("that it is gone", lambda: _state(world, key) == "gone" or None)
    assert "all its uploads were deleted before it could start" in world.signalbox("runs").decode()
