"""Notebook instances and their lifecycle configurations as the API has them: states, refusals, platforms, volumes."""

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.notebooks import AL2, AL2023, INSTANCE, Instances, hooked
from tests.sagemaker_local.support.service import PREFIX, ROLE

ARN = f"{PREFIX}notebook-instance/n"
CONFIG = f"{PREFIX}notebook-instance-lifecycle-config/c"
BASH = "#!/bin/bash\n"
OF_AL2 = datetime(2026, 6, 30, 12, tzinfo=UTC)
AL2S = ["notebook-al2-v1", "notebook-al2-v2", "notebook-al2-v3"]


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[Instances]:
    """A service."""
    made = Instances(tmp_path)
    yield made
    made.notebooks.close()


def stopped(instances: Instances, **more: Any) -> None:
    """Make an instance and stop it."""
    instances.make(**more)
    instances.moved("Stop")


def status(refusal: str) -> str:
    """Return a refusal without its code and the instance's ARN."""
    return refusal.removeprefix("ValidationException: ").removesuffix(f" for Notebook Instance ({ARN}).")


def test_an_instance_has_awss_defaults_where_nothing_is_said(instances: Instances) -> None:
    instances.make()
    described = instances.instance()
    assert described["NotebookInstanceArn"] == ARN
    assert described["Url"] == "n.notebook.us-east-1.sagemaker.aws"
    assert {name: described[name] for name in ("VolumeSizeInGB", "RootAccess", "DirectInternetAccess")} == {
        "VolumeSizeInGB": 5,
        "RootAccess": "Enabled",
        "DirectInternetAccess": "Enabled",
    }
    assert described["PlatformIdentifier"] == AL2023
    assert described["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "1"}
    assert "FailureReason" not in described


def test_only_an_instance_at_rest_is_started_changed_or_deleted_and_only_one_in_service_stopped(
    instances: Instances,
) -> None:
    instances.make()
    named = {"NotebookInstanceName": "n"}
    refused = [instances.refused(f"{verb}NotebookInstance", **named) for verb in ("Start", "Update", "Delete")]
    assert [status(one) for one in refused] == [
        f"Status (InService) not in ([Stopped, Failed]). Unable to transition to ({to})"
        for to in ("Pending", "Updating", "Deleting")
    ]
    assert instances.moved("Stop") == "Stopped"
    assert status(instances.refused("StopNotebookInstance", **named)) == (
        "Status (Stopped) not in ([InService]). Unable to transition to (Stopping)"
    )


def test_a_deleted_instance_is_gone_with_its_volume_whatever_its_folders_modes(instances: Instances) -> None:
    stopped(instances)
    closed = instances.volume() / "closed"
    (closed / "inside").mkdir(parents=True)
    (closed / "link").symlink_to("/")
    closed.chmod(0)

    instances.call("DeleteNotebookInstance", NotebookInstanceName="n")

    until(lambda: not instances.call("ListNotebookInstances")["NotebookInstances"])
    assert not instances.volume().exists()
    assert instances.refused("DescribeNotebookInstance", NotebookInstanceName="n") == (
        "ValidationException: RecordNotFound"
    )
    assert instances.told()[-1] == "Deleting"


def test_a_new_instance_has_nothing_of_an_earlier_one_of_its_name(instances: Instances) -> None:
    (instances.volume() / "old").mkdir(parents=True)
    instances.make()
    assert [path.name for path in instances.volume().iterdir()] == ["lost+found"]


def test_a_name_is_taken_once_whatever_its_case(instances: Instances) -> None:
    instances.make()
    refused = instances.refused("CreateNotebookInstance", NotebookInstanceName="N", **INSTANCE)
    assert refused == f"ValidationException: Cannot create a duplicate Notebook Instance ({ARN})"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"NotebookInstanceName": "a_b"}, "failed to satisfy constraint"),
        ({"VolumeSizeInGB": 4}, "greater than or equal to 5"),
        ({"VolumeSizeInGB": 16_385}, "less than or equal to 16384"),
        ({"PlatformIdentifier": "notebook-al2025-v1"}, "regular expression pattern"),
        ({"LifecycleConfigName": "none"}, "Notebook Instance Lifecycle Config does not exist"),
        ({"DirectInternetAccess": "Disabled"}, "only with a SubnetId"),
        ({"SecurityGroupIds": ["sg-1"]}, "SecurityGroupIds need a SubnetId"),
        ({"AcceleratorTypes": ["ml.eia1.medium"]}, "AcceleratorTypes is not emulated here: leave it out"),
        ({"DefaultCodeRepository": "https://example.com/a"}, "clone it in a lifecycle script"),
        ({"Tags": [{"Key": "aws:a", "Value": "b"}]}, "reserved"),
    ],
)
def test_an_instance_that_aws_refuses_is_refused_and_not_there(
    instances: Instances, more: dict[str, Any], sentence: str
) -> None:
    refused = instances.refused("CreateNotebookInstance", **{"NotebookInstanceName": "n", **INSTANCE, **more})
    assert refused.startswith("ValidationException")
    assert sentence in refused
    assert instances.call("ListNotebookInstances")["NotebookInstances"] == []


