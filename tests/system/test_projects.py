"""Two projects in one stack: each gets its own uploads and runs, and what nobody claims waits and is seen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox import names
from signalbox.projects import Project, ProjectPipeline, ProjectUploads, to_json
from tests.system.world import PIPELINE, PREFIX, World

APPROVER = "vera@example.com"
TRAIN, PHOTOS = f"{PREFIX}-wine", f"{PREFIX}-wine--photos"
# Long enough for all events of one `put` to be recorded, on two cores that are busy with another cloud.
QUIET = 12
WINE = Project(
    "wine",
    "wine-0123456789ab",
    (
        ProjectUploads("incoming/wine/", "wine", ".csv", quiet_seconds=QUIET),
        ProjectUploads("incoming/wine/photos/", "photos", quiet_seconds=QUIET),
    ),
    {
        "wine": ProjectPipeline(TRAIN, ("wine",)),
        "photos": ProjectPipeline(PHOTOS, takes="url", parameter="Photos"),
    },
    approvers=(APPROVER,),
)


class Wine:
    """The project: two pipelines that fail by themselves, and a CloudFormation stack with its document."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._formation = world.client("cloudformation")
        for pipeline, parameter in ((TRAIN, "InputManifest"), (PHOTOS, "Photos")):
            stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no grapes"}}
            parameters = [{"Name": parameter, "Type": "String"}]
            definition = {"Version": "2020-12-01", "Parameters": parameters, "Steps": [stop]}
            world.client("sagemaker").create_pipeline(
                PipelineName=pipeline,
                PipelineDefinition=json.dumps(definition),
                RoleArn=world.outputs["PipelineRoleArn"],
                ClientRequestToken=names.token("pipeline", pipeline),
            )

    def deploy(self) -> None:
        """Make the project's stack."""
        properties = {"Name": names.project_parameter(PREFIX, "wine"), "Type": "String", "Value": to_json(WINE)}
        template = {"Resources": {"Document": {"Type": "AWS::SSM::Parameter", "Properties": properties}}}
        self._formation.create_stack(StackName=f"{PREFIX}-project-wine", TemplateBody=json.dumps(template))
        self._formation.get_waiter("stack_create_complete").wait(
            StackName=f"{PREFIX}-project-wine", WaiterConfig={"Delay": 1}
        )

    def remove(self) -> None:
        """Delete the project's stack."""
        self._formation.delete_stack(StackName=f"{PREFIX}-project-wine")
        self._formation.get_waiter("stack_delete_complete").wait(
            StackName=f"{PREFIX}-project-wine", WaiterConfig={"Delay": 1}
        )

    def put(self, *keys: str) -> None:
        """Upload files under the project's place."""
        for key in keys:
            self.world.client("s3").put_object(
                Bucket=self.world.outputs["DataBucket"], Key=f"incoming/wine/{key}", Body=b"\n\n"
            )

    def runs(self, pipeline: str) -> list[dict[str, str]]:
        """Return what the runs of a pipeline were given, the oldest first."""
        sagemaker = self.world.client("sagemaker")
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline, SortOrder="Ascending")
        given = [
            sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=one["PipelineExecutionArn"])
            for one in listed["PipelineExecutionSummaries"]
        ]
        return [{one["Name"]: one["Value"] for one in each["PipelineParameters"]} for each in given]

    def run(self, pipeline: str, number: int) -> dict[str, str]:
        """Return what the `number`th run of a pipeline was given, as soon as it is there."""

        def look() -> dict[str, str] | None:
            found = self.runs(pipeline)
            return found[number - 1] if len(found) >= number else None

        return self.world.wait_for(f"run {number} of {pipeline}", look)

    def waiting(self) -> str:
        """Return what the command line says of what waits."""
        return self.world.signalbox("uploads").decode()


@pytest.fixture(scope="module")
def wine(world: World) -> Iterator[Wine]:
    """The project, not deployed yet; nothing of it is left in the stack."""
    made = Wine(world)
    yield made
    made.remove()


def seen(world: World, words: str) -> None:
    """Wait until the command line says something about what waits."""
    world.wait_for(words, lambda: words in world.signalbox("uploads").decode())


def test_what_no_project_claims_waits_is_seen_and_runs_once_its_project_is_deployed(world: World, wine: Wine) -> None:
    wine.put("early.csv")
    seen(world, "1 waiting that nobody claims: no project claims its place")
    assert "upload that nobody claims" in world.signalbox("status").decode()
    assert wine.runs(TRAIN) == []

    wine.deploy()

    given = wine.run(TRAIN, 1)["InputManifest"]
    assert given.startswith(f"s3://{world.outputs['ArtifactsBucket']}/manifests/{TRAIN}/{TRAIN}-000001-")
    assert manifest(world, given)[1:] == ["incoming/wine/early.csv"]
    assert wine.waiting() == "no upload waits\n"


def test_uploads_of_two_projects_are_two_runs_told_to_two_groups_of_people(
    world: World, wine: Wine, tmp_path: Path
) -> None:
    mails, before = len(world.mails("abalone", "the pipeline run has failed")), len(wine.runs(PIPELINE))
    (tmp_path / "rows.csv").write_text("\n\n")

    wine.put("one.csv", "two.csv", "notes.txt")
    world.signalbox("upload", str(tmp_path / "rows.csv"), "--project", "abalone")

    mixed = manifest(world, wine.run(TRAIN, 2)["InputManifest"])[1:]
    assert mixed == ["incoming/wine/one.csv", "incoming/wine/two.csv"]  # no .txt, and nothing of abalone's
    own = manifest(world, wine.run(PIPELINE, before + 1)["InputManifest"])[1:]
    assert own == ["incoming/abalone/rows.csv"]
    told = world.mail("wine", "the pipeline run has failed in Stop", number=2)
    assert "no grapes" in inbox.text(told)
    assert told["To"] == [APPROVER]
    other = world.mail("abalone", "the pipeline run has failed", number=mails + 1)
    assert APPROVER not in other["To"]


def test_a_pipeline_that_takes_an_address_gets_one_file_itself_and_copies_of_several(world: World, wine: Wine) -> None:
    wine.put("photos/one.jpg")
    assert wine.run(PHOTOS, 1) == {"Photos": f"s3://{world.outputs['DataBucket']}/incoming/wine/photos/one.jpg"}
    wine.put("photos/a/two.jpg", "photos/b/two.jpg", "photos/three.jpg")
    bucket, _, prefix = wine.run(PHOTOS, 2)["Photos"].removeprefix("s3://").partition("/")
    copies = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    called = [one["Key"].removeprefix(prefix) for one in copies]
    assert prefix.startswith(f"inputs/{PHOTOS}/{PHOTOS}-000002-")
    assert len(called) == 3
    assert [name for name in called if not name.endswith("-two.jpg")] == ["three.jpg"]


def test_uploads_of_a_project_that_is_removed_wait_and_run_when_it_is_back(world: World, wine: Wine) -> None:
    before = len(wine.runs(TRAIN))
    wine.remove()
    wine.put("late.csv")
    seen(world, "1 waiting that nobody claims")
    wine.deploy()
    assert manifest(world, wine.run(TRAIN, before + 1)["InputManifest"])[1:] == ["incoming/wine/late.csv"]


def manifest(world: World, uri: str) -> list[Any]:
    """Return a manifest."""
    bucket, key = names.bucket_and_key(uri)
    found: list[Any] = json.loads(world.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return found
