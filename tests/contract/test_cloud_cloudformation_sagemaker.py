"""SageMaker's resources in the stacks of our cloud, through boto3: made, moved, taken back and deleted."""

import json
from collections.abc import Mapping
from typing import Any

from tests.contract.stacks import NAME, Resources, Stack, get, left, model, of, outputs_of, predicted, serving
from tests.contract.world import World, allow, arn, image, name


def test_a_template_serves_a_model_moves_to_another_configuration_and_leaves_nothing(cloud: World) -> None:
    stack, serves = Stack(cloud), model(cloud)

    first = stack.create(serving(serves), NAME)
    assert first["StackStatus"] == "CREATE_COMPLETE"
    before = outputs_of(first)
    assert before["Name"].startswith(f"{stack.name}-Endpoint-")
    assert stack.physical("Endpoint") == arn(f"endpoint/{before['Name'].lower()}")
    assert predicted(cloud, before["Name"]) == b"1,2"

    second = stack.update(serving(serves, count="2"), NAME)
    after = outputs_of(second)
    assert (second["StackStatus"], after["Name"]) == ("UPDATE_COMPLETE", before["Name"])
    assert after["Config"] != before["Config"]
    assert predicted(cloud, before["Name"]) == b"1,2"
    assert len(left(cloud, stack)) == len(("model", "configuration", "endpoint"))

    assert stack.delete() == "DELETE_COMPLETE"
    assert left(cloud, stack) == []


def test_an_endpoint_that_goes_back_takes_its_stack_back(cloud: World) -> None:
    stack = Stack(cloud)
    before = outputs_of(stack.create(serving(model(cloud)), NAME))

    after = stack.update(serving(model(cloud, "broken")), NAME)

    assert (after["StackStatus"], outputs_of(after)) == ("UPDATE_ROLLBACK_COMPLETE", before)
    assert "did not pass the ping health check" in stack.reason("Endpoint")
    assert predicted(cloud, before["Name"]) == b"1,2"
    assert cloud.settled(before["Name"])["EndpointConfigName"] == before["Config"]
    assert len(left(cloud, stack)) == len(("model", "configuration", "endpoint"))
    assert stack.delete() == "DELETE_COMPLETE"


def test_an_endpoint_that_moved_moves_back_when_a_later_resource_fails(cloud: World) -> None:
    stack, serves = Stack(cloud), model(cloud)
    before = outputs_of(stack.create(serving(serves), NAME))
    late = of(
        "EndpointConfig", {"DependsOn": "Endpoint"}, ProductionVariants=[{"VariantName": "a", "ModelName": "none"}]
    )

    after = stack.update({**serving(serves, count=2), "Late": late}, NAME)

    assert after["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert 'Could not find model "' in stack.reason("Late")
    assert cloud.settled(before["Name"])["EndpointConfigName"] == before["Config"]
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_create_that_fails_is_rolled_back_with_its_reason(cloud: World) -> None:
    stack = Stack(cloud)
    assert stack.create(serving(model(cloud, "broken")))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "did not pass the ping health check" in stack.reason("Endpoint")
    assert "HandlerErrorCode: NotStabilized" in stack.reason("Endpoint")
    assert left(cloud, stack) == []


def test_what_a_template_retains_stays(cloud: World) -> None:
    stack, serves = Stack(cloud), model(cloud)
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    kept = {**serving(serves), "Config": {**serving(serves)["Config"], **retained}}
    stack.create(kept, NAME)
    other = {**serving(serves, count=2), "Config": {**serving(serves, count=2)["Config"], **retained}}
    stack.update(other, NAME)
    assert stack.delete() == "DELETE_COMPLETE"
    first, second = left(cloud, stack)
    assert {first.split("-")[2], second.split("-")[2]} == {"Config"}
    assert stack.create(kept)["StackStatus"] == "CREATE_COMPLETE"  # under other names than those that stayed
    stack.delete()


def test_a_named_resource_that_needs_replacing_is_refused_and_a_renamed_one_is_replaced(cloud: World) -> None:
    stack, named = Stack(cloud), name("model")
    stack.create({"Model": model(cloud, ModelName=named)})

    assert stack.update({"Model": model(cloud, ModelName=named)})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.reason("Model") == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {stack.physical('Model')} and update the stack again."
    )
    renamed = name("model")
    assert stack.update({"Model": model(cloud, ModelName=renamed)})["StackStatus"] == "UPDATE_COMPLETE"
    assert [one["ModelName"] for one in cloud.client("sagemaker").list_models(NameContains=named)["Models"]] == []
    assert stack.physical("Model") == arn(f"model/{renamed}")
    stack.delete()