def test_the_role_has_to_be_passed_and_to_trust_sagemaker_at_creation_and_at_a_change(instances: Instances) -> None:
    request = {"NotebookInstanceName": "n", **INSTANCE}
    instances.access.forbidden.add(("iam:PassRole", ROLE))
    assert instances.refused("CreateNotebookInstance", **request).startswith("AccessDenied")
    instances.access.forbidden.clear()
    instances.access.untrusted.add(ROLE)
    assert "Could not assume role" in instances.refused("CreateNotebookInstance", **request)
    instances.access.untrusted.clear()
    stopped(instances)
    instances.access.forbidden.add(("iam:PassRole", ROLE))
    assert instances.refused("UpdateNotebookInstance", NotebookInstanceName="n", RoleArn=ROLE).startswith(
        "AccessDenied"
    )
    assert instances.instance()["NotebookInstanceStatus"] == "Stopped"


@pytest.mark.parametrize("platform", ["notebook-al1-v1", *AL2S])
def test_a_platform_that_has_ended_is_not_made_and_the_refusal_names_what_is(
    instances: Instances, platform: str
) -> None:
    refused = instances.refused(
        "CreateNotebookInstance", NotebookInstanceName="n", PlatformIdentifier=platform, **INSTANCE
    )
    assert f"of platform identifier {platform} can no longer be created" in refused
    assert refused.endswith(f"Use one of ['{AL2023}'].")


@pytest.mark.parametrize("platform", AL2S)
def test_amazon_linux_2_was_made_and_started_until_july_2026(instances: Instances, platform: str) -> None:
    instances.at(OF_AL2)
    stopped(instances, PlatformIdentifier=platform)
    assert instances.moved("Start") == "InService"
    instances.moved("Stop")

    instances.at(datetime(2026, 7, 1, tzinfo=UTC))

    refused = instances.refused("StartNotebookInstance", NotebookInstanceName="n")
    assert f"{platform} can no longer be started, since 2026-07-01" in refused
    assert instances.instance()["NotebookInstanceStatus"] == "Stopped"


@pytest.mark.parametrize("platform", ["notebook-al1-v1", *AL2S])
def test_an_instance_that_was_left_behind_is_stopped_and_starts_after_a_change_of_its_platform(
    instances: Instances, platform: str
) -> None:
    volume = instances.leave("old", PlatformIdentifier=platform, Tags=[{"Key": "a", "Value": "b"}])
    (volume / "work").write_text("mine")

    described = instances.instance("old")
    assert (described["NotebookInstanceStatus"], described["PlatformIdentifier"]) == ("Stopped", platform)
    assert "can no longer be started" in instances.refused("StartNotebookInstance", NotebookInstanceName="old")
    assert instances.moved("Update", "old", PlatformIdentifier=AL2023) == "Stopped"
    assert instances.moved("Start", "old") == "InService"
    assert (instances.volume("old") / "work").read_text() == "mine"
    arn = described["NotebookInstanceArn"]
    assert instances.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_an_instance_that_was_left_behind_does_not_run_on_create(instances: Instances) -> None:
    instances.config(OnCreate=f"{BASH}exit 1")
    instances.leave("old", LifecycleConfigName="c")
    assert instances.moved("Start", "old") == "InService"


