"""The table of CloudFormation's types beside the published resource schemas, which cfn-lint brings."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from sagemaker_local.core.shapes import service_model
from sagemaker_local.stacks import TYPES, ResourceType

# The schema calls it read-only and create-only at once, and templates set it (Template Reference).
_READ_ONLY_AND_SET = {"EndpointName"}
# The schemas give these texts no type of their own, or more than one.
_LOOSE = {"PipelineDefinition", "Environment"}
_KINDS = {"structure": "object", "map": "object", "list": "array", "boolean": "boolean", "timestamp": "string"}
_KINDS |= {"integer": "integer", "long": "integer", "float": "number", "double": "number", "string": "string"}


def schema(resource: ResourceType) -> Any:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource.type_name)


def names(pointers: list[str]) -> set[str]:
    return {pointer.removeprefix("/properties/").partition("/")[0] for pointer in pointers}


def resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = document["definitions"][part["$ref"].rsplit("/", 1)[-1]]
    return part


def differences(
    resource: ResourceType, document: Mapping[str, Any], part: Mapping[str, Any], shape: Any, path: str
) -> Iterator[str]:
    """Yield where a property's shape is otherwise than its schema: members, what is required, types."""
    part = resolved(document, part)
    if path.rsplit("/", 1)[-1] in _LOOSE:
        return
    if part["type"] != _KINDS[shape.type_name]:
        yield f"{path} is {part['type']}, not {shape.type_name}"
    if shape.type_name == "list":
        yield from differences(resource, document, part["items"], shape.member, f"{path}[]")
    if shape.type_name == "structure":
        members = {name: one for name, one in shape.members.items() if name not in resource.lacks.get(shape.name, ())}
        if set(members) != set(part["properties"]):
            yield f"{path} has {set(members) ^ set(part['properties'])} on one side only"
        required = resource.requires.get(shape.name, frozenset(shape.required_members))
        if required != set(part.get("required", [])):
            yield f"{path} requires {required ^ set(part.get('required', []))} on one side only"
        for name in set(members) & set(part["properties"]):
            yield from differences(resource, document, part["properties"][name], members[name], f"{path}/{name}")


@pytest.mark.parametrize("resource", TYPES, ids=lambda one: one.kind)
def test_a_row_has_the_properties_that_the_published_schema_has(resource: ResourceType) -> None:
    document = schema(resource).schema
    settable = set(document["properties"]) - (names(document.get("readOnlyProperties", [])) - _READ_ONLY_AND_SET)
    shapes = resource.properties()

    assert set(shapes) | resource.not_emulated == settable
    required = resource.requires.get(resource.create_shape.name, frozenset(resource.create_shape.required_members))
    assert required == set(document.get("required", []))
    found = [
        problem
        for name, shape in shapes.items()
        for problem in differences(resource, document, document["properties"][name], shape, name)
    ]
    assert found == []


@pytest.mark.parametrize("resource", TYPES, ids=lambda one: one.kind)
def test_a_row_replaces_for_the_properties_that_the_published_schema_replaces_for(resource: ResourceType) -> None:
    document = schema(resource).schema
    pointers = document.get("createOnlyProperties", [])
    whole = {found for found in (pointer.removeprefix("/properties/") for pointer in pointers) if "/" not in found}

    assert resource.replacing == whole
    partly = names(pointers) - whole | names(document.get("conditionalCreateOnlyProperties", []))
    assert resource.perhaps_replacing == partly


@pytest.mark.parametrize("resource", TYPES, ids=lambda one: one.kind)
def test_a_row_has_the_attributes_that_templates_can_get(resource: ResourceType) -> None:
    assert set(resource.attributes) == set(schema(resource).get_atts)


@pytest.mark.parametrize("resource", TYPES, ids=lambda one: one.kind)
def test_what_a_row_names_is_there(resource: ResourceType) -> None:
    model, shapes = service_model("sagemaker"), {resource.create_shape.name}

    def walk(shape: Any) -> None:
        shapes.add(shape.name)
        below = [shape.member] if shape.type_name == "list" else list(getattr(shape, "members", {}).values())
        for one in below:
            if one.name not in shapes:
                walk(one)

    for one in (resource.create_shape, *resource.properties().values()):
        walk(one)
    assert {*resource.lacks, *resource.requires} <= shapes
    described: Any = model.operation_model(f"Describe{resource.kind}").output_shape
    assert set(resource.attributes.values()) <= set(described.members)
    assert resource.status is None or resource.status.moving < set(described.members[resource.status.member].enum)
