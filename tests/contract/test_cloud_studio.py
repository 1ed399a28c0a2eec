"""Studio in a running cloud: a space whose app runs a script with its role's rights alone, stacks, the cloud's end."""

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.studio import volume
from tests.contract.stacks import Stack, of
from tests.contract.world import World, allow, arn, code, name, until

HOME = "/home/sagemaker-user"
VALID = 4.0
"""Seconds that credentials of an app are valid."""
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
TYPE = {"AppType": "JupyterLab", "AppName": "default"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Start a cloud whose apps have short credentials."""
    folder = tmp_path_factory.mktemp("studio")
    with LocalCloud(Options(folder=folder, script_seconds=30, credential_seconds=VALID)) as running:
        yield running


@pytest.fixture(scope="module")
def world(local: LocalCloud) -> World:
    """Return the cloud as its owner sees it."""
    return World(local.url, local.environment["AWS_SECRET_ACCESS_KEY"])


def content(script: str) -> str:
    return base64.b64encode(f"#!/bin/bash\n{script}\n".encode()).decode()


@dataclass(frozen=True)
class Place:
    """A private space in a domain of its own, whose users have a role, with one configuration for its app."""

    world: World
    domain: str
    space: str
    config: str

    @classmethod
    def of_role(cls, world: World, role: str, script: str, tags: list[dict[str, str]] | None = None) -> "Place":
        """Make domain, profile and space."""
        sagemaker, space = world.client("sagemaker"), name("space")
        config = sagemaker.create_studio_lifecycle_config(
            StudioLifecycleConfigName=name("config"),
            StudioLifecycleConfigContent=content(script),
            StudioLifecycleConfigAppType="JupyterLab",
        )["StudioLifecycleConfigArn"]
        made = sagemaker.create_domain(
            DomainName=name("domain"), AuthMode="IAM", DefaultUserSettings={"ExecutionRole": role}
        )["DomainId"]
        lab = {"JupyterLabAppSettings": {"LifecycleConfigArns": [config]}}
        sagemaker.create_user_profile(DomainId=made, UserProfileName="ana", UserSettings=lab)
        sagemaker.create_space(
            DomainId=made,
            SpaceName=space,
            OwnershipSettings={"OwnerUserProfileName": "ana"},
            SpaceSharingSettings={"SharingType": "Private"},
            Tags=tags or [],
        )
        return cls(world, made, space, config)

    @property
    def app(self) -> dict[str, str]:
        """The members that name the app."""
        return {"DomainId": self.domain, "SpaceName": self.space, **TYPE}

    def start(self, config: str | None = None) -> dict[str, Any]:
        """Start the app, and describe it when that is done."""
        spec = {"LifecycleConfigArn": config or self.config}
        self.world.client("sagemaker").create_app(**self.app, ResourceSpec=spec)
        return self.settled()

    def stop(self) -> dict[str, Any]:
        """Delete the app, and describe it when that is done."""
        self.world.client("sagemaker").delete_app(**self.app)
        return self.settled()

    def settled(self) -> dict[str, Any]:
        """Describe the app when it is on its way no more."""

        def found() -> dict[str, Any] | None:
            answer: dict[str, Any] = self.world.client("sagemaker").describe_app(**self.app)
            return None if answer["Status"] in ("Pending", "Deleting") else answer

        return until(found)

    def volume(self, cloud: LocalCloud) -> Path:
        """Return the space's volume."""
        return volume(cloud.log.parent, self.domain, self.space)


def test_iam_decides_what_a_script_may_do_by_its_spaces_role_and_tags(world: World, local: LocalCloud) -> None:
    bucket = world.bucket({"mine/tool": b"echo tool", "other": b"x"})
    ours = {"StringEquals": {"aws:ResourceTag/who": "ana"}}
    tagged = {**allow("sagemaker:AddTags", "sagemaker:ListTags", resource=arn("space/*")), "Condition": ours}
    role = world.role(LOGS, tagged, allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/mine/*"))
    other = Place.of_role(world, role, "true", [{"Key": "who", "Value": "bob"}])
    script = f"""
cd {HOME}
found=/opt/ml/metadata/resource-metadata.json
arn="arn:aws:sagemaker:$AWS_REGION:$(jq -r .ResourceArn $found | cut -d: -f5):space"
mine="$arn/$(jq -r .DomainId $found)/$(jq -r .SpaceName $found)"
aws sagemaker list-tags --resource-arn "$mine" > tags.json
aws sagemaker add-tags --resource-arn "$mine" --tags Key=status,Value=complete
aws s3 cp s3://{bucket}/mine/tool tool && bash tool
aws s3api get-object --bucket {bucket} --key other other; echo $? > refused
aws sagemaker add-tags --resource-arn "$arn/{other.domain}/{other.space}" --tags Key=a,Value=b; echo $? >> refused
"""
    place = Place.of_role(world, role, script, [{"Key": "who", "Value": "ana"}])
    described = place.start()

    assert described["Status"] == "InService", described.get("FailureReason")
    found = place.volume(local)
    assert json.loads((found / "tags.json").read_text())["Tags"] == [{"Key": "who", "Value": "ana"}]
    assert (found / "refused").read_text().split() == ["254", "254"]
    sagemaker = world.client("sagemaker")
    tags = sagemaker.list_tags(ResourceArn=arn(f"space/{place.domain}/{place.space}"))["Tags"]
    assert {"Key": "status", "Value": "complete"} in tags
    session = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/SageMaker"
    assert session in {call["principal"] for call in local.calls()}
    stream = f"{place.domain}/{place.space}/JupyterLab/default/LifecycleConfigOnStart"
    events = world.client("logs").get_log_events(logGroupName="/aws/sagemaker/studio", logStreamName=stream)["events"]
    assert "tool" in [event["message"] for event in events]


def test_credentials_are_renewed_the_volume_stays_and_nothing_outlives_the_app(world: World, local: LocalCloud) -> None:
    bucket = world.bucket()
    role = world.role(LOGS, allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*"))
    loop = f"while aws s3 cp beat s3://{bucket}/beat; do date +%s%N > beat; sleep 0.2; done"
    script = f"cd {HOME}; echo 0 > beat; nohup setsid bash -c '{loop}' > log 2>&1 &"
    place = Place.of_role(world, role, script)
    assert place.start()["Status"] == "InService"
    found = place.volume(local)
    until(lambda: (found / "beat").read_text().strip() not in ("", "0"))
    time.sleep(VALID)
    before = (found / "beat").read_text()
    until(lambda: (found / "beat").read_text() != before)

    assert place.stop()["Status"] == "Deleted"
    quiet = (found / "beat").read_text()
    time.sleep(0.7)
    assert (found / "beat").read_text() == quiet
    assert place.start("None")["Status"] == "InService"
    assert (found / "beat").read_text() == quiet
    place.stop()


def test_rights_are_given_by_the_arns_of_spaces_and_apps(world: World) -> None:
    place = Place.of_role(world, world.role(LOGS), "true")
    app = arn(f"app/{place.domain}/{place.space}/jupyterlab/default")
    mine = world.role(allow("sagemaker:CreateApp", "sagemaker:DescribeApp", resource=app))
    sagemaker = world.as_role(mine, "sagemaker")
    sagemaker.create_app(**place.app)
    assert sagemaker.describe_app(**place.app)["AppArn"] == app
    place.settled()
    requests = {
        "delete_app": place.app,
        "describe_space": {"DomainId": place.domain, "SpaceName": place.space},
        "create_app": {**place.app, "SpaceName": "other"},
    }
    for operation, request in requests.items():
        with pytest.raises(ClientError) as refused:
            getattr(sagemaker, operation)(**request)
        assert code(refused.value) == "AccessDeniedException"
    place.stop()


def test_whoever_makes_a_profile_has_to_pass_its_role(world: World) -> None:
    place, role = Place.of_role(world, world.role(), "true"), world.role()
    request = {"DomainId": place.domain, "UserProfileName": "bob", "UserSettings": {"ExecutionRole": role}}
    create = allow("sagemaker:CreateUserProfile", resource=arn(f"user-profile/{place.domain}/*"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        world.as_role(world.role(create), "sagemaker").create_user_profile(**request)
    world.as_role(world.role(create, allow("iam:PassRole", resource=role)), "sagemaker").create_user_profile(**request)


def test_a_stack_makes_and_replaces_a_configuration_that_never_changes(world: World) -> None:
    def resources(script: str, config: str) -> dict[str, Any]:
        return {
            "Config": of(
                "StudioLifecycleConfig",
                StudioLifecycleConfigName=config,
                StudioLifecycleConfigContent=content(script),
                StudioLifecycleConfigAppType="JupyterLab",
            )
        }

    stack, one, two = Stack(world), name("one"), name("two")
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Config", "StudioLifecycleConfigArn"]}}}
    made = stack.create(resources("echo one", one), outputs)
    assert made["Outputs"][0]["OutputValue"] == arn(f"studio-lifecycle-config/{one}")
    assert stack.physical("Config") == one
    assert stack.update(resources("echo two", two), outputs)["StackStatus"] == "UPDATE_COMPLETE"
    sagemaker = world.client("sagemaker")
    found = sagemaker.describe_studio_lifecycle_config(StudioLifecycleConfigName=two)
    assert found["StudioLifecycleConfigContent"] == content("echo two")
    assert stack.delete() == "DELETE_COMPLETE"
    left = [
        one["StudioLifecycleConfigName"] for one in sagemaker.list_studio_lifecycle_configs()["StudioLifecycleConfigs"]
    ]
    assert not {one, two} & set(left)


def test_what_a_script_left_behind_ends_with_the_cloud_that_is_killed(tmp_path: Path) -> None:
    with LocalCloud(Options(folder=tmp_path)) as running:
        world = World(running.url, running.environment["AWS_SECRET_ACCESS_KEY"])
        loop = f"setsid nohup bash -c 'while echo >> {HOME}/beat; do sleep 0.1; done' > /dev/null 2>&1 &"
        place = Place.of_role(world, world.role(), loop)
        assert place.start()["Status"] == "InService"
        beat = place.volume(running) / "beat"
        until(beat.exists)
        os.kill(running.pid, signal.SIGKILL)
        running.stop()

    def is_quiet() -> bool:
        before = beat.stat().st_size
        time.sleep(0.5)
        return beat.stat().st_size == before

    assert until(is_quiet)
