"""What ran in one stack is created in another one as it ran, from its commit, and run there on that stack's data."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox_local import deploy
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
from tests.system.world import PREFIX, World

PROJECT, OTHER, OTHER_PREFIX = "pansy", "production", "team-p"
DEV, PROD = f"{PREFIX}-{PROJECT}--judge", f"{OTHER_PREFIX}-{PROJECT}--judge"
COMMIT = "3e5983aa" * 5
FILE = """\
project: pansy
uploads: {suffix: .csv, quiet_seconds: 1}
pipelines:
  judge: {definition: definition.py, code: code, models: [pansy]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the project."""
    made = tmp_path_factory.mktemp("pansy")
    (made / "code").mkdir()
    (made / "signalbox.yaml").write_text(FILE)
    (made / "definition.py").write_text(DEFINITION)
    (made / "code" / "judge.py").write_text(JUDGE)
    (made / "code" / "answer.py").write_text(ANSWER)
    (made / "petals.csv").write_text("pansy,0.95\n")
    return made


@pytest.fixture(scope="module")
def production(world: World, folder: Path) -> Iterator[World]:
    """Deploy a second stack, with the project in both of them: in the first at a commit, as a build does it."""
    chosen = deploy.parameters(world.cloud, Prefix=OTHER_PREFIX, CreateSenderIdentity="no")
    outputs = deploy.deploy(world.cloud, chosen, stack=OTHER)
    world.signalbox("deploy", str(folder), "--commit", COMMIT, "--branch", "main")
    world.signalbox("deploy", str(folder), "--stack", OTHER)
    yield World(world.cloud, outputs, world.iris)
    states = world.client("stepfunctions")
    for stack in (world.outputs, outputs):
        listed = states.list_executions(stateMachineArn=stack["MlopsMachineArn"], statusFilter="RUNNING")
        for one in listed["executions"]:
            if f"-{PROJECT}-" in one["name"]:
                states.stop_execution(executionArn=one["executionArn"], cause="the scenarios are over")
                world.ended(one["executionArn"])
    world.signalbox("projects", "remove", PROJECT, "--yes")
    world.signalbox("projects", "remove", PROJECT, "--stack", OTHER, "--yes")
    world.client("cloudformation").delete_stack(StackName=OTHER)


def runs(world: World, pipeline: str) -> list[dict[str, Any]]:
    """Return the executions of a pipeline, the newest first."""
    found: list[dict[str, Any]] = world.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)[
        "PipelineExecutionSummaries"
    ]
    return found


def definition(world: World, execution: str) -> str:
    """Return the definition that an execution ran."""
    found = world.client("sagemaker").describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
    return str(found["PipelineDefinition"])


def promote(world: World, *words: str) -> str:
    """Promote the project's pipeline, as a CI does it."""
    return world.signalbox("promote", PROJECT, "--from", deploy.STACK, "--to", OTHER, "--yes", *words).decode()


def test_what_ran_in_one_stack_runs_in_the_other_at_its_commit_on_the_data_there(
    production: World, world: World, folder: Path
) -> None:
    world.signalbox("upload", str(folder / "petals.csv"), "--project", PROJECT)
    world.mail("approve", f"{PROJECT} version 1")
    (ran,) = runs(world, DEV)

    said = promote(world)

    assert ran["PipelineExecutionArn"] in said
    assert f"a run of {PROD} is asked for" in said
    world.signalbox("upload", str(folder / "petals.csv"), "--project", PROJECT, "--stack", OTHER)
    mail = world.mail("approve", f"{PROJECT} version 1", number=2)
    assert COMMIT in inbox.text(mail)
    (started,) = runs(world, PROD)
    assert production.package(PROJECT, 1)["CustomerMetadataProperties"]["commit"] == COMMIT
    listed = json.loads(world.signalbox("runs", "--stack", OTHER, "--json"))
    assert [one["commit"] for one in listed if one["pipeline"] == PROD] == [COMMIT]

    (record,) = json.loads(world.signalbox("promotions", PROJECT, "--stack", OTHER, "--json"))
    text = definition(world, ran["PipelineExecutionArn"])
    for one in sorted(record["replaced"], key=lambda each: len(each["before"]), reverse=True):
        text = text.replace(one["before"], one["after"])
    assert definition(world, started["PipelineExecutionArn"]) == text
    assert (record["commit"], record["source"]["execution"]) == (COMMIT, ran["PipelineExecutionArn"])
    assert record["source"]["by"]
    assert record["target"]["by"]


def test_the_same_again_starts_nothing(production: World, world: World) -> None:
    assert production
    before = len(runs(world, PROD))
    assert "it is there already" in promote(world)
    assert len(runs(world, PROD)) == before
    assert len(json.loads(world.signalbox("promotions", PROJECT, "--stack", OTHER, "--json"))) == 1


def test_another_promotion_runs_again_over_the_targets_own_data(production: World, world: World, folder: Path) -> None:
    file = folder / "definition.py"
    file.write_text(file.read_text().replace("0.8)", "0.7)"))
    later = COMMIT[::-1]
    world.signalbox("deploy", str(folder), "--commit", later, "--branch", "main")
    world.mail("approve", f"{PROJECT} version 2")
    promote(world, "--commit", later)
    production.mail("approve", f"{PROJECT} version 2", number=2)
    assert production.package(PROJECT, 2)["CustomerMetadataProperties"]["commit"] == later
    given = [
        world.client("sagemaker").list_pipeline_parameters_for_execution(
            PipelineExecutionArn=one["PipelineExecutionArn"]
        )
        for one in runs(world, PROD)
    ]
    values = {one["PipelineParameters"][0]["Value"] for one in given}
    assert len(values) == 1, "the data of its last run"
    assert production.outputs["ArtifactsBucket"] in values.pop()