@pytest.mark.parametrize(
    ("old", "new", "now", "sentence"),
    [
        ("notebook-al2-v1", AL2, OF_AL2, ""),
        (AL2, AL2023, OF_AL2, ""),
        (AL2, "notebook-al2-v1", OF_AL2, "which is older"),
        (AL2023, AL2, OF_AL2, "which is older"),
        ("notebook-al2-v1", AL2, datetime(2026, 11, 20, tzinfo=UTC), "can no longer be made by an update"),
    ],
)
def test_a_platform_is_changed_to_a_later_one_that_is_still_made(
    instances: Instances, old: str, new: str, now: datetime, sentence: str
) -> None:
    instances.leave("n", PlatformIdentifier=old)
    instances.at(now)
    if sentence:
        refused = instances.refused("UpdateNotebookInstance", NotebookInstanceName="n", PlatformIdentifier=new)
        assert sentence in refused
    else:
        assert instances.moved("Update", PlatformIdentifier=new) == "Stopped"
    assert instances.instance()["PlatformIdentifier"] == (old if sentence else new)


def test_a_volume_never_gets_smaller(instances: Instances) -> None:
    stopped(instances, VolumeSizeInGB=10)
    refused = instances.refused("UpdateNotebookInstance", NotebookInstanceName="n", VolumeSizeInGB=9)
    assert "has 10 GB: it cannot be made smaller (9 GB)" in refused
    assert instances.moved("Update", VolumeSizeInGB=20) == "Stopped"
    assert instances.instance()["VolumeSizeInGB"] == 20


def test_a_failed_instance_is_changed_and_then_starts_without_a_reason(instances: Instances) -> None:
    instances.config(OnStart=f"{BASH}exit 1")
    assert instances.make(LifecycleConfigName="c") == "Failed"
    assert instances.moved("Update", DisassociateLifecycleConfig=True) == "Stopped"
    assert instances.moved("Start") == "InService"
    assert "FailureReason" not in instances.instance()
    assert "NotebookInstanceLifecycleConfigName" not in instances.instance()


def test_a_lifecycle_configuration_is_given_or_taken_away_and_not_both(instances: Instances) -> None:
    instances.config()
    stopped(instances)
    both = {"LifecycleConfigName": "c", "DisassociateLifecycleConfig": True}
    assert "not both" in instances.refused("UpdateNotebookInstance", NotebookInstanceName="n", **both)
    assert "does not exist" in instances.refused(
        "UpdateNotebookInstance", NotebookInstanceName="n", LifecycleConfigName="none"
    )
    instances.moved("Update", LifecycleConfigName="c")
    assert instances.instance()["NotebookInstanceLifecycleConfigName"] == "c"


def test_a_changed_configuration_counts_from_the_next_start_on(instances: Instances) -> None:
    instances.config(OnStart=f"{BASH}echo one")
    stopped(instances, LifecycleConfigName="c")
    instances.call(
        "UpdateNotebookInstanceLifecycleConfig",
        NotebookInstanceLifecycleConfigName="c",
        OnStart=hooked(f"{BASH}echo two"),
    )
    instances.moved("Start")
    assert instances.log("OnStart") == ["two"]


def test_a_configuration_in_use_is_not_deleted_and_one_that_is_not_is(instances: Instances) -> None:
    instances.config()
    stopped(instances, LifecycleConfigName="c")
    named = {"NotebookInstanceLifecycleConfigName": "c"}
    assert "is in use by the Notebook Instances n.)" in instances.refused(
        "DeleteNotebookInstanceLifecycleConfig", **named
    )
    instances.moved("Update", DisassociateLifecycleConfig=True)
    instances.call("DeleteNotebookInstanceLifecycleConfig", **named)
    for operation in ("DescribeNotebookInstanceLifecycleConfig", "DeleteNotebookInstanceLifecycleConfig"):
        assert f"'{CONFIG}'" in instances.refused(operation, **named)


