"""What a model's project decides for it: its approvers and stages, else the stack's."""

import json
from typing import Any

import pytest
from tests.support.parameters import RememberedParameters

from signalbox import owners
from signalbox.aws import clients
from signalbox.projects import ProjectDocumentError

STAGE = {"name": "prod", "instance_type": "ml.m5.large", "instance_count": 1}
OWN = {"name": "only", "instance_type": "ml.m5.xlarge", "instance_count": 1}
ROLE = "arn:aws:iam::123456789012:role/x"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-wine/3"


def document(**changes: Any) -> str:
    whole = {"model": "wine", "project": "wine", "id": "wine-0", "roles": {"job": ROLE, "test": ROLE, "model": ROLE}}
    return json.dumps({**whole, **changes})


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> RememberedParameters:
    """Return a Parameter Store with the stack's stages, and a document of the model `wine`."""
    made = RememberedParameters({"/signalbox/stages": json.dumps({"stages": [STAGE]})})
    made.texts["/signalbox/models/wine"] = document(approvers=["ann@example.com"], stages=[OWN])
    monkeypatch.setattr(clients, "client", {"ssm": made}.__getitem__)
    return made


@pytest.mark.parametrize("model", ["wine", ARN])
def test_the_approvers_are_the_projects_own_for_a_model_and_for_its_package(
    ssm: RememberedParameters, model: str
) -> None:
    assert owners.approvers("signalbox", model) == ("ann@example.com",)
    assert [operation for operation, _ in ssm.calls] == ["GetParameter", "GetParametersByPath"]


@pytest.mark.parametrize("model", ["iris", "unknown", "", "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris:1"])
def test_a_model_without_a_document_has_no_approvers_of_its_own(ssm: RememberedParameters, model: str) -> None:
    assert owners.approvers("signalbox", model) == ()


def test_a_document_that_cannot_be_used_leaves_the_mails_to_the_stacks_approvers(
    ssm: RememberedParameters, caplog: pytest.LogCaptureFixture
) -> None:
    ssm.texts["/signalbox/models/wine"] = document(colour="red")

    with caplog.at_level("ERROR", logger="signalbox"):
        assert owners.approvers("signalbox", "wine") == ()
    assert "colour is not a field" in vars(caplog.records[0])["reason"]


def test_the_stages_are_the_models_own_else_the_stacks(ssm: RememberedParameters) -> None:
    def names_of(model: str) -> list[str]:
        return [stage.name for stage in owners.stages("signalbox", "/signalbox/stages", model).stages]

    assert (names_of("wine"), names_of("iris")) == (["only"], ["prod"])
    ssm.texts["/signalbox/models/wine"] = document()
    assert names_of("wine") == ["prod"]


def test_stages_of_a_document_that_cannot_be_used_are_nobodys(ssm: RememberedParameters) -> None:
    ssm.texts["/signalbox/models/wine"] = "no"

    with pytest.raises(ProjectDocumentError, match="the text is not JSON"):
        owners.stages("signalbox", "/signalbox/stages", "wine")
