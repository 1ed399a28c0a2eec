"""Notebook instances in a running cloud: what IAM lets their scripts do, credentials, stacks, and the cloud's end."""

import base64
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.notebooks import leave_behind, volume
from sagemaker_local.process import LocalCloud, Options
from tests.contract.stacks import Stack, of
from tests.contract.world import World, allow, arn, code, name, until

HOME = "/home/ec2-user/SageMaker"
CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
VALID = 4.0
"""Seconds that credentials of an instance are valid."""
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Start a cloud whose instances have short credentials."""
    folder = tmp_path_factory.mktemp("notebooks")
    with LocalCloud(Options(folder=folder, script_seconds=30, credential_seconds=VALID)) as running:
        yield running


@pytest.fixture(scope="module")
def world(local: LocalCloud) -> World:
    """Return the cloud as its owner sees it."""
    return World(local.url, local.environment["AWS_SECRET_ACCESS_KEY"])


def hook(script: str) -> list[dict[str, str]]:
    return [{"Content": base64.b64encode(f"#!/bin/bash\n{script}\n".encode()).decode()}]


def started(world: World, script: str, role: str, **more: Any) -> dict[str, Any]:
    """Start an instance with a script, and describe it when that is done."""
    sagemaker, config, instance = world.client("sagemaker"), name("config"), name("instance")
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=config, OnStart=hook(script)
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName=instance,
        InstanceType="ml.t3.medium",
        RoleArn=role,
        LifecycleConfigName=config,
        **more,
    )
    return settled(world, instance)


def settled(world: World, instance: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        answer: dict[str, Any] = world.client("sagemaker").describe_notebook_instance(NotebookInstanceName=instance)
        return answer if answer["NotebookInstanceStatus"] in ("InService", "Failed", "Stopped") else None

    return until(found)


def folder(local: LocalCloud, described: dict[str, Any]) -> Path:
    return volume(local.log.parent, described["NotebookInstanceName"])


def test_iam_decides_what_a_script_may_do_by_its_instances_role(world: World, local: LocalCloud) -> None:
    bucket = world.bucket({"mine/tool": b"echo tool", "other": b"x"})
    own = {**allow("sagemaker:AddTags"), "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["status"]}}}
    objects = allow("s3:GetObject", "s3:PutObject", resource=f"arn:aws:s3:::{bucket}/mine/*")
    role = world.role(LOGS, objects, allow("sagemaker:ListTags"), own)
    script = f"""
cd {HOME}
arn=$(jq -r .ResourceArn /opt/ml/metadata/resource-metadata.json)
aws sagemaker list-tags --resource-arn "$arn" > tags.json
aws s3 cp s3://{bucket}/mine/tool tool && bash tool > said && aws s3 cp said s3://{bucket}/mine/
aws s3api get-object --bucket {bucket} --key other other; echo $? > refused
aws sagemaker add-tags --resource-arn "$arn" --tags Key=status,Value=complete
aws sagemaker add-tags --resource-arn "$arn" --tags Key=owner,Value=me; echo $? >> refused
"""
    described = started(world, script, role, Tags=[{"Key": "ebs-backup-bucket", "Value": bucket}])

    found = folder(local, described)
    assert described["NotebookInstanceStatus"] == "InService", described.get("FailureReason")
    assert json.loads((found / "tags.json").read_text())["Tags"] == [{"Key": "ebs-backup-bucket", "Value": bucket}]
    assert world.client("s3").get_object(Bucket=bucket, Key="mine/said")["Body"].read() == b"tool\n"
    assert (found / "refused").read_text().split() == ["254", "254"]
    tags = world.client("sagemaker").list_tags(ResourceArn=described["NotebookInstanceArn"])["Tags"]
    assert {"Key": "status", "Value": "complete"} in tags
    assert "owner" not in {tag["Key"] for tag in tags}
    session = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/SageMaker"
    assert session in {call["principal"] for call in local.calls()}


def test_credentials_expire_and_what_runs_on_has_new_ones(world: World, local: LocalCloud) -> None:
    bucket = world.bucket()
    role = world.role(LOGS, allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*"))
    loop = f"while aws s3 cp beat s3://{bucket}/beat; do date +%s%N > beat; sleep 0.2; done"
    reading = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
    script = f"""