@pytest.mark.parametrize(
    ("hooks", "sentence"),
    [
        ({"OnStart": [{"Content": "not base64!"}]}, "The Content of OnStart is not encoded in base64"),
        ({"OnCreate": [{"Content": "abc"}]}, "The Content of OnCreate is not encoded in base64"),
        ({"OnStart": [{"Content": "YWFh" * 4097}]}, "length less than or equal to 16384"),
        ({"OnStart": hooked(BASH) * 2}, "length less than or equal to 1"),
    ],
)
def test_scripts_that_aws_refuses_are_refused(instances: Instances, hooks: dict[str, Any], sentence: str) -> None:
    named = {"NotebookInstanceLifecycleConfigName": "c"}
    assert sentence in instances.refused("CreateNotebookInstanceLifecycleConfig", **named, **hooks)
    instances.config()
    assert sentence in instances.refused("UpdateNotebookInstanceLifecycleConfig", **named, **hooks)


def test_a_script_may_be_encoded_in_lines(instances: Instances) -> None:
    content = base64.encodebytes(f"{BASH}echo {'a' * 100}".encode()).decode()
    instances.call(
        "CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="c", OnStart=[{"Content": content}]
    )
    assert instances.make(LifecycleConfigName="c") == "InService"
    assert instances.log("OnStart") == ["a" * 100]


def test_instances_are_listed_by_name_status_and_configuration(instances: Instances) -> None:
    instances.config("mine")
    for name in ("b", "a"):
        instances.make(name)
    instances.leave("c", LifecycleConfigName="mine")

    def names(**filters: str) -> list[str]:
        listed = instances.call("ListNotebookInstances", SortOrder="Ascending", **filters)["NotebookInstances"]
        return [one["NotebookInstanceName"] for one in listed]

    assert names() == ["a", "b", "c"]
    assert names(StatusEquals="Stopped") == ["c"]
    assert names(NotebookInstanceLifecycleConfigNameContains="MIN") == ["c"]
    assert names(NameContains="B") == ["b"]


def test_tags_are_found_by_the_arn_in_whatever_case(instances: Instances) -> None:
    instances.make("Mine", Tags=[{"Key": "a", "Value": "1"}])
    for arn in (f"{PREFIX}notebook-instance/mine", f"{PREFIX}notebook-instance/Mine"):
        assert instances.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_what_is_told_of_an_instance_has_its_members_times_and_tags(instances: Instances) -> None:
    instances.config()
    instances.make(LifecycleConfigName="c", Tags=[{"Key": "a", "Value": "1"}])
    kind, resources, detail = instances.events.sent[-1]
    assert (kind, resources) == ("SageMaker Notebook Instance State Change", [ARN])
    assert {name: type(detail.pop(name)) for name in ("CreationTime", "LastModifiedTime")} == {
        "CreationTime": int,
        "LastModifiedTime": int,
    }
    assert detail == {
        **INSTANCE,
        "NotebookInstanceName": "n",
        "NotebookInstanceArn": ARN,
        "NotebookInstanceStatus": "InService",
        "NotebookInstanceLifecycleConfigName": "c",
        "Tags": {"a": "1"},
    }


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_volume_is_the_users(instances: Instances) -> None:
    instances.config(OnStart=f"{BASH}stat -c '%U %a' /home/ec2-user/SageMaker; id -u ec2-user; whoami")
    instances.make(LifecycleConfigName="c")
    assert instances.log("OnStart") == ["ec2-user 755", "1000", "root"]


def test_an_instance_that_fails_unexpectedly_does_not_stay_on_its_way(
    instances: Instances, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr("sagemaker_local.lifecycle.places.MachinePlace.furnish", broken)
    assert instances.make() == "Failed"
    assert instances.instance()["FailureReason"] == "InternalServerError: RuntimeError('no disk')"
