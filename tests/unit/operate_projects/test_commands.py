"""`check`, `deploy` and `projects` as a person runs them: what they say, and how they end."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT
from tests.support.project_cloud import POLICY, ProjectCloud
from tests.support.project_folders import YAML, write
from tests.support.stack import OUTPUTS
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    """The services, which the commands reach in us-east-1."""
    made = ProjectCloud()
    describe = made.stacks._describe_stacks  # its twin's own, to have the main stack too

    def describe_stacks(**request: Any) -> dict[str, Any]:
        if request["StackName"] != "signalbox":
            return describe(**request)
        outputs = {**OUTPUTS, "ContainerPolicyArn": POLICY}
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        watched = [{"ParameterKey": "UploadPrefix", "ParameterValue": "incoming/"}]
        stack = {"StackName": "signalbox", "StackStatus": "CREATE_COMPLETE", "CreationTime": 0}
        return {"Stacks": [{**stack, "Outputs": listed, "Parameters": watched}]}

    made.stacks.answers["describe_stacks"] = describe_stacks
    monkeypatch.setattr(account, "client", made.clients.__getitem__)
    monkeypatch.setattr("time.sleep", lambda _: None)
    for name, value in {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell without a word about AWS."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.mark.usefixtures("alone")
def test_a_project_is_checked_without_an_account() -> None:
    done = run("check", str(ROOT / "projects/abalone"))

    assert done.exit_code == 0, done.output
    assert "takes uploads as a manifest in InputManifest; models: abalone" in done.output
    assert "not checked against other projects: " in done.output
    assert done.output.endswith("project abalone can be deployed\n")


@pytest.mark.usefixtures("alone")
def test_each_thing_that_is_wrong_is_a_line_and_nothing_in_it_becomes_a_picture(tmp_path: Path) -> None:
    done = run("check", str(write(tmp_path, 'project: wine\ntags: {"aws:x": a}\nnope: 1\n')))

    assert done.exit_code == 1
    told = done.stderr.splitlines()
    assert len(told) == 2
    assert told[0].startswith('error: signalbox.yaml, line 2, tags.aws:x: the name "aws:x" is not allowed')


def test_a_check_with_a_stack_writes_nothing_and_knows_what_others_claim(cloud: ProjectCloud, tmp_path: Path) -> None:
    assert run("deploy", str(write(tmp_path / "wine"))).exit_code == 0
    before = [len(client.calls) for client in (cloud.s3, cloud.sagemaker)]

    done = run("check", str(write(tmp_path / "beer", YAML.replace("project: wine", "project: beer"))))

    assert done.exit_code == 1
    assert "incoming/wine/ is claimed by the project wine: choose another prefix" in done.stderr
    assert "the model wine belongs to the project wine" in done.stderr
    assert [len(client.calls) for client in (cloud.s3, cloud.sagemaker)] == before


def test_projects_are_shown_with_what_waits_for_them(cloud: ProjectCloud, tmp_path: Path) -> None:
    assert "no project is deployed: `signalbox deploy FOLDER` deploys one" in run("projects").output
    assert run("deploy", str(write(tmp_path))).exit_code == 0
    cloud.waiting["signalbox-wine--train"] = 3

    shown = re.sub(r"\s+", " ", run("projects").output)

    for cell in ("wine", "signalbox-wine--train", "incoming/wine/", "3"):
        assert cell in shown


def test_a_removal_is_asked_first_and_done_when_it_is_meant(cloud: ProjectCloud, tmp_path: Path) -> None:
    assert run("deploy", str(write(tmp_path))).exit_code == 0
    done = CliRunner().invoke(cli.app, ["projects", "remove", "wine"], input="n\n")
    assert done.exit_code == 1
    assert "nothing was removed" in done.stderr
    assert cloud.stacks.stacks

    assert run("projects", "remove", "wine", "--yes").exit_code == 0
    assert not cloud.stacks.stacks


def test_a_stack_of_a_version_without_projects_says_what_to_do(cloud: ProjectCloud, tmp_path: Path) -> None:
    found = cloud.stacks.answers["describe_stacks"]

    def without(**request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = found(**request)
        for stack in answer["Stacks"]:
            stack["Outputs"] = [one for one in stack["Outputs"] if one["OutputKey"] != "ContainerPolicyArn"]
        return answer

    cloud.stacks.answers["describe_stacks"] = without
    done = run("deploy", str(write(tmp_path)))
    assert "has no output ContainerPolicyArn" in done.stderr
    assert "Deploy it again with `sam deploy`" in done.stderr
