"""A set of files is one run of exactly these, whenever they come; what does not come or cannot be used is told once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox import names
from signalbox.projects import Project, ProjectPipeline, ProjectUploads, to_json
from tests.system.world import PREFIX, World

NAME, APPROVER = "parcels", "carl@example.com"
WHOLE, LATE = f"{PREFIX}-{NAME}", f"{PREFIX}-{NAME}--late"
PLACE = f"incoming/{NAME}/"
PARCELS = Project(
    NAME,
    f"{NAME}-0123456789ab",
    (
        ProjectUploads(PLACE, NAME, ".csv", complete="manifest.json", replace=True),
        ProjectUploads(f"{PLACE}late/", "late", ".csv", 0, 1, complete="manifest.json"),
    ),
    {NAME: ProjectPipeline(WHOLE), "late": ProjectPipeline(LATE)},
    approvers=(APPROVER,),
)


class Parcels:
    """The project: two pipelines that fail by themselves, and a CloudFormation stack with its document."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stack = f"{PREFIX}-project-{NAME}"
        self._formation = world.client("cloudformation")
        stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no more"}}
        parameters = [{"Name": "InputManifest", "Type": "String"}]
        for pipeline in (WHOLE, LATE):
            world.client("sagemaker").create_pipeline(
                PipelineName=pipeline,
                PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [stop]}),
                RoleArn=world.outputs["PipelineRoleArn"],
                ClientRequestToken=names.token("pipeline", pipeline),
            )
        properties = {"Name": names.project_parameter(PREFIX, NAME), "Type": "String", "Value": to_json(PARCELS)}
        template = {"Resources": {"Document": {"Type": "AWS::SSM::Parameter", "Properties": properties}}}
        self._formation.create_stack(StackName=self._stack, TemplateBody=json.dumps(template))
        self._formation.get_waiter("stack_create_complete").wait(StackName=self._stack, WaiterConfig={"Delay": 1})

    def remove(self) -> None:
        """Delete the project's stack."""
        self._formation.delete_stack(StackName=self._stack)
        self._formation.get_waiter("stack_delete_complete").wait(StackName=self._stack, WaiterConfig={"Delay": 1})

    def put(self, key: str, text: str = "1,2\n") -> None:
        """Upload a file under the project's place, and wait until it is recorded."""
        put = self.world.client("s3").put_object(
            Bucket=self.world.outputs["DataBucket"], Key=f"{PLACE}{key}", Body=text.encode()
        )
        self.world.wait_for(f"{key} to be recorded", lambda: self._recorded(f"{PLACE}{key}", put["VersionId"]))

    def _recorded(self, key: str, version: str) -> bool:
        item = {"pk": {"S": f"upload#{self.world.outputs['DataBucket']}/{key}"}, "sk": {"S": version}}
        found = self.world.client("dynamodb").get_item(TableName=self.world.outputs["UploadsTable"], Key=item)
        return "Item" in found

    def run(self, pipeline: str, number: int) -> tuple[list[str], str]:
        """Return the files and the description of the `number`th run of a pipeline, as soon as it is there."""

        def look() -> dict[str, Any] | None:
            listed = sagemaker.list_pipeline_executions(PipelineName=pipeline, SortOrder="Ascending")
            found: list[dict[str, Any]] = listed["PipelineExecutionSummaries"]
            return found[number - 1] if len(found) >= number else None

        sagemaker = self.world.client("sagemaker")
        arn = self.world.wait_for(f"run {number} of {pipeline}", look)["PipelineExecutionArn"]
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        (given,) = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
        bucket, _, key = given["Value"].removeprefix("s3://").partition("/")
        manifest = json.loads(self.world.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        return [name.removeprefix(PLACE) for name in manifest[1:]], described["PipelineExecutionDescription"]

    def said(self, key: str = "") -> str:
        """Return what the command line says of what waits, or of one key."""
        return self.world.signalbox("uploads", *([f"{PLACE}{key}"] if key else [])).decode()


@pytest.fixture(scope="module")
def parcels(world: World) -> Iterator[Parcels]:
    """The project, deployed; nothing of it is left in the stack but its pipelines, which nothing starts."""
    made = Parcels(world)
    yield made
    made.remove()


def test_a_set_whose_files_come_before_and_after_it_is_named_is_one_run_of_exactly_these(
    world: World, parcels: Parcels
) -> None:
    parcels.put("a.csv")
    parcels.put("stranger.csv")
    parcels.put("manifest.json", '["a.csv", "b.csv"]')
    waits = f"{PLACE}manifest.json waits for 1 of its 2 files until "
    world.wait_for("the set to be seen", lambda: waits in parcels.said())
    assert "no set names it: an object that ends in manifest.json has to" in parcels.said("stranger.csv")
    parcels.put("a.csv", "3,4\n")

    parcels.put("b.csv")

    files, description = parcels.run(WHOLE, 1)
    assert files == ["a.csv", "b.csv"]
    assert ": 2 uploads from " in description
    assert "replaced: by version " in parcels.said("a.csv")
    parcels.put("2-manifest.json", "stranger.csv\n")
    assert parcels.run(WHOLE, 2)[0] == ["stranger.csv"]
    assert parcels.said() == "no upload waits\n"


def test_what_does_not_come_or_cannot_be_used_is_told_once_and_the_rest_is_run(world: World, parcels: Parcels) -> None:
    parcels.put("late/x.csv")
    parcels.put("late/bad-manifest.json", "x.txt\n")
    prefix = f"s3://{world.outputs['DataBucket']}/{PLACE}late/"
    parcels.put("late/manifest.json", json.dumps([{"prefix": prefix}, "x.csv", "never.csv"]))

    files, description = parcels.run(LATE, 1)

    missing = f"{PLACE}late/never.csv"
    assert files == ["late/x.csv"]
    assert f"without 1 that did not come ({missing}); {PLACE}late/x.csv" in description
    told, refused = world.mail(NAME, "is not complete"), world.mail(NAME, "cannot be used")
    assert (told["To"], refused["To"]) == ([APPROVER], [APPROVER])
    assert f"Of the set's 2 files, 1 did not come within the longest wait:\n\n  {missing}" in inbox.text(told)
    assert "Sent by: root" in inbox.text(told)
    assert "which does not end in .csv" in " ".join(inbox.text(refused).split())
    assert "refused: line 1 is " in parcels.said("late/bad-manifest.json")
    world.mail(NAME, "the pipeline run has failed in Stop", number=3)
    assert (len(world.mails(NAME, "is not complete")), len(world.mails(NAME, "cannot be used"))) == (1, 1)
    assert parcels.said() == "no upload waits\n"
