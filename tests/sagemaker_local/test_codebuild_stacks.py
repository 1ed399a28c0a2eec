"""Stacks make projects and repositories by the services' own APIs, as whoever works on the stack."""

import json
from typing import Any

from tests.contract.stacks import Stack
from tests.contract.world import allow, name
from tests.sagemaker_local.support.builds import Builder, builder, spec

from sagemaker_local.server import ACCOUNT, REGION

__all__ = ["builder"]
_EXPIRED = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 10}
_RULES = json.dumps({"rules": [{"rulePriority": 1, "selection": _EXPIRED, "action": {"type": "expire"}}]})


def project(role: str, **more: Any) -> dict[str, Any]:
    properties = {
        "Source": {"Type": "NO_SOURCE", "BuildSpec": spec("echo $A")},
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/standard:7.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "PrivilegedMode": "true",
            "EnvironmentVariables": [{"Name": "A", "Value": "of the template"}],
        },
        "ServiceRole": role,
        **more,
    }
    return {"Type": "AWS::CodeBuild::Project", "Properties": properties}


def repository(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::ECR::Repository", "Properties": properties}


def outputs(**values: Any) -> dict[str, Any]:
    return {key: {"Value": value} for key, value in values.items()}


def told(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def att(logical_id: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def test_a_project_of_a_stack_builds_and_changes_and_goes_with_it(builder: Builder) -> None:
    stack, made, role = Stack(builder.world), name("project"), builder.role()
    tags = [{"Key": "a", "Value": "b"}]
    whole = project(role, Name=made, TimeoutInMinutes="30", Description="d", Tags=tags)

    created = stack.create({"Project": whole}, outputs(Ref={"Ref": "Project"}, Arn=att("Project", "Arn")))

    assert created["StackStatus"] == "CREATE_COMPLETE", stack.reason("Project")
    assert told(created) == {"Ref": made, "Arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{made}"}
    build = builder.ended(builder.start(made))
    assert "\nof the template\n" in builder.log(build)
    [found] = builder.api.batch_get_projects(names=[made])["projects"]
    assert (found["timeoutInMinutes"], found["environment"]["privilegedMode"]) == (30, True)
    assert found["tags"] == [{"key": "a", "value": "b"}]

    updated = stack.update({"Project": project(role, Name=made, ConcurrentBuildLimit=2)})
    assert updated["StackStatus"] == "UPDATE_COMPLETE", stack.reason("Project")
    [found] = builder.api.batch_get_projects(names=[made])["projects"]
    assert (found["timeoutInMinutes"], found["concurrentBuildLimit"], found["tags"]) == (60, 2, [])
    assert stack.delete() == "DELETE_COMPLETE"
    assert builder.api.batch_get_projects(names=[made])["projects"] == []


def test_a_repository_of_a_stack_has_its_policies_and_goes_with_its_images_where_it_may(builder: Builder) -> None:
    stack, ecr, made = Stack(builder.world), builder.world.client("ecr"), name("repository")
    statement = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "ecr:*"}
    whole = repository(
        RepositoryName=made,
        ImageTagMutability="IMMUTABLE",
        ImageScanningConfiguration={"ScanOnPush": "true"},
        EncryptionConfiguration={"EncryptionType": "AES256"},
        LifecyclePolicy={"LifecyclePolicyText": _RULES},
        RepositoryPolicyText={"Version": "2012-10-17", "Statement": [statement]},
        EmptyOnDelete=True,
        Tags=[{"Key": "a", "Value": "b"}],
    )
    wanted = outputs(Ref={"Ref": "R"}, Arn=att("R", "Arn"), Uri=att("R", "RepositoryUri"))

    created = stack.create({"R": whole}, wanted)

    assert created["StackStatus"] == "CREATE_COMPLETE", stack.reason("R")
    assert told(created) == {
        "Ref": made,
        "Arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{made}",
        "Uri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{made}",
    }
    [found] = ecr.describe_repositories(repositoryNames=[made])["repositories"]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    assert ecr.get_lifecycle_policy(repositoryName=made)["lifecyclePolicyText"] == _RULES
    assert json.loads(ecr.get_repository_policy(repositoryName=made)["policyText"])["Statement"] == [statement]
    assert {"Key": "a", "Value": "b"} in ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]

    ecr.put_image(repositoryName=made, imageManifest="{}", imageTag="v1")
    fixed = {"RepositoryName": made, "EncryptionConfiguration": {"EncryptionType": "AES256"}}
    updated = stack.update({"R": repository(**fixed, EmptyOnDelete=True)}, wanted)
    assert updated["StackStatus"] == "UPDATE_COMPLETE", stack.reason("R")
    [found] = ecr.describe_repositories(repositoryNames=[made])["repositories"]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("MUTABLE", {"scanOnPush": False})
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_repository_with_images_that_may_not_be_emptied_keeps_its_stack(builder: Builder) -> None:
    stack, made = Stack(builder.world), name("repository")
    stack.create({"R": repository(RepositoryName=made)})
    builder.world.client("ecr").put_image(repositoryName=made, imageManifest="{}", imageTag="v1")

    assert stack.delete() == "DELETE_FAILED"
    assert "is not empty" in stack.reason("R")


def test_who_works_on_a_stack_needs_the_rights_to_what_it_makes(builder: Builder) -> None:
    role = builder.world.role(allow("cloudformation:*"), allow("codebuild:CreateProject"))
    formation = builder.world.as_role(role, "cloudformation")

    for resource, missing in (
        (project(builder.role()), "iam:PassRole"),
        (repository(), "ecr:CreateRepository"),
    ):
        stack = Stack(builder.world, formation=formation)
        assert stack.create({"It": resource})["StackStatus"] == "ROLLBACK_COMPLETE"
        assert f"is not authorized to perform: {missing}" in stack.reason("It")


def test_what_a_template_gets_wrong_or_is_not_here_is_told_by_its_name(builder: Builder) -> None:
    role = builder.role()
    for resource, reason in (
        (project(role, Triggers={"Webhook": True}), "Triggers of AWS::CodeBuild::Project is not emulated here"),
        (project(role, Nonsense=1), "#: extraneous key [Nonsense] is not permitted"),
        (project(role, BadgeEnabled=True), "badgeEnabled is not emulated here"),
        (repository(ImageTagMutability=[]), "#/ImageTagMutability: expected type: String, found: JSONArray"),
    ):
        stack = Stack(builder.world)
        assert stack.create({"It": resource})["StackStatus"] == "ROLLBACK_COMPLETE"
        assert reason in stack.reason("It")
