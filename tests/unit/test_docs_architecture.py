"""The page for newcomers names what exists, and its diagrams draw only ways that the template opens."""

import json
import re
from typing import Any

import pytest
from tests.gates.cfn_yaml import parse
from tests.support.diagrams import Diagram, Message, diagrams
from tests.support.documents import ROOT, read, table

PAGE = read("docs/architecture.md")
JOURNEYS = [
    row[0].strip("*") for row in table(read("README.md"), "journey", "starts with", "what happens", "where") if row[3]
]
# AWS's services and the model registry are no resources of the template.
SERVICES = frozenset({"CodeBuild", "CodeCommit", "ModelRegistry", "ParameterStore", "S3", "SageMaker", "StepFunctions"})
# A project's rules are in the template of its automation.
RESOURCES: dict[str, Any] = parse(read("cicd/project.yaml"))["Resources"] | parse(read("template.yaml"))["Resources"]


def section(journey: str) -> str:
    found = re.search(rf"^### {journey.capitalize()}$(?P<text>.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"{journey} has no section"
    return found["text"]


def drawn(journey: str) -> Diagram:
    found = diagrams(section(journey))
    assert len(found) == 1, f"{journey} has {len(found)} diagrams"
    return found[0]


def logical_id(part: str) -> str:
    """Return the logical id of a part: a function goes by its folder's name in the documents."""
    if not (ROOT / "functions" / part / "app.py").is_file():
        return part
    return "".join(word.capitalize() for word in part.split("_")) + "Function"


def definition(part: str) -> str:
    """Return what the template says of a part: its resource, and the role of a function or a machine."""
    name = logical_id(part)
    role = f"{name.removesuffix('Function')}Role"
    return json.dumps([RESOURCES[name], RESOURCES.get(role)])


def refers(part: str, other: str) -> bool:
    return re.search(rf"\b{logical_id(other)}\b", definition(part)) is not None


@pytest.mark.parametrize("journey", JOURNEYS)
def test_every_journey_has_a_diagram_of_parts_that_exist(journey: str) -> None:
    diagram = drawn(journey)

    assert {part for part in diagram.parts - SERVICES if logical_id(part) not in RESOURCES} == set()
    ends = {end for message in diagram.messages for end in (message.sender, message.receiver)}
    assert ends == diagram.people | diagram.parts


@pytest.mark.parametrize("journey", JOURNEYS)
def test_the_template_opens_every_way_that_is_drawn(journey: str) -> None:
    diagram = drawn(journey)
    ours = diagram.parts - SERVICES

    assert [one for one in diagram.messages if {one.sender, one.receiver} <= ours and not _open(one)] == []
    by_rules = [(rule, one.receiver) for one in diagram.messages for rule in re.findall(r"\b\w+Rule\b", one.text)]
    assert [(rule, receiver) for rule, receiver in by_rules if not refers(rule, receiver)] == []


def _open(message: Message) -> bool:
    """Say whether one end's resource or role names the other; a task token needs no name."""
    if message.text.endswith("task token") and "states:SendTaskSuccess" in definition(message.sender):
        return refers(message.receiver, "request_review")
    return refers(message.sender, message.receiver) or refers(message.receiver, message.sender)


def test_every_function_takes_part_in_a_diagram() -> None:
    functions = {folder.name for folder in (ROOT / "functions").iterdir() if (folder / "app.py").is_file()}

    assert functions == {part for journey in JOURNEYS for part in drawn(journey).parts} & functions


def test_the_layer_has_the_parts_that_are_named() -> None:
    parts = [name for row in table(PAGE, "part", "what it holds") for name in row[0].split(", ")]

    assert len(parts) > 10
    assert [name for name in parts if not (ROOT / "layers/signalbox/signalbox" / name).exists()] == []


def test_the_modules_of_a_journey_are_those_of_the_releases() -> None:
    modules = [re.split(r", as ", row[0])[-1] for row in table(PAGE, "module", "what it holds")]

    assert [name for name in modules if not (ROOT / "layers/signalbox/signalbox/releases" / name).is_file()] == []


def test_a_line_that_no_test_understands_is_refused() -> None:
    with pytest.raises(ValueError, match="not understood: 'start_run->SageMaker'"):
        diagrams("```mermaid\nsequenceDiagram\nstart_run->SageMaker\n```\n")
