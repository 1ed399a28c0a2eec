"""Notebook instances are saved, restored and migrated by the commands, on a cloud whose instances really run."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_local import notebooks, studio
from sagemaker_local.process import LocalCloud, Options
from signalbox_local.project import program_environment
from signalbox_operate.notebooks import platforms
from tests.support.environments import SCRIPT, conda
from tests.support.notebooks import described, every_kind, many

NEW = platforms.NEWEST
ELSEWHERE = "eu-west-1"
ENDED = [one.name for one in platforms.PLATFORMS if one.refused_since]
PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Account:
    """An account with the stack of notebooks/template.yaml, and a role for Ana's instances."""

    cloud: LocalCloud
    folder: Path
    role: str

    def client(self, service: str, region: str = "") -> Any:
        """Return a client of the account's owner."""
        given = self.cloud.environment
        session = boto3.Session(
            given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=region or given["AWS_REGION"]
        )
        return session.client(service, endpoint_url=self.cloud.url)  # type: ignore[call-overload]  # a variable

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "signalbox_operate", "notebooks", *words],
            env=program_environment(self.cloud.environment),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command to its end, and return what it said."""
        started = self.start(*words)
        out, told = started.communicate(timeout=PATIENCE)
        assert started.returncode == code, out + told
        return out if code == 0 else told

    def old(self, name: str, platform: str, role: str = "") -> Path:
        """Have an instance of long ago lie here, stopped, with every kind of file; return its volume."""
        volume = notebooks.leave_behind(self.folder / "cloud", self.given(name, role, PlatformIdentifier=platform))
        every_kind(volume)
        return volume

    def new(self, name: str, role: str = "") -> Path:
        """Make an instance that runs, with every kind of file; return its volume."""
        sagemaker = self.client("sagemaker")
        sagemaker.create_notebook_instance(**self.given(name, role, PlatformIdentifier=NEW))
        _wait(lambda: self.state(name)["NotebookInstanceStatus"] == "InService")
        every_kind(self.volume(name), seed=len(name))  # contents of its own
        return self.volume(name)

    def volume(self, name: str) -> Path:
        """Return the folder that stands for an instance's volume."""
        return notebooks.volume(self.folder / "cloud", name)

    def state(self, name: str) -> dict[str, Any]:
        """Return what SageMaker says of an instance."""
        found: dict[str, Any] = self.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
        return found

    def tags(self, name: str) -> dict[str, str]:
        """Return an instance's tags."""
        found = self.client("sagemaker").list_tags(ResourceArn=self.state(name)["NotebookInstanceArn"])
        return {one["Key"]: one["Value"] for one in found["Tags"]}

    def given(self, name: str, role: str, **more: str) -> dict[str, Any]:
        """Return a request for an instance of Ana's."""
        tags = [{"Key": "snapshot-prefix", "Value": "people/ana"}, {"Key": "team", "Value": "wine"}]
        return {
            "NotebookInstanceName": name,
            "InstanceType": "ml.t3.medium",
            "RoleArn": role or self.role,
            "Tags": tags,
            "VolumeSizeInGB": 7,
            **more,
        }


