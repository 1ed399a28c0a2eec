"""A build of one project deploys it, by the policy that its automation has, and reaches nothing of another project."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sagemaker_local import inbox
from signalbox.projects import ProjectDocumentError, load_model
from signalbox_local.deploy import STACK
from signalbox_operate.projects import deploying, reading
from signalbox_operate.projects.cloudformation import ProjectStack
from signalbox_operate.projects.place import Place
from signalbox_operate.stack import OperateError, read
from tests.system import project_folders
from tests.system.world import PREFIX, World

_TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
_DOCUMENT = "2012-10-17"


@dataclass(frozen=True)
class Builds:
    """Whoever builds the project east, and the policies of its automation."""

    world: World
    folder: Path
    outputs: dict[str, str]
    role: str

    def client(self, service: str) -> Any:
        """Return a client that acts as the build."""
        keys = self.world.client("sts").assume_role(RoleArn=self.role, RoleSessionName="build")["Credentials"]
        return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
            service,
            endpoint_url=self.world.cloud.url,
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def place(self) -> Place:
        """Return the stack as the build has it."""
        return Place(read(STACK, self.client("cloudformation")), "us-east-1", self.client, lambda _: None)

    def refuses(self, call: Callable[..., Any], **request: Any) -> bool:
        """Say whether IAM refuses a call."""
        try:
            call(**request)
        except ClientError as error:
            if "AccessDenied" not in error.response["Error"]["Code"]:
                raise
            return True
        return False


@pytest.fixture(scope="module")
def builds(world: World, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Give a project its automation, of which another service's role has the policy; a second project is west."""
    folder = tmp_path_factory.mktemp("builds")
    for name in ("east", "west"):
        project_folders.two_models(folder / name, name)
    world.signalbox("projects", "create", str(folder / "east"), "--repository", "none", "--yes")
    world.signalbox("deploy", str(folder / "west"))
    stack = world.client("cloudformation").describe_stacks(StackName=f"{PREFIX}-cicd-east")["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    iam = world.client("iam")
    trust = json.dumps({"Version": _DOCUMENT, "Statement": [_TRUST]})
    role = iam.create_role(RoleName="builds-of-east", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="builds-of-east", PolicyArn=outputs["DeployPolicyArn"])
    return Builds(world, folder, outputs, role)


def test_a_build_deploys_its_project_twice_and_its_roles_have_the_boundary(world: World, builds: Builds) -> None:
    project = reading.read(builds.folder / "east")
    for _ in range(2):
        deploying.deploy(project, builds.place())

    iam = world.client("iam")
    found = iam.list_roles(PathPrefix=f"/{PREFIX}/projects/east/")["Roles"]
    bounds = [iam.get_role(RoleName=role["RoleName"])["Role"]["PermissionsBoundary"] for role in found]
    assert [one["PermissionsBoundaryArn"] for one in bounds] == [builds.outputs["BoundaryArn"]] * 4
    called = {call["action"] for call in world.cloud.calls() if "builds-of-east" in call["principal"]}
    assert {"iam:CreateRole", "ssm:PutParameter", "sagemaker:CreatePipeline"} <= called
    refused = [call for call in world.cloud.calls() if "builds-of-east" in call["principal"] and not call["allowed"]]
    assert not refused, refused


def test_a_build_cannot_deploy_another_project(builds: Builds) -> None:
    with pytest.raises((OperateError, ClientError), match=r"not authorized to perform|AccessDenied"):
        deploying.deploy(reading.read(builds.folder / "west"), builds.place())


def test_a_malicious_push_makes_no_role_beyond_the_boundary(builds: Builds) -> None:
    stack = builds.place().stack_of("east")
    owner = ProjectStack(stack.name, builds.world.client("cloudformation"), lambda _: None)
    template = owner.template()
    job = template["Resources"]["JobRole"]["Properties"]
    job.pop("PermissionsBoundary")
    job["Policies"][0]["PolicyDocument"]["Statement"] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]

    with pytest.raises(OperateError, match="iam:DeleteRolePermissionsBoundary"):
        stack.put(template, owner.tags())


