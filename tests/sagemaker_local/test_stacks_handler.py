"""The handler of all types, with the local SageMaker behind it: what a template says becomes requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import OWN
from tests.sagemaker_local.support.service import DATA, ROLE, SageMaker, variant

from sagemaker_local.core.errors import ApiError
from sagemaker_local.serving import ServerStartError
from sagemaker_local.stacks import PropertiesError, RefusedError, ResourceError, ResourceType, StackResources
from sagemaker_local.stacks.table import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    FEATURE_GROUP,
    LIFECYCLE_CONFIG,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    NOTEBOOK,
    PIPELINE,
)

PACKAGE = {
    "ModelPackageGroupName": "g",
    "InferenceSpecification": {
        "Containers": [{"Image": OWN, "ModelDataUrl": DATA}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
}
FEATURES: dict[str, Any] = {
    "FeatureGroupName": "f",
    "RecordIdentifierFeatureName": "id",
    "EventTimeFeatureName": "at",
    "FeatureDefinitions": [
        {"FeatureName": "id", "FeatureType": "String"},
        {"FeatureName": "at", "FeatureType": "Fractional"},
    ],
    "OnlineStoreConfig": {"EnableOnlineStore": "true"},
}


class Stack:
    """A stack's resources, and what SageMaker was asked for."""

    def __init__(self, service: SageMaker) -> None:
        self.service = service
        self.asked: list[str] = []

    def of(self, resource: ResourceType) -> StackResources:
        """Return the handler of a type."""
        return StackResources(resource, self.ask, lambda stack, logical_id: f"{stack}-{logical_id}-1A")

    def ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call the service, as the handler knows it."""
        self.asked.append(operation)
        try:
            return self.service.call(operation, **request)
        except ApiError as error:
            raise RefusedError(error.code, error.message) from error


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack with a service of its own, and the configurations `one` and `two`."""
    service = SageMaker(tmp_path)
    service.config("one")
    service.config("two")
    yield Stack(service)
    service.endpoints.close()
    service.notebooks.close()


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(ResourceError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_resource_without_a_name_gets_one_of_its_stack_and_is_found_again_by_its_reference(stack: Stack) -> None:
    models = stack.of(MODEL)
    properties = {"PrimaryContainer": {"Image": OWN, "ModelDataUrl": DATA}, "ExecutionRoleArn": ROLE}

    reference, attributes = models.create("Model", properties, "Mine")

    assert reference.endswith(":model/mine-model-1a")
    assert attributes == {"ModelName": "Mine-Model-1A", "ModelArn": reference}
    assert models.read(reference, properties) == properties | {"ModelName": "Mine-Model-1A", "Tags": []}
    models.delete(reference, properties)
    assert stack.asked.count("DescribeModel") == 1  # a role that makes models need not be able to describe them
    models.delete(reference, properties)  # one that is gone is no failure


def test_a_template_with_wrong_properties_asks_sagemaker_for_nothing(stack: Stack) -> None:
    with pytest.raises(PropertiesError, match=r"required key .ProductionVariants. not found"):
        stack.of(ENDPOINT_CONFIG).create("Config", {}, "Mine")
    assert stack.asked == []


def test_an_endpoint_is_there_when_it_is_in_service_and_moves_to_another_configuration(stack: Stack) -> None:
    endpoints = stack.of(ENDPOINT)
    before = {"EndpointConfigName": "one", "EndpointName": "e", "RetainAllVariantProperties": True}
    reference, attributes = endpoints.create("Endpoint", before, "Mine")
    assert (stack.service.status(), attributes["EndpointName"]) == ("InService", "e")

    endpoints.update(reference, before, {**before, "EndpointConfigName": "two"}, "Mine", "Endpoint")

    assert (stack.service.status(), stack.service.describe()["EndpointConfigName"]) == ("InService", "two")


def test_what_says_how_an_endpoint_moves_is_no_reason_to_move(stack: Stack) -> None:
    endpoints, before = stack.of(ENDPOINT), {"EndpointConfigName": "one", "EndpointName": "e"}
    reference, _ = endpoints.create("Endpoint", before, "Mine")
    endpoints.update(reference, before, {**before, "RetainDeploymentConfig": True}, "Mine", "Endpoint")
    assert "UpdateEndpoint" not in stack.asked


def test_an_endpoint_that_goes_back_to_where_it_was_is_a_failure_with_its_reason(stack: Stack) -> None:
    endpoints, before = stack.of(ENDPOINT), {"EndpointConfigName": "one", "EndpointName": "e"}
    reference, _ = endpoints.create("Endpoint", before, "Mine")
    stack.service.fake.broken["two"] = ServerStartError("it did not answer /ping")

    told = refused(endpoints.update, reference, before, {**before, "EndpointConfigName": "two"}, "Mine", "Endpoint")

    assert "'AWS::SageMaker::Endpoint' with identifier 'e' did not stabilize: it did not answer /ping" in told
    assert told.endswith("HandlerErrorCode: NotStabilized)")


def test_an_endpoint_that_does_not_come_up_is_deleted_again(stack: Stack) -> None:
    stack.service.fake.broken["one"] = ServerStartError("no model")
    told = refused(stack.of(ENDPOINT).create, "Endpoint", {"EndpointConfigName": "one"}, "Mine")
    assert "did not stabilize: no model" in told
    assert stack.service.call("ListEndpoints")["Endpoints"] == []


def test_what_sagemaker_refuses_is_told_as_cloudformation_tells_it(stack: Stack) -> None:
    told = refused(stack.of(ENDPOINT).create, "Endpoint", {"EndpointConfigName": "none"}, "Mine")
    assert told.startswith(
        'Resource handler returned message: "Could not find endpoint configuration "arn:aws:sagemaker'
    )
    assert "(Service: SageMaker, Status Code: 400, Request ID: " in told
    assert told.endswith("HandlerErrorCode: InvalidRequest)")
    stack.service.access.forbidden.add(("sagemaker:CreateEndpoint", "*"))
    told = refused(stack.of(ENDPOINT).create, "Endpoint", {"EndpointConfigName": "one"}, "Mine")
    assert told.endswith("HandlerErrorCode: AccessDenied)")


def test_tags_are_set_changed_and_removed_and_those_of_cloudformation_itself_are_not_sent(stack: Stack) -> None:
    configs = stack.of(ENDPOINT_CONFIG)
    own = {"Key": "aws:cloudformation:stack-name", "Value": "Mine"}
    before = {"ProductionVariants": [variant("a")], "Tags": [own, {"Key": "a", "Value": 1}, {"Key": "b", "Value": "2"}]}
    reference, _ = configs.create("Config", before, "Mine")
    assert tags(stack, reference) == {"a": "1", "b": "2"}

    configs.update(reference, before, {**before, "Tags": [own, {"Key": "b", "Value": "3"}]}, "Mine", "Config")
    assert tags(stack, reference) == {"b": "3"}


def tags(stack: Stack, arn: str) -> dict[str, str]:
    found = stack.service.call("ListTags", ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_package_is_approved_by_an_update_and_loses_what_its_template_lost(stack: Stack) -> None:
    stack.of(MODEL_PACKAGE_GROUP).create("Group", {"ModelPackageGroupName": "g"}, "Mine")
    packages = stack.of(MODEL_PACKAGE)
    before = {**PACKAGE, "ApprovalDescription": "new", "CustomerMetadataProperties": {"a": "1", "b": "2"}}

    reference, attributes = packages.create("Package", before, "Mine")
    described = stack.service.call("DescribeModelPackage", ModelPackageName=reference)
    assert (described["ApprovalDescription"], attributes["ModelPackageStatus"]) == ("new", "Completed")

    approved = {"ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {"b": "2"}}
    packages.update(reference, before, {**before, **approved}, "Mine", "Package")
    described = stack.service.call("DescribeModelPackage", ModelPackageName=reference)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["CustomerMetadataProperties"] == {"b": "2"}

    told = refused(packages.update, reference, before, {**before, "SkipModelValidation": "All"}, "Mine", "Package")
    assert "SkipModelValidation of AWS::SageMaker::ModelPackage cannot be changed." in told


def test_a_property_that_is_not_emulated_is_refused_by_name(stack: Stack) -> None:
    properties = {"ModelPackageGroupName": "g", "ModelPackageGroupPolicy": {}}
    told = refused(stack.of(MODEL_PACKAGE_GROUP).create, "Group", properties, "Mine")
    assert "ModelPackageGroupPolicy of AWS::SageMaker::ModelPackageGroup is not emulated here." in told


def test_a_group_that_still_has_packages_is_not_deleted(stack: Stack) -> None:
    groups = stack.of(MODEL_PACKAGE_GROUP)
    reference, _ = groups.create("Group", {"ModelPackageGroupName": "g"}, "Mine")
    stack.of(MODEL_PACKAGE).create("Package", PACKAGE, "Mine")
    assert "HandlerErrorCode: ResourceConflict" in refused(groups.delete, reference, {})


def test_a_feature_group_is_there_when_it_is_created_and_loses_no_features(stack: Stack) -> None:
    groups = stack.of(FEATURE_GROUP)
    reference, attributes = groups.create("Features", FEATURES, "Mine")
    assert (reference, attributes["FeatureGroupStatus"]) == ("f", "Created")

    fewer = {**FEATURES, "FeatureDefinitions": FEATURES["FeatureDefinitions"][:1]}
    told = refused(groups.update, reference, FEATURES, fewer, "Mine", "Features")
    assert "can be added only, and at changed or went" in told
    groups.delete(reference, FEATURES)
    assert groups.read(reference, FEATURES) is None


def test_a_feature_group_that_does_not_go_is_a_failure() -> None:
    def ask(operation: str, _request: dict[str, Any]) -> dict[str, Any]:
        return {"FeatureGroupStatus": "DeleteFailed"} if operation.startswith("Describe") else {}

    told = refused(StackResources(FEATURE_GROUP, ask, lambda *_: "").delete, "f", FEATURES)
    assert "'AWS::SageMaker::FeatureGroup' with identifier 'f' did not stabilize: it is DeleteFailed" in told


def test_a_definition_in_a_bucket_is_not_held_against_what_the_pipeline_has() -> None:
    def ask(operation: str, _request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": []} if operation == "ListTags" else {"PipelineArn": "arn:p", "PipelineDefinition": "{}"}

    pipelines = StackResources(PIPELINE, ask, lambda *_: "")
    place = {"PipelineDefinition": {"PipelineDefinitionS3Location": {"Bucket": "b", "Key": "k"}}}
    text = {"PipelineDefinition": {"PipelineDefinitionBody": "{ }"}}
    assert pipelines.read("p", place) == {"Tags": []}
    assert pipelines.read("p", text) == {"PipelineDefinition": {"PipelineDefinitionBody": "{}"}, "Tags": []}


def test_a_change_of_a_feature_groups_online_store_needs_another_group_where_it_cannot_be_changed() -> None:
    assert FEATURE_GROUP.needs_another is not None
    other = {**FEATURES, "OnlineStoreConfig": {"EnableOnlineStore": "true", "StorageType": "InMemory"}}
    lasting = {"EnableOnlineStore": "true", "TtlDuration": {"Unit": "Days", "Value": 1}}
    assert FEATURE_GROUP.needs_another(FEATURES, other)
    assert not FEATURE_GROUP.needs_another(FEATURES, {**FEATURES, "OnlineStoreConfig": lasting})


NOTEBOOKS: dict[str, Any] = {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium", "RoleArn": ROLE}


def test_a_notebook_instance_that_runs_is_stopped_for_a_change_and_runs_again(stack: Stack) -> None:
    notebooks = stack.of(NOTEBOOK)
    stack.of(LIFECYCLE_CONFIG).create("Config", {"NotebookInstanceLifecycleConfigName": "c"}, "Mine")
    before = {**NOTEBOOKS, "LifecycleConfigName": "c"}
    reference, attributes = notebooks.create("Notebook", before, "Mine")
    assert attributes == {"Id": reference, "NotebookInstanceName": "n"}
    assert notebooks.read(reference, before) == {**before, "Tags": []} | notebook_defaults()

    notebooks.update(reference, before, {**NOTEBOOKS, "InstanceType": "ml.t3.large"}, "Mine", "Notebook")

    described = stack.service.call("DescribeNotebookInstance", NotebookInstanceName="n")
    assert (described["InstanceType"], described["NotebookInstanceStatus"]) == ("ml.t3.large", "InService")
    assert "NotebookInstanceLifecycleConfigName" not in described
    asked = [one for one in stack.asked if not one.startswith(("Describe", "ListTags"))]
    wanted = ["Create", "Stop", "Update", "Start"]
    assert asked[1:] == [f"{verb}NotebookInstance" for verb in wanted]


def notebook_defaults() -> dict[str, Any]:
    return {
        "DirectInternetAccess": "Enabled",
        "VolumeSizeInGB": 5,
        "RootAccess": "Enabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
    }


def test_a_notebook_instance_that_was_stopped_by_hand_stays_stopped_and_is_deleted(stack: Stack) -> None:
    notebooks = stack.of(NOTEBOOK)
    reference, _ = notebooks.create("Notebook", NOTEBOOKS, "Mine")
    stack.service.call("StopNotebookInstance", NotebookInstanceName="n")

    notebooks.update(reference, NOTEBOOKS, {**NOTEBOOKS, "VolumeSizeInGB": 10}, "Mine", "Notebook")

    described = stack.service.call("DescribeNotebookInstance", NotebookInstanceName="n")
    assert (described["VolumeSizeInGB"], described["NotebookInstanceStatus"]) == (10, "Stopped")
    notebooks.delete(reference, NOTEBOOKS)
    notebooks.delete(reference, NOTEBOOKS)  # one that is gone is no failure
    assert stack.service.call("ListNotebookInstances")["NotebookInstances"] == []


def test_a_lifecycle_configuration_loses_a_hook_that_its_template_lost(stack: Stack) -> None:
    configs, hook = stack.of(LIFECYCLE_CONFIG), [{"Content": "IyEvYmluL3No"}]
    before = {"NotebookInstanceLifecycleConfigName": "c", "OnCreate": hook, "OnStart": hook}
    reference, attributes = configs.create("Config", before, "Mine")
    assert attributes == {"Id": reference, "NotebookInstanceLifecycleConfigName": "c"}

    after = {name: item for name, item in before.items() if name != "OnCreate"}
    configs.update(reference, before, after, "Mine", "Config")

    described = stack.service.call("DescribeNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="c")
    assert (described["OnCreate"], described["OnStart"]) == ([], hook)
