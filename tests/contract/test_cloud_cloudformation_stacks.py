"""What stacks with SageMaker's resources are refused, for whom they act, and what else CloudFormation knows of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.process import LocalCloud
from sagemaker_local.server import REGION
from tests.contract.stacks import (
    NAME,
    Resources,
    Stack,
    body,
    get,
    left,
    model,
    of,
    outputs_of,
    predicted,
    principals,
    serving,
)
from tests.contract.test_cloud_sagemaker import refused
from tests.contract.world import World, allow, name, until
from tests.sagemaker_local.support.programs import environment


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (of("EndpointConfig"), "#: required key [ProductionVariants] not found"),
        (of("Endpoint", EndpointConfigName="c", Endpoint="e"), "#: extraneous key [Endpoint] is not permitted"),
        (of("Endpoint", EndpointConfigName="none"), 'Could not find endpoint configuration "'),
    ],
)
def test_what_is_wrong_with_a_resource_is_the_reason_of_its_event(
    cloud: World, resource: dict[str, Any], reason: str
) -> None:
    stack = Stack(cloud)
    assert stack.create({"Wrong": resource})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in stack.reason("Wrong")


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::SageMaker::Domain",
        "AWS::CodePipeline::Pipeline",
        "AWS::ServiceCatalog::Portfolio",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::Config::ConfigRule",
        "AWS::CloudFormation::StackSet",
    ],
)
def test_a_type_that_is_not_here_is_refused_by_its_name(cloud: World, kind: str) -> None:
    template = {"TemplateBody": json.dumps({"Resources": {"Unknown": {"Type": kind, "Properties": {}}}})}
    formation, wanted = cloud.client("cloudformation"), ("ValidationError", f"{kind} is not emulated here.")
    for call, more in (
        (formation.create_stack, {"StackName": name("stack")}),
        (formation.create_change_set, {"StackName": name("stack"), "ChangeSetName": "c", "ChangeSetType": "CREATE"}),
        (formation.validate_template, {}),
    ):
        code, message = refused(call, **template, **more)
        assert (code, message.rpartition("]. ")[2]) == wanted


def test_a_type_that_is_not_here_is_refused_in_a_nested_stack_too(cloud: World) -> None:
    nested = body({"Set": {"Type": "AWS::CloudFormation::StackSet", "Properties": {}}})
    bucket = cloud.bucket({"nested.json": nested.encode()})
    properties = {"TemplateURL": f"{cloud.url}/{bucket}/nested.json"}
    stack = Stack(cloud)
    stack.create({"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}})
    assert stack.reason("Nested") == "AWS::CloudFormation::StackSet is not emulated here."


def test_cloud_control_is_refused_by_name_and_no_more_answers_that_it_made_what_it_did_not(
    plain: World, cloud: World
) -> None:
    bucket = name("bucket")
    asked = {"TypeName": "AWS::S3::Bucket", "DesiredState": json.dumps({"BucketName": bucket})}
    made = plain.client("cloudcontrol").create_resource(**asked)["ProgressEvent"]
    there = [one["Name"] for one in plain.client("s3").list_buckets()["Buckets"]]
    assert (made["OperationStatus"], bucket in there) == ("SUCCESS", False), "Cloud Control makes things: let it"

    assert refused(cloud.client("cloudcontrol").create_resource, **asked) == (
        "UnsupportedActionException",
        "Cloud Control is not emulated here, for AWS::S3::Bucket.",
    )


def test_a_stack_may_do_what_its_caller_may(cloud: World) -> None:
    formation = allow("cloudformation:*")
    serves = model(cloud)
    passing = allow("iam:PassRole", resource=serves["Properties"]["ExecutionRoleArn"])
    nobody = Stack(cloud, formation=cloud.as_role(cloud.role(formation), "cloudformation"))
    maker = allow("sagemaker:CreateModel", "sagemaker:DeleteModel")
    somebody = Stack(cloud, formation=cloud.as_role(cloud.role(formation, maker, passing), "cloudformation"))

    assert nobody.create({"Model": serves})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: sagemaker:CreateModel" in nobody.reason("Model")
    assert "HandlerErrorCode: AccessDenied" in nobody.reason("Model")
    assert somebody.create({"Model": serves})["StackStatus"] == "CREATE_COMPLETE"
    assert somebody.delete() == "DELETE_COMPLETE"


def test_a_stack_is_worked_on_with_the_role_that_it_was_given(cloud: World) -> None:
    serves, formation = model(cloud), allow("cloudformation:*")
    passing = allow("iam:PassRole", resource=serves["Properties"]["ExecutionRoleArn"])
    maker = allow("sagemaker:CreateModel", "sagemaker:DeleteModel")
    role = cloud.role(maker, passing, service="cloudformation.amazonaws.com")
    caller = cloud.as_role(cloud.role(formation, allow("iam:PassRole", resource=role)), "cloudformation")
    stack = Stack(cloud, formation=caller, RoleARN=role)

    described = stack.create({"Model": serves})
    assert (described["StackStatus"], described["RoleARN"]) == ("CREATE_COMPLETE", role)
    assert principals(cloud, "sagemaker:CreateModel")[-1].endswith(f"/{role.rpartition('/')[2]}/AWSCloudFormation")
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_role_that_may_not_be_passed_or_assumed_is_refused(cloud: World) -> None:
    template = body({"Group": of("ModelPackageGroup", ModelPackageGroupName=name("group"))})
    role = cloud.role(allow("*"), service="cloudformation.amazonaws.com")
    nobody = cloud.as_role(cloud.role(allow("cloudformation:*")), "cloudformation")
    refusal = refused(nobody.create_stack, StackName=name("stack"), TemplateBody=template, RoleARN=role)
    assert refusal[0] == "AccessDenied"
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in refusal[1]

    other, owner = cloud.role(allow("*")), cloud.client("cloudformation")
    refusal = refused(owner.create_stack, StackName=name("stack"), TemplateBody=template, RoleARN=other)
    assert refusal == ("ValidationError", f"Role {other} is invalid or cannot be assumed")


def test_a_stack_that_is_deleted_while_it_is_made_leaves_nothing(cloud: World) -> None:
    stack, formation = Stack(cloud), cloud.client("cloudformation")
    stack.id = formation.create_stack(StackName=stack.name, TemplateBody=body(serving(model(cloud))))["StackId"]
    until(lambda: cloud.client("sagemaker").list_endpoints(NameContains=stack.name)["Endpoints"])

    formation.delete_stack(StackName=stack.name)

    until(lambda: stack.rest()["StackStatus"] == "DELETE_COMPLETE")
    assert left(cloud, stack) == []


def test_a_nested_stack_has_such_resources_too(cloud: World) -> None:
    nested = body(serving(model(cloud)), NAME)
    bucket = cloud.bucket({"nested.json": nested.encode()})
    properties = {"TemplateURL": f"{cloud.url}/{bucket}/nested.json"}
    stack = Stack(cloud)
    described = stack.create(
        {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}},
        {"Name": get("Nested", "Outputs.Name")},
    )
    assert predicted(cloud, outputs_of(described)["Name"]) == b"1,2"
    assert stack.delete() == "DELETE_COMPLETE"
    assert left(cloud, stack) == []


def test_a_change_set_says_what_is_replaced_and_does_it(cloud: World) -> None:
    stack, serves, formation = Stack(cloud), model(cloud), cloud.client("cloudformation")
    before = outputs_of(stack.create(serving(serves), NAME))
    made = formation.create_change_set(
        StackName=stack.name, ChangeSetName="more", TemplateBody=body(serving(serves, count=2), NAME)
    )

    def ready() -> dict[str, Any] | None:
        found: dict[str, Any] = formation.describe_change_set(ChangeSetName=made["Id"])
        return found if found["Status"] == "CREATE_COMPLETE" else None

    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in until(ready)["Changes"]}
    assert (changes["Config"]["Replacement"], changes["Endpoint"]["Replacement"]) == ("True", "False")
    formation.execute_change_set(ChangeSetName=made["Id"])
    until(lambda: outputs_of(stack.rest()).get("Config") != before["Config"])
    assert stack.rest()["StackStatus"] == "UPDATE_COMPLETE"
    stack.delete()


def test_a_serverless_template_has_such_resources_too(cloud: World) -> None:
    stack = Stack(cloud, Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"])
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Model": model(cloud)}}
    formation = cloud.client("cloudformation")
    made = formation.create_change_set(
        StackName=stack.name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(template)
    )
    stack.id = made["StackId"]
    until(lambda: formation.describe_change_set(ChangeSetName=made["Id"])["Status"] == "CREATE_COMPLETE")
    formation.execute_change_set(ChangeSetName=made["Id"])
    until(lambda: stack.rest()["StackStatus"] == "CREATE_COMPLETE")
    assert len(left(cloud, stack)) == 1
    stack.delete()


def test_sam_deploys_such_a_template_and_says_why_one_fails(
    local_cloud: LocalCloud, cloud: World, tmp_path: Path
) -> None:
    stack = Stack(cloud)

    def deployed(resources: Resources) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "template.json").write_text(
            json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})
        )
        sam = str(Path(sys.executable).with_name("sam"))
        where = ["--template-file", "template.json", "--stack-name", stack.name, "--region", REGION]
        surroundings = {
            **environment(),
            **local_cloud.environment,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.5",
        }
        return subprocess.run(
            [sam, "deploy", *where], cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False
        )

    first, second = deployed(serving(model(cloud))), deployed(serving(model(cloud, "broken")))

    assert first.returncode == 0, first.stderr
    assert second.returncode == 1
    assert "did not pass the ping health check" in " ".join(second.stdout.replace("\n", " ").split())
    stack.id = stack.name
    assert stack.rest()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    cloud.client("cloudformation").delete_stack(StackName=stack.name)


def test_a_value_is_exported_to_another_stack_which_holds_it(cloud: World) -> None:
    first, second, export = Stack(cloud), Stack(cloud), name("export")
    exported = {"Model": {"Value": get("Model", "ModelName"), "Export": {"Name": export}}}
    first.create({"Model": model(cloud)}, exported)
    variant = {
        "VariantName": "a",
        "ModelName": {"Fn::ImportValue": export},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    assert (
        second.create({"Config": of("EndpointConfig", ProductionVariants=[variant])})["StackStatus"]
        == "CREATE_COMPLETE"
    )

    with pytest.raises(ClientError, match=f"Export {export} is imported by stack {second.name}"):
        first.delete()
    assert (second.delete(), first.delete()) == ("DELETE_COMPLETE", "DELETE_COMPLETE")


def test_a_resource_that_somebody_changed_has_drifted(cloud: World) -> None:
    stack, group, formation = Stack(cloud), name("group"), cloud.client("cloudformation")
    stack.create(
        {
            "Group": of("ModelPackageGroup", ModelPackageGroupName=group, Tags=[{"Key": "team", "Value": "a"}]),
            "Model": model(cloud),
        }
    )

    def drifts() -> dict[str, str]:
        formation.detect_stack_drift(StackName=stack.name)
        found = formation.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
        return {one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in found}

    assert drifts() == {"Group": "IN_SYNC", "Model": "IN_SYNC"}
    sagemaker = cloud.client("sagemaker")
    sagemaker.add_tags(ResourceArn=stack.physical("Group"), Tags=[{"Key": "team", "Value": "b"}])
    sagemaker.delete_model(ModelName=stack.physical("Model").rpartition("/")[2])
    assert drifts() == {"Group": "MODIFIED", "Model": "DELETED"}
    assert stack.delete() == "DELETE_COMPLETE"


def test_the_tags_of_a_stack_are_its_resources_tags(cloud: World) -> None:
    stack = Stack(cloud, Tags=[{"Key": "team", "Value": "a"}])
    stack.create({"Model": model(cloud, Tags=[{"Key": "own", "Value": "1"}])})
    found = cloud.client("sagemaker").list_tags(ResourceArn=stack.physical("Model"))["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"own": "1", "team": "a"}
    stack.delete()
