"""A run that cannot start is told by mail with its reason; its uploads wait, and start when that is mended."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from tests.system.world import PIPELINE, World


@pytest.fixture(scope="module", autouse=True)
def as_before(world: World) -> Iterator[None]:
    """Leave the pipeline to the next scenarios, whatever became of it in these."""
    yield
    world.signalbox("deploy", "projects/abalone")


def upload(world: World, folder: Path, name: str) -> None:
    """Upload a file without rows: its run ends soon, and in a mail."""
    (folder / name).write_text("\n\n")
    world.signalbox("upload", str(folder / name))


def refused(world: World, number: int) -> str:
    """Return the text of the `number`th mail about a run that cannot start."""
    return inbox.text(world.mail("abalone", "the pipeline run cannot start", number=number))


def given_up(world: World, before: int) -> None:
    """Wait for the mail that the run has started and, having no rows, failed."""
    world.mail("abalone", "the pipeline run has failed", number=before + 1)


def test_without_its_pipeline_a_run_waits_is_told_and_starts_once_the_project_is_deployed(
    world: World, tmp_path: Path
) -> None:
    before = len(world.mails("abalone", "the pipeline run has failed"))
    world.client("sagemaker").delete_pipeline(PipelineName=PIPELINE, ClientRequestToken="t" * 32)

    upload(world, tmp_path, "early.csv")

    mail = refused(world, 1)
    assert f"the pipeline {PIPELINE} does not exist" in mail
    assert "incoming/abalone/early.csv" in mail
    status = world.signalbox("status").decode()
    assert "1 upload" in status
    assert "does not exist" in status
    world.signalbox("deploy", "projects/abalone")
    given_up(world, before)
    assert world.signalbox("uploads") == b"no upload waits\n"


@pytest.fixture
def pipeline(world: World) -> dict[str, Any]:
    """Return the pipeline as it is."""
    found: dict[str, Any] = world.client("sagemaker").describe_pipeline(PipelineName=PIPELINE)
    return found


def test_a_run_whose_pipeline_takes_another_parameter_is_told_in_sagemakers_words_and_writes_one_manifest(
    world: World, tmp_path: Path, pipeline: dict[str, Any]
) -> None:
    before = len(world.mails("abalone", "the pipeline run has failed"))
    definition = json.loads(pipeline["PipelineDefinition"])
    definition |= {"Parameters": [], "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}
    world.client("sagemaker").update_pipeline(
        PipelineName=pipeline["PipelineName"], PipelineDefinition=json.dumps(definition)
    )

    upload(world, tmp_path, "other.csv")

    mail = refused(world, 2)
    assert "InputManifest" in mail
    world.signalbox("deploy", "projects/abalone")
    given_up(world, before)
    (run,) = {
        line.split()[1] for line in world.signalbox("uploads", "other.csv").decode().splitlines() if "run " in line
    }
    versions = world.client("s3").list_object_versions(
        Bucket=world.outputs["ArtifactsBucket"], Prefix=f"manifests/{PIPELINE}/{run.rstrip(':')}.json"
    )
    assert sorted(one["Key"].rpartition("/")[2].partition(".")[2] for one in versions["Versions"]) == [
        "json",
        "json.versions.json",
    ]
    assert len(world.mails("abalone", "the pipeline run cannot start")) == 2
