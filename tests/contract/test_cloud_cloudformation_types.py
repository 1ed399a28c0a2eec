"""Each type by itself: the rights that its schema names are enough, and what was just made is as its template."""

import json
from collections.abc import Callable
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
    verbs = handlers.keys() & {"create", "update", "delete"}  # what never changes has no update
    return sorted({action for verb in verbs for action in handlers[verb]["permissions"]})


def endpoint_config(cloud: World) -> dict[str, Any]:
    variant = {"VariantName": "a", "ModelName": cloud.model(), "InstanceType": "ml.m5.large"}
    return of("EndpointConfig", ProductionVariants=[{**variant, "InitialInstanceCount": 1}])


def package(cloud: World) -> dict[str, Any]:
    group, data = name("group"), cloud.bucket({"m.tar.gz": b"1"})
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    specified = {
        "Containers": [{"Image": image("echo"), "ModelDataUrl": f"s3://{data}/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    return of("ModelPackage", ModelPackageGroupName=group, InferenceSpecification=specified)


def pipeline(cloud: World) -> dict[str, Any]:
    definition = {"PipelineDefinitionBody": json.dumps(_FAIL)}
    return of("Pipeline", PipelineName=name("pipeline"), RoleArn=cloud.role(), PipelineDefinition=definition)


def feature_group(_cloud: World) -> dict[str, Any]:
    return of(
        "FeatureGroup",
        FeatureGroupName=name("features"),
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
        ],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )


# From a cloud to a resource of each type, for which everything that it needs is there.
_MAKERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "Model": model,
    "EndpointConfig": endpoint_config,
    "Endpoint": lambda cloud: of("Endpoint", EndpointConfigName=cloud.config()),
    "ModelPackageGroup": lambda _: of("ModelPackageGroup", ModelPackageGroupName=name("group")),
    "ModelPackage": package,
    "Pipeline": pipeline,
    "FeatureGroup": feature_group,
    "NotebookInstance": lambda cloud: of("NotebookInstance", InstanceType="ml.t3.medium", RoleArn=cloud.role()),
    "NotebookInstanceLifecycleConfig": lambda _: of(
        "NotebookInstanceLifecycleConfig", OnStart=[{"Content": "IyEvYmluL3No"}]
    ),
    "StudioLifecycleConfig": lambda _: of(
        "StudioLifecycleConfig",
        StudioLifecycleConfigName=name("config"),
        StudioLifecycleConfigContent="IyEvYmluL3No",
        StudioLifecycleConfigAppType="JupyterLab",
    ),
}
# What is changed; of a feature group and of a configuration of Studio, nothing.
_CHANGES: dict[str, dict[str, Any]] = {
    "Model": {"Tags": [{"Key": "team", "Value": "a"}]},
    "Endpoint": {"Tags": [{"Key": "team", "Value": "a"}]},
    "ModelPackageGroup": {"Tags": [{"Key": "team", "Value": "a"}]},
    "ModelPackage": {"ModelApprovalStatus": "Approved"},
    "Pipeline": {"PipelineDescription": "other", "Tags": [{"Key": "team", "Value": "a"}]},
    "FeatureGroup": {},
    "StudioLifecycleConfig": {},
}


@pytest.mark.parametrize("kind", _CHANGES)
def test_the_rights_that_a_schema_names_are_enough(cloud: World, kind: str) -> None:
    caller = cloud.as_role(cloud.role(allow("cloudformation:*", *rights(kind))), "cloudformation")
    stack, made = Stack(cloud, formation=caller), _MAKERS[kind](cloud)
    assert stack.create({"One": made})["StackStatus"] == "CREATE_COMPLETE"
    if change := _CHANGES[kind]:
        changed = {**made, "Properties": {**made["Properties"], **change}}
        assert stack.update({"One": changed})["StackStatus"] == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize("kind", _MAKERS)
def test_what_was_just_made_has_not_drifted(cloud: World, kind: str) -> None:
    stack, formation = Stack(cloud), cloud.client("cloudformation")
    stack.create({"One": _MAKERS[kind](cloud)})
    drift = formation.detect_stack_resource_drift(StackName=stack.name, LogicalResourceId="One")["StackResourceDrift"]
    assert drift["StackResourceDriftStatus"] == "IN_SYNC", drift
    stack.delete()
