"""Models, endpoint configurations and tags: what has to fit before anything is served."""

from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import OWN
from tests.sagemaker_local.support.service import DATA, ROLE, SageMaker, variant

from sagemaker_local.core.resources import Resources
from sagemaker_local.runtime.workspace import isolated
from sagemaker_local.sagemaker.models import Models

PRIMARY = {"Image": OWN, "ModelDataUrl": DATA}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """An empty service."""
    return SageMaker(tmp_path)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"ExecutionRoleArn": ROLE}, "needs either a PrimaryContainer or Containers"),
        ({"ExecutionRoleArn": ROLE, "PrimaryContainer": PRIMARY, "Containers": [PRIMARY]}, "needs either"),
        ({"PrimaryContainer": PRIMARY}, "ExecutionRoleArn is required"),
        ({"PrimaryContainer": {"Image": "nobody"}, "ExecutionRoleArn": ROLE}, "Requested image nobody not found"),
        ({"PrimaryContainer": {}, "ExecutionRoleArn": ROLE}, "Requested image None not found"),
        (
            {"PrimaryContainer": {**PRIMARY, "ModelDataUrl": "s3://models/none"}, "ExecutionRoleArn": ROLE},
            "Could not access model data at s3://models/none",
        ),
    ],
)
def test_a_model_that_could_not_be_served_is_refused(
    sagemaker: SageMaker, request_: dict[str, Any], sentence: str
) -> None:
    refused = sagemaker.refused("CreateModel", ModelName="m", **request_)
    assert refused.startswith("ValidationException")
    assert sentence in refused


def test_a_role_that_may_not_be_passed_or_does_not_trust_sagemaker_makes_no_model(sagemaker: SageMaker) -> None:
    request = {"ModelName": "m", "PrimaryContainer": PRIMARY, "ExecutionRoleArn": ROLE}
    sagemaker.access.untrusted.add(ROLE)
    assert "Could not assume role" in sagemaker.refused("CreateModel", **request)
    sagemaker.access.forbidden.add(("iam:PassRole", ROLE))
    assert sagemaker.refused("CreateModel", **request).startswith("AccessDeniedException")


def test_a_model_is_kept_listed_and_deleted(sagemaker: SageMaker) -> None:
    sagemaker.model()
    assert "already existing model" in sagemaker.refused(
        "CreateModel", ModelName="m", PrimaryContainer=PRIMARY, ExecutionRoleArn=ROLE
    )
    assert sagemaker.call("DescribeModel", ModelName="m")["PrimaryContainer"] == PRIMARY
    sagemaker.call("DeleteModel", ModelName="m")
    assert sagemaker.call("ListModels")["Models"] == []


def test_a_chain_of_containers_is_one_model_that_runs_all_of_them(sagemaker: SageMaker) -> None:
    second = {**PRIMARY, "Environment": {"A": "b"}}
    sagemaker.call("CreateModel", ModelName="m", Containers=[PRIMARY, second], ExecutionRoleArn=ROLE)
    models = Models(sagemaker.cloud, Resources(sagemaker.cloud))
    assert models.container("m") == ({"Containers": [PRIMARY, second], "EnableNetworkIsolation": False}, ROLE)
    assert models.images("m") == [PRIMARY["Image"]] * 2


def test_a_models_environment_goes_before_its_packages(sagemaker: SageMaker) -> None:
    sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="g")
    container = {**PRIMARY, "Environment": {"A": "package", "B": "package"}}
    arn = sagemaker.call(
        "CreateModelPackage",
        ModelPackageGroupName="g",
        InferenceSpecification={"Containers": [container]},
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]
    primary = {"ModelPackageName": arn, "Environment": {"B": "model"}}
    sagemaker.call("CreateModel", ModelName="m", PrimaryContainer=primary, ExecutionRoleArn=ROLE)

    resolved, role = Models(sagemaker.cloud, Resources(sagemaker.cloud)).container("m")

    assert (resolved["Environment"], resolved["Image"], role) == ({"A": "package", "B": "model"}, OWN, ROLE)


SERVERLESS = {"VariantName": "a", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        (
            [{"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large"}],
            "InstanceType and InitialInstanceCount",
        ),
        ([{"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1}], "InstanceType and InitialInstanceCount"),
        ([{"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}], "has no ModelName"),
        ([variant("a", ModelName="none")], "Could not find model"),
        ([variant("a"), variant("a")], "are not unique"),
        ([{**SERVERLESS, "InitialInstanceCount": 1}], "is serverless: it takes no InitialInstanceCount"),
        ([{**SERVERLESS, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}], "in steps of 1024"),
        ([variant("a", InstanceType="ml.tiny")], "enum value set"),
        ([], "greater than or equal to 1"),
    ],
)
def test_a_configuration_that_could_not_be_served_is_refused(
    sagemaker: SageMaker, variants: list[dict[str, Any]], sentence: str
) -> None:
    sagemaker.model()
    refused = sagemaker.refused("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
    assert refused.startswith("ValidationException")
    assert sentence in refused


def test_a_configuration_is_kept_listed_and_deleted(sagemaker: SageMaker) -> None:
    sagemaker.model()
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="serverless", ProductionVariants=[SERVERLESS])
    sagemaker.config("c")
    assert "already existing endpoint configuration" in sagemaker.refused(
        "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant("a")]
    )
    assert sagemaker.call("DescribeEndpointConfig", EndpointConfigName="c")["ProductionVariants"] == [variant("a")]
    sagemaker.call("DeleteEndpointConfig", EndpointConfigName="c")
    listed = sagemaker.call("ListEndpointConfigs")["EndpointConfigs"]
    assert [item["EndpointConfigName"] for item in listed] == ["serverless"]
    assert "Could not find endpoint configuration" in sagemaker.refused("DeleteEndpointConfig", EndpointConfigName="c")


def test_a_model_without_a_network_has_no_credentials() -> None:
    role = {"AWS_ACCESS_KEY_ID": "key", "AWS_ENDPOINT_URL": "http://127.0.0.1", "AWS_REGION": "us-east-1"}

    assert isolated(role) == {"AWS_REGION": "us-east-1"}


def test_a_model_says_whether_it_has_a_network(sagemaker: SageMaker) -> None:
    request = {"PrimaryContainer": PRIMARY, "ExecutionRoleArn": ROLE}
    sagemaker.call("CreateModel", ModelName="alone", EnableNetworkIsolation=True, **request)
    sagemaker.call("CreateModel", ModelName="connected", **request)

    models = Models(sagemaker.cloud, Resources(sagemaker.cloud))
    assert models.container("alone")[0]["EnableNetworkIsolation"] is True
    assert models.container("connected")[0]["EnableNetworkIsolation"] is False