def _wait(reached: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Start a cloud and deploy the stack with the command."""
    folder = tmp_path_factory.mktemp("notebooks")
    with LocalCloud(Options(folder=folder / "cloud")) as cloud:
        bare = Account(cloud, folder, "")
        said = bare.run("deploy", "--parameter", "ExamplePrefix=people/ana")
        assert "stack signalbox-notebooks created" in said
        (stack,) = bare.client("cloudformation").describe_stacks(StackName="signalbox-notebooks")["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        yield Account(cloud, folder, outputs["ExampleRoleArn"])


def tree(volume: Path) -> Mapping[str, object]:
    """Return all that has to be equal of a volume, without what the file system itself has."""
    return {name: facts for name, facts in described(volume).items() if name.split("/")[0] != "lost+found"}


@pytest.mark.parametrize("platform", ENDED)
def test_an_instance_that_aws_starts_no_more_is_updated_in_place_and_saved_with_every_file(
    account: Account, platform: str
) -> None:
    name = f"in-place-{platform.replace('notebook-', '')}"
    volume = account.old(name, platform)
    before = tree(volume)
    assert f"`signalbox notebooks migrate {name} --in-place` updates it first" in " ".join(
        account.run("backup", name, code=1).split()
    )

    said = account.run("migrate", name)

    assert f"{name}: it has {NEW} and " in said
    state = account.state(name)
    assert (state["PlatformIdentifier"], state["NotebookInstanceStatus"]) == (NEW, "Stopped")
    assert "NotebookInstanceLifecycleConfigName" not in state
    assert tree(volume) == before
    assert "0 damaged" in account.run("verify", name)


@pytest.mark.parametrize("platform", [ENDED[-1], NEW])
def test_an_instance_moves_to_a_new_one_with_every_byte_mode_time_and_link(account: Account, platform: str) -> None:
    name = f"from-{platform.replace('notebook-', '')}"
    volume = account.old(name, platform)
    many(volume, 20_000)
    conda(volume / "miniconda3" / "envs" / "own", python={"version": "3.10.8"})
    before = tree(volume)
    assert len(before) > 20_000

    (told,) = json.loads(account.run("migrate", name, "--name", f"{name}-new", "--json"))

    assert told["error"] is None
    assert told["result"]["compared"] is True
    assert told["result"]["environments"] == 1
    script = (account.volume(f"{name}-new") / SCRIPT).read_text()
    assert "recreate miniconda3/envs/own of_conda" in script
    assert tree(account.volume(f"{name}-new")) == before == tree(volume)
    old, new = account.state(name), account.state(f"{name}-new")
    kept = ("InstanceType", "RoleArn", "VolumeSizeInGB", "NotebookInstanceStatus")
    assert {key: old[key] for key in kept} == {key: new[key] for key in kept}
    assert new["PlatformIdentifier"] == NEW
    assert new["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert account.tags(f"{name}-new")["team"] == "wine"
    account.run("clean", name, "--yes")
    _wait(lambda: name not in {one["instance"] for one in json.loads(account.run("status", "--json"))})


def test_a_running_instance_is_saved_restored_and_runs_again_and_a_second_snapshot_has_what_changed(
    account: Account,
) -> None:
    volume = account.new("ana")
    assert "it is running, and has to be stopped once" in account.run("backup", "ana", code=1)
    first = json.loads(account.run("backup", "ana", "--stop", "--json"))[0]["result"]
    (volume / "changed").write_text("only this")
    before = tree(volume)

    second = json.loads(account.run("backup", "ana", "--stop", "--json"))[0]["result"]

    assert account.state("ana")["NotebookInstanceStatus"] == "InService"
    assert second["files"] == first["files"] + 1
    s3, bucket = account.client("s3"), account.tags("ana")["ebs-backup-bucket"]
    key = "people/ana/results/complete/ana/backup-{}.json"
    moved = [
        json.loads(s3.get_object(Bucket=bucket, Key=key.format(one["snapshot"]))["Body"].read())["bytes"]["moved"]
        for one in (first, second)
    ]
    assert moved[1] < moved[0] / 20
    (volume / "changed").unlink()
    (volume / "plain.txt").unlink()
    account.run("restore", "ana", "--stop")
    assert tree(volume) == before
    assert set(account.tags("ana")) >= {"snapshot-status", "snapshot-name"}
    assert not {"snapshot-before", "snapshot-request"} & set(account.tags("ana"))


def test_a_role_of_another_person_saves_nothing_and_the_instance_says_why(account: Account) -> None:
    iam = account.client("iam")
    trust = iam.get_role(RoleName=account.role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    bob = iam.create_role(
        RoleName="bob",
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=[{"Key": "snapshot-prefix", "Value": "people/bob"}],
    )["Role"]["Arn"]
    (policy,) = iam.list_attached_role_policies(RoleName=account.role.rpartition("/")[2])["AttachedPolicies"]
    iam.attach_role_policy(RoleName="bob", PolicyArn=policy["PolicyArn"])
    account.new("bob", bob)
    arn = account.state("bob")["NotebookInstanceArn"]
    # Whoever writes ana's prefix on bob's instance gets nothing by it: the role is bob's.
    sagemaker = account.client("sagemaker")
    started = account.start("backup", "bob", "--stop")
    log = account.folder / "cloud" / "notebooks" / "us-east-1" / "bob" / "root"
    _wait(lambda: any("sagemaker:ListTags" in one.read_text() for one in log.glob("tmp/tmp.*/log")))
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()

    account.run("detach", "bob", "--stop")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "snapshot-prefix", "Value": "people/bob"}])
    assert "complete" in account.run("backup", "bob", "--stop")


def test_a_snapshot_is_brought_to_an_instance_of_another_region(account: Account) -> None:
    before = tree(account.old("far", NEW))
    account.run("backup", "far")
    tags = account.tags("far")
    bucket = tags["ebs-backup-bucket"]
    there = ("--region", ELSEWHERE)
    account.run("deploy", "--parameter", f"SnapshotsBucket={bucket}", "--parameter", "ExamplePrefix=people/ana", *there)
    (stack,) = account.client("cloudformation", ELSEWHERE).describe_stacks(StackName="signalbox-notebooks")["Stacks"]
    role = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "ExampleRoleArn")
    request = account.given("far", role, PlatformIdentifier=NEW)
    volume = notebooks.leave_behind(account.folder / "cloud", request, ELSEWHERE)

    said = account.run("restore", "far", "--snapshot", tags["snapshot-name"], *there)

    assert "far: complete: " in said
    assert tree(volume) == before


def test_a_migration_that_is_killed_goes_on_when_it_is_repeated_and_nobody_else_gets_between(account: Account) -> None:
    volume = account.new("killed")
    before = tree(volume)
    started = account.start("migrate", "killed", "--name", "killed-new", "--stop")
    _wait(lambda: "snapshot-before" in account.tags("killed"))

    assert "is at it (the migration to notebook-al2023-v1 as killed-new)" in account.run(
        "migrate", "killed", "--name", "killed-new", "--stop", code=1
    )

    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    s3, bucket = account.client("s3"), account.tags("killed")["ebs-backup-bucket"]
    # As if three minutes had passed without a word of whoever was killed.
    s3.delete_object(Bucket=bucket, Key="people/ana/migrations/killed.json")
    account.run("migrate", "killed", "--name", "killed-new", "--stop")
    assert tree(account.volume("killed-new")) == before


def test_each_end_is_an_object_of_its_own_and_a_failed_one_raises_the_alarm(account: Account) -> None:
    volume = account.old("told", NEW)
    own = os.urandom(2_000_000)
    (volume / "large").write_bytes(own)
    watch, s3 = account.client("cloudwatch"), account.client("s3")
    (alarm,) = (one for one in watch.describe_alarms()["MetricAlarms"] if one["MetricName"] == "SnapshotFailed")
    account.run("backup", "told")
    bucket, snapshot = (account.tags("told")[key] for key in ("ebs-backup-bucket", "snapshot-name"))
    account.client("sagemaker").add_tags(
        ResourceArn=account.state("told")["NotebookInstanceArn"],
        Tags=[{"Key": "snapshot-secrets", "Value": "perhaps"}],
    )
    assert "its tag snapshot-secrets is perhaps" in " ".join(account.run("backup", "told", code=1).split())
    account.client("sagemaker").delete_tags(
        ResourceArn=account.state("told")["NotebookInstanceArn"], TagKeys=["snapshot-secrets"]
    )
    digest = hashlib.sha256(own).hexdigest()
    key = f"people/ana/content/{digest[:2]}/{digest}"
    s3.head_object(Bucket=bucket, Key=key)
    s3.delete_object(Bucket=bucket, Key=key)
    (volume / "large").unlink()
    assert watch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"][0]["StateValue"] == "OK"

    said = " ".join(account.run("restore", "told", code=1).split())
    assert f"failed: 1 files of snapshot {snapshot}" in said
    assert "(large: " in said

    found = s3.list_objects_v2(Bucket=bucket, Prefix="people/ana/results/")["Contents"]
    assert {one["Key"] for one in found if "/told/" in one["Key"]} == {
        f"people/ana/results/complete/told/backup-{snapshot}.json",
        f"people/ana/results/failed/told/restore-{snapshot}.json",
    }
    _wait(lambda: watch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"][0]["StateValue"] == "ALARM")
    points = watch.get_metric_statistics(
        Namespace="Signalbox/Notebooks", MetricName="SnapshotComplete", StartTime=time.time() - 3600,
        EndTime=time.time() + 60, Period=3600, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert sum(one["Sum"] for one in points) >= 1


@dataclass(frozen=True)
class Lab:
    """A domain of Studio with the profile `ana`, whose apps have a role, and a configuration of the profile's own."""

    account: Account
    domain: str
    own: str

    @classmethod
    def of_role(cls, account: Account, role: str) -> "Lab":
        """Make domain, configuration and profile."""
        sagemaker = account.client("sagemaker")
        name = f"own-{time.monotonic_ns()}"
        own = sagemaker.create_studio_lifecycle_config(
            StudioLifecycleConfigName=name,
            StudioLifecycleConfigContent="IyEvYmluL2Jhc2gK",
            StudioLifecycleConfigAppType="JupyterLab",
        )["StudioLifecycleConfigArn"]
        domain = sagemaker.create_domain(DomainName=name, AuthMode="IAM", DefaultUserSettings={"ExecutionRole": role})[
            "DomainId"
        ]
        settings = {"JupyterLabAppSettings": {"LifecycleConfigArns": [own]}}
        sagemaker.create_user_profile(DomainId=domain, UserProfileName="ana", UserSettings=settings)
        return cls(account, domain, own)

    def move(self, *words: str, code: int = 0) -> str:
        """Bring instances into spaces of ana's, and return what was said."""
        return self.account.run("to-studio", "--domain", self.domain, "--user-profile", "ana", *words, code=code)

    def files(self, space: str, *folders: str) -> dict[str, object]:
        """Return all that is in folders of a space, which has nothing else, but who owns it.

        An app's user gives nobody anything.
        """
        home = studio.volume(self.account.folder / "cloud", self.domain, space)
        found = {name: unowned(facts) for name, facts in tree(home).items()}
        assert {name.split("/")[0] for name in found} == set(folders)
        return {name: facts for name, facts in found.items() if name not in folders}

    def apps(self, space: str) -> list[str]:
        """Return how the apps of a space stand."""
        found = self.account.client("sagemaker").list_apps(DomainIdEquals=self.domain, SpaceNameEquals=space)["Apps"]
        return [one["Status"] for one in found]

    def configs(self) -> list[str]:
        """Return the configurations of the profile."""
        found = self.account.client("sagemaker").describe_user_profile(DomainId=self.domain, UserProfileName="ana")
        given: list[str] = found["UserSettings"]["JupyterLabAppSettings"]["LifecycleConfigArns"]
        return given


def unowned(facts: Any) -> tuple[int, list[object], list[str]]:
    """Return all that has to be equal of a file but its owner."""
    (mode, _, _, *more), names = facts
    return mode, more, names


def in_folder(volume: Path, folder: str) -> dict[str, object]:
    """Return what a volume's files are in a folder of a space."""
    found: dict[str, object] = {}
    for name, facts in tree(volume).items():
        mode, more, names = unowned(facts)
        found[f"{folder}/{name}"] = (mode, more, [f"{folder}/{one}" for one in names])
    return found


def test_instances_go_into_folders_of_a_space_with_every_byte_mode_time_and_link_and_nothing_runs_afterwards(
    account: Account,
) -> None:
    lab = Lab.of_role(account, account.role)
    first, second = account.old("lab-1", NEW), account.old("lab-2", ENDED[-1])
    many(second, 500)
    before = tree(first)

    (told,) = json.loads(lab.move("lab-1", "--space", "lab", "--json"))

    assert (told["error"], told["result"]["folder"], told["result"]["left_out"]) == (None, "lab-1", 0)
    assert lab.files("lab", "lab-1") == in_folder(first, "lab-1")
    assert tree(first) == before
    assert "compared and equal" in lab.move("lab-2", "--space", "lab")
    assert lab.files("lab", "lab-1", "lab-2") == in_folder(first, "lab-1") | in_folder(second, "lab-2")
    assert set(lab.apps("lab")) == {"Deleted"}
    assert lab.configs() == [lab.own]
    space = account.client("sagemaker").describe_space(DomainId=lab.domain, SpaceName="lab")
    assert space["SpaceSettings"]["SpaceStorageSettings"]["EbsStorageSettings"] == {"EbsVolumeSizeInGb": 7}
    tags = account.client("sagemaker").list_tags(ResourceArn=space["SpaceArn"])["Tags"]
    given = {one["Key"]: one["Value"] for one in tags}
    assert given["team"] == "wine"
    assert not {"snapshot-request", "backup-snapshot", "snapshot-folder"} & set(given)
    assert f"its files are in space lab of {lab.domain}" in account.run("status", "lab-1")
    account.run("clean", "lab-1", "lab-2", "--yes")


def test_a_move_that_is_killed_goes_on_when_it_is_repeated(account: Account) -> None:
    lab = Lab.of_role(account, account.role)
    volume = account.old("lab-killed", NEW)
    words = ("to-studio", "--domain", lab.domain, "--user-profile", "ana", "lab-killed")
    started = account.start(*words)
    _wait(lambda: "snapshot-migrated-to" in account.tags("lab-killed") and lab.apps("lab-killed"))
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    s3, bucket = account.client("s3"), account.tags("lab-killed")["ebs-backup-bucket"]
    # As if three minutes had passed without a word of whoever was killed.
    for key in ("lab-killed", f"{lab.domain}.lab-killed"):
        s3.delete_object(Bucket=bucket, Key=f"people/ana/migrations/{key}.json")

    account.run(*words)

    assert lab.files("lab-killed", "lab-killed") == in_folder(volume, "lab-killed")
    assert set(lab.apps("lab-killed")) == {"Deleted"}
    assert lab.configs() == [lab.own]


def test_a_profile_whose_role_reaches_nothing_is_told_what_it_needs_before_anything_is_done(account: Account) -> None:
    iam = account.client("iam")
    trust = iam.get_role(RoleName=account.role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    role = iam.create_role(RoleName="untagged", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    lab = Lab.of_role(account, role)
    account.old("lab-refused", NEW)

    said = " ".join(lab.move("lab-refused", code=1).split())

    assert f"the role {role} of profile ana has no tag snapshot-prefix: give it the tag snapshot-prefix people" in said
    assert account.client("sagemaker").list_spaces(DomainIdEquals=lab.domain)["Spaces"] == []