def test_a_build_reaches_nothing_of_another_project(builds: Builds) -> None:
    s3, ssm, sagemaker = builds.client("s3"), builds.client("ssm"), builds.client("sagemaker")
    outputs = builds.world.outputs
    artifacts, data = outputs["ArtifactsBucket"], outputs["DataBucket"]
    value = {"Value": "{}", "Type": "String", "Overwrite": True}

    for key in ("code/west/x", "packages/east-good/x", "evaluations/x", "command-line/x.zip"):
        assert builds.refuses(s3.put_object, Bucket=artifacts, Key=key, Body=b"x")
    assert builds.refuses(s3.put_object, Bucket=data, Key="incoming/west/x.csv", Body=b"x")
    assert builds.refuses(s3.get_object, Bucket=data, Key="incoming/east/x.csv")
    for name in ("projects/west", "models/west-good", "published/west", "automations/east", "grants/east", "stages"):
        assert builds.refuses(ssm.put_parameter, Name=f"/{PREFIX}/{name}", **value)
    assert builds.refuses(sagemaker.delete_pipeline, PipelineName=f"{PREFIX}-west--judge", ClientRequestToken="x" * 32)
    assert builds.refuses(builds.client("cloudformation").delete_stack, StackName=f"{PREFIX}-project-west")


def wrote(builds: Builds, name: str, old: str, new: str) -> None:
    """Let the build put another text into one of its documents."""
    ssm, parameter = builds.client("ssm"), f"/{PREFIX}/{name}"
    text = builds.world.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    assert old in text
    ssm.put_parameter(Name=parameter, Value=text.replace(old, new), Type="String", Overwrite=True)


def test_a_prefix_of_another_project_in_a_builds_document_moves_no_upload(world: World, builds: Builds) -> None:
    # Of two that claim the same, the first by name has it: without the grant, east.
    wrote(builds, "projects/east", '"incoming/east/"', '"incoming/west/"')
    world.client("s3").put_object(
        Bucket=world.outputs["DataBucket"], Key="incoming/west/rows.csv", Body=b"west-good,0.1\nwest-weak,0.1\n"
    )

    def runs(pipeline: str) -> list[str]:
        found = world.client("sagemaker").list_pipeline_executions(PipelineName=f"{PREFIX}-{pipeline}")
        return [str(one["PipelineExecutionStatus"]) for one in found["PipelineExecutionSummaries"]]

    world.wait_for("the run of the project that has the prefix", lambda: runs("west--judge") == ["Succeeded"])
    assert not runs("east--judge")
    told = world.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{PREFIX}/record_uploads")["events"]
    (line,) = [json.loads(one["message"]) for one in told if "claims not granted" in one["message"]][:1]
    assert (line["project"], line["prefixes"]) == ("east", ["incoming/west/"])


def test_a_role_of_another_project_in_a_builds_document_runs_nothing_and_is_mailed(
    world: World, builds: Builds
) -> None:
    wrote(builds, "models/east-good", f"/{PREFIX}/projects/east/", f"/{PREFIX}/projects/west/")

    ended = world.ended(world.train("east-good", "4f1c2e9"))

    assert ended["status"] == "FAILED"
    assert "roles.job of the model east-good is" in ended["cause"]
    assert "granted to the project 'east'" in inbox.text(world.mail("east-good", "failed"))
    calls = [call for call in world.cloud.calls() if call["action"] == "sagemaker:CreateTrainingJob"]
    assert not [call for call in calls if "east-good" in call["resource"]]


def test_what_a_build_wrote_over_a_document_stays_until_the_version_before_is_put_back(
    world: World, builds: Builds
) -> None:
    ssm, name = world.client("ssm"), f"/{PREFIX}/models/east-good"
    deploying.deploy(reading.read(builds.folder / "east"), builds.place())  # CloudFormation finds nothing to change
    before, after = ssm.get_parameter_history(Name=name)["Parameters"][-2:]
    with pytest.raises(ProjectDocumentError):
        load_model(PREFIX, "east-good", ssm)

    ssm.put_parameter(Name=name, Value=before["Value"], Type="String", Overwrite=True)

    assert before["Version"] + 1 == after["Version"]
    assert load_model(PREFIX, "east-good", ssm) is not None


def test_an_automation_goes_with_its_project(world: World, builds: Builds) -> None:
    for name in ("east", "west"):
        world.signalbox("projects", "remove", name, "--yes")

    stacks = world.client("cloudformation").describe_stacks()["Stacks"]
    there = {one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"}
    assert not there & {f"{PREFIX}-cicd-east", f"{PREFIX}-project-east"}
    names = [one["repositoryName"] for one in world.client("ecr").describe_repositories()["repositories"]]
    assert f"{PREFIX}/east" in names
    left = world.client("ssm").get_parameters_by_path(Path=f"/{PREFIX}", Recursive=True)["Parameters"]
    assert not [one["Name"] for one in left if "east" in one["Name"]]
