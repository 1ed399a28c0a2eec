"""A release of a model that has a document: its own role, stages and tags."""

from typing import Any

import pytest
from tests.unit.releases_world import MODEL, ROLE, World, arn

from signalbox.model_documents import ModelDocument, ModelRoles, ModelTraining
from signalbox.projects import ProjectDocumentError
from signalbox.stages import Stage

AT = "2026-11-20T10:00:00Z"
OWN_ROLE = "arn:aws:iam::123456789012:role/signalbox/projects/shells/model"
DOCUMENT = ModelDocument(
    model=MODEL,
    project="shells",
    id="shells-0123456789ab",
    roles=ModelRoles("job", "test", OWN_ROLE),
    stages=(Stage("only", "ml.m5.large", 1),),
    tags={"team": "x"},
    training=ModelTraining("regression", subnets=("subnet-1",), security_groups=("sg-1",)),
)
TAGS = {"sagemaker:project-name": "shells", "sagemaker:project-id": "shells-0123456789ab", "team": "x"}


def asked(world: World) -> dict[str, Any]:
    """Release version 2, and return the last request of each kind."""
    world.registry.put(2, "Approved")
    found: dict[str, Any] = {}
    for action in ("create_model", "create_config", "create_endpoint"):
        make = getattr(world.sagemaker, action)

        def listened(request: Any, action: str = action, make: Any = make) -> Any:
            found[action] = request
            return make(request)

        setattr(world.sagemaker, action, listened)
    assert world.run("approved", 2, AT).action == "done"
    return found


def test_a_model_of_a_project_goes_through_its_own_stages_as_its_own_role_with_the_projects_tags() -> None:
    world = World()
    world.ports = world.ports._replace(document=lambda model: DOCUMENT if model == MODEL else None)

    requests = asked(world)

    assert (world.live("only"), world.live("staging"), world.live("prod")) == (arn(2), None, None)
    assert requests["create_model"]["ExecutionRoleArn"] == OWN_ROLE
    assert requests["create_model"]["VpcConfig"] == {"Subnets": ("subnet-1",), "SecurityGroupIds": ("sg-1",)}
    for request in requests.values():
        assert TAGS.items() <= {tag["Key"]: tag["Value"] for tag in request["Tags"]}.items()


def test_a_model_of_no_project_is_released_as_before() -> None:
    requests = asked(World())

    assert requests["create_model"]["ExecutionRoleArn"] == ROLE
    assert "VpcConfig" not in requests["create_model"]
    for request in requests.values():
        assert not TAGS.keys() & {tag["Key"] for tag in request["Tags"]}


def broken(_model: str) -> ModelDocument | None:
    raise ProjectDocumentError("colour is not a field")


def test_a_release_whose_document_cannot_be_used_fails_with_its_words_and_changes_nothing() -> None:
    world = World()
    world.ports = world.ports._replace(document=broken)
    world.registry.put(2, "Approved")

    ended = world.run("approved", 2, AT)

    assert ended.action == "failed"
    assert "colour is not a field" in ended.arguments["Cause"]
    assert world.sagemaker.models == {}


@pytest.mark.parametrize("version", [1])
def test_a_document_that_breaks_while_a_stage_moves_lets_the_stage_go_back(version: int) -> None:
    world = World()
    world.registry.put(version, "Approved")
    world.run("approved", version, AT, "first")
    world.registry.put(2, "Approved")
    for action in world.execution("approved", 2, "2026-11-20T11:00:00Z", "second"):
        world.sagemaker.tick()
        if action == "update-endpoint":
            world.ports = world.ports._replace(document=broken)

    assert world.finished["second"].action == "failed"
    assert world.live("staging") == arn(version)