def test_a_registry_is_made_a_package_approved_and_all_of_it_deleted(cloud: World) -> None:
    stack, group, data = Stack(cloud), name("group"), cloud.bucket({"m.tar.gz": b"1"})
    specified = {
        "Containers": [{"Image": image("echo"), "ModelDataUrl": f"s3://{data}/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }

    def resources(approval: str) -> Resources:
        package = {"InferenceSpecification": specified, "ModelApprovalStatus": approval}
        return {
            "Group": of("ModelPackageGroup", ModelPackageGroupName=group, Tags=[{"Key": "team", "Value": "a"}]),
            "Package": of("ModelPackage", {"DependsOn": "Group"}, ModelPackageGroupName=group, **package),
        }

    told = {"Group": {"Ref": "Group"}, "Package": {"Ref": "Package"}, "Status": get("Package", "ModelPackageStatus")}
    made = outputs_of(stack.create(resources("PendingManualApproval"), told))
    assert made == {
        "Group": arn(f"model-package-group/{group}"),
        "Package": arn(f"model-package/{group}/1"),
        "Status": "Completed",
    }

    assert outputs_of(stack.update(resources("Approved"), told)) == made
    sagemaker = cloud.client("sagemaker")
    assert sagemaker.describe_model_package(ModelPackageName=made["Package"])["ModelApprovalStatus"] == "Approved"
    assert sagemaker.list_tags(ResourceArn=made["Group"])["Tags"] == [{"Key": "team", "Value": "a"}]
    assert stack.delete() == "DELETE_COMPLETE"
    assert sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"] == []


def test_a_pipeline_has_its_definition_as_a_text_or_in_a_bucket(cloud: World) -> None:
    stack, pipeline = Stack(cloud), name("pipeline")
    role = cloud.role(allow("s3:GetObject"))
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
    other = {**definition, "Parameters": [{"Name": "P", "Type": "String"}]}
    bucket = cloud.bucket({"d.json": json.dumps(other).encode()})

    def resources(given: Mapping[str, Any]) -> Resources:
        return {"Pipeline": of("Pipeline", PipelineName=pipeline, RoleArn=role, PipelineDefinition=given)}

    def defined() -> Any:
        return json.loads(cloud.client("sagemaker").describe_pipeline(PipelineName=pipeline)["PipelineDefinition"])

    made = stack.create(resources({"PipelineDefinitionBody": json.dumps(definition)}), {"Ref": {"Ref": "Pipeline"}})
    assert (outputs_of(made)["Ref"], defined()) == (pipeline, definition)
    place = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": "d.json"}}
    assert stack.update(resources(place))["StackStatus"] == "UPDATE_COMPLETE"
    assert defined() == other
    assert stack.delete() == "DELETE_COMPLETE"
    assert cloud.client("sagemaker").list_pipelines(PipelineNamePrefix=pipeline)["PipelineSummaries"] == []


def test_a_feature_group_is_made_and_deleted(cloud: World) -> None:
    stack, group = Stack(cloud), name("features")
    features = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "at", "FeatureType": "Fractional"}]
    made = of(
        "FeatureGroup",
        FeatureGroupName=group,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=features,
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    described = stack.create({"Group": made}, {"Ref": {"Ref": "Group"}, "Status": get("Group", "FeatureGroupStatus")})
    assert outputs_of(described) == {"Ref": group, "Status": "Created"}
    assert stack.delete() == "DELETE_COMPLETE"
    assert cloud.client("sagemaker").list_feature_groups(NameContains=group)["FeatureGroupSummaries"] == []
