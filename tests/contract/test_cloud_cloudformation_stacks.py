"""What stacks with SageMaker's resources are refused, for whom they act, and what else CloudFormation knows of them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.stacks import NAME, Stack, body, get, left, model, of, outputs_of, serving
from tests.contract.test_cloud_sagemaker import refused
from tests.contract.world import World, allow, name, until


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
        "AWS::CodeCommit::Repository",
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
