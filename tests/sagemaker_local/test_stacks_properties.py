"""Properties of a template: what CloudFormation refuses of them, in its words, and the types that the API gets."""

from typing import Any

import pytest

from sagemaker_local.stacks import PropertiesError
from sagemaker_local.stacks.properties import checked
from sagemaker_local.stacks.table import ENDPOINT, ENDPOINT_CONFIG, MODEL, PIPELINE

VARIANT = {"VariantName": "a", "ModelName": "m"}


def refused(resource: Any, properties: dict[str, Any]) -> list[str]:
    with pytest.raises(PropertiesError) as caught:
        checked(resource, "Thing", properties)
    first, *faults = str(caught.value).split("\n")
    assert first == "Properties validation failed for resource Thing with message:"
    return faults


def test_a_required_property_that_is_missing_is_named_and_so_is_one_that_nobody_knows() -> None:
    assert refused(ENDPOINT, {"EndpointConfig": "c", "EndpointArn": "arn:x"}) == [
        "#: required key [EndpointConfigName] not found",
        "#: extraneous key [EndpointConfig] is not permitted",
        "#: extraneous key [EndpointArn] is not permitted",
    ]


def test_what_is_wrong_deep_inside_is_told_with_its_path() -> None:
    variants = [VARIANT, {"ModelName": "m", "Weight": 1, "CoreDumpConfig": {}}]
    assert refused(ENDPOINT_CONFIG, {"ProductionVariants": variants}) == [
        "#/ProductionVariants/1: required key [VariantName] not found",
        "#/ProductionVariants/1: extraneous key [Weight] is not permitted",
        "#/ProductionVariants/1: extraneous key [CoreDumpConfig] is not permitted",
    ]


@pytest.mark.parametrize(
    ("resource", "properties", "fault"),
    [
        (
            ENDPOINT_CONFIG,
            {"ProductionVariants": VARIANT},
            "#/ProductionVariants: expected type: JSONArray, found: JSONObject",
        ),
        (
            ENDPOINT_CONFIG,
            {"ProductionVariants": [{**VARIANT, "InitialInstanceCount": "two"}]},
            "#/ProductionVariants/0/InitialInstanceCount: expected type: Integer, found: String",
        ),
        (MODEL, {"PrimaryContainer": "image"}, "#/PrimaryContainer: expected type: JSONObject, found: String"),
        (MODEL, {"EnableNetworkIsolation": "yes"}, "#/EnableNetworkIsolation: expected type: Boolean, found: String"),
        (MODEL, {"ModelName": None}, "#/ModelName: expected type: String, found: Null"),
        (MODEL, {"EnableNetworkIsolation": 1}, "#/EnableNetworkIsolation: expected type: Boolean, found: Integer"),
        (MODEL, {"ModelName": ["a"]}, "#/ModelName: expected type: String, found: JSONArray"),
        (
            PIPELINE,
            {"PipelineName": "p", "RoleArn": "r", "PipelineDefinition": {"PipelineDefinitionBody": {"Steps": []}}},
            "#/PipelineDefinition/PipelineDefinitionBody: expected type: String, found: JSONObject",
        ),
    ],
)
def test_a_value_of_another_type_is_refused(resource: Any, properties: dict[str, Any], fault: str) -> None:
    assert refused(resource, properties) == [fault]


def test_texts_become_numbers_and_numbers_texts_as_the_api_has_them() -> None:
    variant = {**VARIANT, "InitialInstanceCount": "2", "InitialVariantWeight": 1, "EnableSSMAccess": "true"}
    config = checked(ENDPOINT_CONFIG, "Config", {"ProductionVariants": [variant]})
    model = checked(MODEL, "Model", {"PrimaryContainer": {"Environment": {"WORKERS": 2, "DEBUG": True}}})

    assert config["ProductionVariants"] == [
        {**VARIANT, "InitialInstanceCount": 2, "InitialVariantWeight": 1.0, "EnableSSMAccess": True}
    ]
    assert model["PrimaryContainer"]["Environment"] == {"WORKERS": "2", "DEBUG": "true"}
