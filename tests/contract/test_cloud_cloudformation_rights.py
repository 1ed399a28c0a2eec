"""The rights that the published schemas of the types name are enough to make, change and delete a resource."""

import json
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.contract.stacks import Stack, model, of
from tests.contract.world import World, allow, image, name

_FAIL = {"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}


def rights(kind: str) -> list[str]:
    """Return the actions that the handlers of a type need."""
    found = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", f"AWS::SageMaker::{kind}").schema
    handlers: Any = found["handlers"]
    return sorted({action for verb in ("create", "update", "delete") for action in handlers[verb]["permissions"]})


def resource(cloud: World, kind: str) -> dict[str, Any]:
    """Return a resource of a type, for which everything that it needs is there."""
    if kind == "Model":
        return model(cloud)
    if kind == "Endpoint":
        return of(kind, EndpointConfigName=cloud.config())
    if kind == "ModelPackageGroup":
        return of(kind, ModelPackageGroupName=name("group"))
    if kind == "Pipeline":
        definition = {"PipelineDefinitionBody": json.dumps(_FAIL)}
        return of(kind, PipelineName=name("pipeline"), RoleArn=cloud.role(), PipelineDefinition=definition)
    if kind == "ModelPackage":
        group, data = name("group"), cloud.bucket({"m.tar.gz": b"1"})
        cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        specified = {
            "Containers": [{"Image": image("echo"), "ModelDataUrl": f"s3://{data}/m.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        return of(kind, ModelPackageGroupName=group, InferenceSpecification=specified)
    features = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "at", "FeatureType": "Fractional"}]
    return of(
        "FeatureGroup",
        FeatureGroupName=name("features"),
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=features,
        OnlineStoreConfig={"EnableOnlineStore": True},
    )


# What is changed; of a feature group, nothing.
_CHANGES: dict[str, dict[str, Any]] = {
    "Model": {"Tags": [{"Key": "team", "Value": "a"}]},
    "Endpoint": {"Tags": [{"Key": "team", "Value": "a"}]},
    "ModelPackageGroup": {"Tags": [{"Key": "team", "Value": "a"}]},
    "ModelPackage": {"ModelApprovalStatus": "Approved"},
    "Pipeline": {"PipelineDescription": "other", "Tags": [{"Key": "team", "Value": "a"}]},
    "FeatureGroup": {},
}


@pytest.mark.parametrize("kind", _CHANGES)
def test_the_rights_that_a_schema_names_are_enough(cloud: World, kind: str) -> None:
    caller = cloud.as_role(cloud.role(allow("cloudformation:*", *rights(kind))), "cloudformation")
    stack, made = Stack(cloud, formation=caller), resource(cloud, kind)
    assert stack.create({"One": made})["StackStatus"] == "CREATE_COMPLETE"
    if change := _CHANGES[kind]:
        changed = {**made, "Properties": {**made["Properties"], **change}}
        assert stack.update({"One": changed})["StackStatus"] == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