cd {HOME}
python3 -c '{reading}' "$AWS_EC2_METADATA_SERVICE_ENDPOINT{CREDENTIALS}{role.rpartition("/")[2]}" > keys
echo 0 > beat
nohup bash -c '{loop}' > log 2>&1 &
"""
    found = folder(local, started(world, script, role))
    keys = json.loads((found / "keys").read_text())
    first = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
    world.client("s3", first).put_object(Bucket=bucket, Key="first", Body=b"")
    time.sleep(VALID)

    with pytest.raises(ClientError) as refused:
        world.client("s3", first).put_object(Bucket=bucket, Key="first", Body=b"")
    assert code(refused.value) in ("ExpiredToken", "InvalidClientTokenId", "InvalidAccessKeyId")
    before = (found / "beat").read_text()
    until(lambda: (found / "beat").read_text() != before)


def test_an_instance_that_was_left_behind_is_found_while_the_cloud_runs(world: World, local: LocalCloud) -> None:
    request = {"NotebookInstanceName": "old", "InstanceType": "ml.t3.medium", "RoleArn": world.role()}
    left = leave_behind(local.log.parent, {**request, "PlatformIdentifier": "notebook-al2-v3"})
    (left / "work").write_text("mine")
    sagemaker = world.client("sagemaker")

    assert settled(world, "old")["PlatformIdentifier"] == "notebook-al2-v3"
    sagemaker.update_notebook_instance(NotebookInstanceName="old", PlatformIdentifier="notebook-al2023-v1")
    assert settled(world, "old")["NotebookInstanceStatus"] == "Stopped"
    sagemaker.start_notebook_instance(NotebookInstanceName="old")
    assert settled(world, "old")["NotebookInstanceStatus"] == "InService"
    assert (left / "work").read_text() == "mine"


def test_rights_to_an_instance_are_given_by_its_arn_in_lower_case(world: World) -> None:
    created = allow("sagemaker:CreateNotebookInstance", resource=arn("notebook-instance/ana-*"))
    role = world.role()
    sagemaker = world.as_role(world.role(created, allow("iam:PassRole", resource=role)), "sagemaker")
    request = {"InstanceType": "ml.t3.medium", "RoleArn": role}
    sagemaker.create_notebook_instance(NotebookInstanceName="Ana-1", **request)
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateNotebookInstance"):
        sagemaker.create_notebook_instance(NotebookInstanceName="Bob-1", **request)


def test_a_role_reaches_the_instances_and_objects_of_its_own_tag_alone(world: World) -> None:
    bucket = world.bucket({"people/ana/x": b"1", "people/bob/x": b"1"})
    own = {"StringEquals": {"aws:ResourceTag/who": "${aws:PrincipalTag/who}"}}
    tagged = {**allow("sagemaker:AddTags", resource=arn("notebook-instance/*")), "Condition": own}
    objects = allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/people/${{aws:PrincipalTag/who}}/*")
    role, sagemaker = world.role(tagged, objects), world.client("sagemaker")
    world.client("iam").tag_role(RoleName=role.rpartition("/")[2], Tags=[{"Key": "who", "Value": "ana"}])
    for who in ("ana", "bob"):
        tags = [{"Key": "who", "Value": who}]
        request = {"InstanceType": "ml.t3.medium", "RoleArn": role, "Tags": tags}
        sagemaker.create_notebook_instance(NotebookInstanceName=f"of-{who}", **request)

    def reach(who: str) -> list[Callable[[], Any]]:
        named = {"ResourceArn": arn(f"notebook-instance/of-{who}"), "Tags": [{"Key": "a", "Value": "b"}]}
        return [
            lambda: world.as_role(role, "s3").get_object(Bucket=bucket, Key=f"people/{who}/x"),
            lambda: world.as_role(role, "sagemaker").add_tags(**named),
        ]

    for call in reach("ana"):
        call()
    for call in reach("bob"):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_a_stack_makes_changes_and_deletes_an_instance_with_its_configuration(world: World) -> None:
    def resources(kind: str, script: str) -> dict[str, Any]:
        attached = {"Fn::GetAtt": ["Config", "NotebookInstanceLifecycleConfigName"]}
        return {
            "Config": of("NotebookInstanceLifecycleConfig", OnStart=hook(script)),
            "One": of("NotebookInstance", InstanceType=kind, RoleArn=role, LifecycleConfigName=attached),
        }

    role, stack, sagemaker = world.role(LOGS), Stack(world), world.client("sagemaker")
    assert stack.create(resources("ml.t3.medium", f"echo one >> {HOME}/ran"))["StackStatus"] == "CREATE_COMPLETE"
    assert stack.update(resources("ml.t3.large", f"echo two >> {HOME}/ran"))["StackStatus"] == "UPDATE_COMPLETE"
    [made] = sagemaker.list_notebook_instances(NameContains=stack.name)["NotebookInstances"]
    assert (made["InstanceType"], made["NotebookInstanceStatus"]) == ("ml.t3.large", "InService")
    assert stack.delete() == "DELETE_COMPLETE"
    assert sagemaker.list_notebook_instances(NameContains=stack.name)["NotebookInstances"] == []
    assert not [
        one
        for one in sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
        if one["NotebookInstanceLifecycleConfigName"].startswith(stack.name)
    ]


def test_an_instance_whose_script_fails_fails_its_stack_with_the_reason(world: World) -> None:
    stack = Stack(world)
    attached = {"Fn::GetAtt": ["Config", "NotebookInstanceLifecycleConfigName"]}
    made = of("NotebookInstance", InstanceType="ml.t3.medium", RoleArn=world.role(), LifecycleConfigName=attached)
    config = of("NotebookInstanceLifecycleConfig", OnCreate=hook("exit 4"))
    assert stack.create({"Config": config, "One": made})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "failed: OnCreate ended with 4." in stack.reason("One")
    listed = world.client("sagemaker").list_notebook_instances(NameContains=stack.name)
    assert listed["NotebookInstances"] == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_script_left_behind_ends_with_the_cloud_however_that_ends(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with LocalCloud(Options(folder=tmp_path)) as running:
        world = World(running.url, running.environment["AWS_SECRET_ACCESS_KEY"])
        loop = f"setsid nohup bash -c 'while echo >> {HOME}/beat; do sleep 0.1; done' > /dev/null 2>&1 &"
        described = started(world, loop, world.role())
        beat = folder(running, described) / "beat"
        until(beat.exists)
        os.kill(running.pid, ending)
        running.stop()

    def is_quiet() -> bool:
        before = beat.stat().st_size
        time.sleep(0.5)
        return beat.stat().st_size == before

    assert until(is_quiet)
