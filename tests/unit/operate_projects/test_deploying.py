"""A project is deployed whole or not at all, again without harm; nothing of another project, or in use, is touched."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.project_cloud import POLICY, ProjectCloud
from tests.support.project_folders import SCRIPT, YAML, write

from signalbox.projects import load_model, parse_model, parse_project
from signalbox_operate.projects import deploying, reading, removing, roles, target
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.stack import OperateError

BEER = YAML.replace("wine", "beer").replace("[beer]", "[beer, stout]")
BEER_SCRIPT = SCRIPT.replace('"wine"', '"beer"').replace(
    "[process, register]",
    '[process, register, {**register, "Name": "RegisterStout", "Arguments": '
    '{"ModelPackageGroupName": json.loads(said["SIGNALBOX_GROUPS"])["stout"]}}]',
)
type Statements = dict[str, dict[str, Any]]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return ProjectCloud()


def deploy(cloud: ProjectCloud, folder: Path, yaml: str = YAML, **files: str) -> None:
    deploying.deploy(reading.read(write(folder, yaml, **files)), cloud.place())


def written(cloud: ProjectCloud) -> list[str]:
    """Return what was written, by operation."""
    found = [name for client in cloud.clients.values() for name, _ in client.calls]
    return [name for name in found if not name.startswith(("Describe", "Get", "List", "Query"))]


def statements(cloud: ProjectCloud, role: str, stack: str = "signalbox-project-wine") -> Statements:
    template = json.loads(cloud.stacks.stacks[stack]["template"])
    listed = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {one["Sid"]: one for one in listed}


def test_a_project_gets_its_code_roles_documents_group_and_pipeline(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)

    document = parse_project(cloud.ssm.found["/signalbox/projects/wine"])
    model = parse_model(cloud.ssm.found["/signalbox/models/wine"])
    assert document.pipelines["train"].name == "signalbox-wine--train"
    assert model.id == document.id
    pipeline = cloud.sagemaker.pipelines["signalbox-wine--train"]
    job = json.loads(pipeline["PipelineDefinition"])["Steps"][0]["Arguments"]
    assert pipeline["RoleArn"].startswith("arn:aws:iam::123456789012:role/signalbox/projects/wine/")
    assert job["RoleArn"] == model.roles.job != pipeline["RoleArn"]
    tags = [
        {"Key": "sagemaker:project-name", "Value": "wine"},
        {"Key": "sagemaker:project-id", "Value": document.id},
    ]
    assert job["Tags"] == cloud.sagemaker.groups["signalbox-wine"] == tags
    assert cloud.stacks.requests("CreateStack")[0]["Tags"] == tags
    keys = [request["Key"] for request in cloud.s3.requests("PutObject")]
    assert all(key.startswith("code/wine/") for key in keys)
    assert [key.split("/", 3)[3] for key in keys] == ["code/train.py", "sourcedir.tar.gz"]
    assert "stack signalbox-project-wine created" in cloud.said


def test_a_second_deployment_of_the_same_changes_nothing_and_keeps_the_id(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    before = dict(cloud.ssm.found)

    deploy(cloud, tmp_path)

    assert cloud.ssm.found == before
    assert cloud.said[-2:] == [
        "stack signalbox-project-wine unchanged",
        "pipeline signalbox-wine--train unchanged; uploads are given in its parameter InputManifest",
    ]
    assert not cloud.sagemaker.requests("UpdatePipeline")


def test_a_change_updates_the_stack_and_the_pipeline(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    identity = parse_project(cloud.ssm.found["/signalbox/projects/wine"]).id

    deploy(cloud, tmp_path, YAML + "tags: {team: x}\n")

    assert "stack signalbox-project-wine updated" in cloud.said
    changed = json.loads(cloud.sagemaker.pipelines["signalbox-wine--train"]["PipelineDefinition"])
    assert {"Key": "team", "Value": "x"} in changed["Steps"][0]["Arguments"]["Tags"]
    assert parse_project(cloud.ssm.found["/signalbox/projects/wine"]).id == identity


def test_roles_have_the_projects_own_places_and_nothing_else(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)

    def places(role: str, sid: str) -> list[str]:
        return [
            str(one["Fn::Sub"]).removeprefix("arn:${AWS::Partition}:s3:::")
            for one in statements(cloud, role)[sid]["Resource"]
        ]

    assert places("JobRole", "ReadInputs") == [
        "signalbox-data/incoming/wine/*",
        "signalbox-data/models/wine/*",
        "signalbox-artifacts/manifests/signalbox-wine--train/*",
        "signalbox-artifacts/inputs/signalbox-wine--train/*",
        "signalbox-artifacts/code/wine/*",
        "signalbox-artifacts/pipelines/wine/*",
    ]
    assert places("JobRole", "WriteOutputs") == ["signalbox-artifacts/pipelines/wine/train/runs/*"]
    listed = statements(cloud, "JobRole")["FindInputs1"]["Condition"]["StringLike"]["s3:prefix"]
    assert listed == ["incoming/wine/*", "models/wine/*"]
    assert places("TestRole", "WriteAnswers") == ["signalbox-artifacts/transforms/wine/*"]
    assert places("ModelRole", "ReadModels")[0] == "signalbox-artifacts/packages/wine/*"
    found = statements(cloud, "ModelRole")["FindModels1"]["Condition"]["StringLike"]["s3:prefix"]
    assert found[0] == "packages/wine/*"
    pipeline = statements(cloud, "PipelineRole")
    assert set(pipeline) == {
        *("ProcessingJobs", "Registering", "Registered", "Groups", "LookUpImages", "FindModelData"),
        *("ReadEvaluations", "JobsRunAs"),
    }
    assert [one["Fn::Sub"].rsplit(":", 1)[1] for one in pipeline["Registering"]["Resource"]] == [
        "model-package/signalbox-wine/*",
        "model-package/signalbox-wine--*",  # of branches
        "model-package-group/signalbox-wine",
        "model-package-group/signalbox-wine--*",
    ]
    assert pipeline["JobsRunAs"]["Resource"] == {"Fn::GetAtt": ["JobRole", "Arn"]}


def test_a_pipeline_may_register_packages_only_that_wait_for_their_approval(tmp_path: Path) -> None:
    project = reading.read(write(tmp_path))

    allowed = roles.pipeline(project, target.example("us-east-1"), ["RegisterModel"], (), ())

    registering = [one for one in allowed if "sagemaker:CreateModelPackage" in one["Action"]]
    pending = {"StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    assert [one["Condition"] for one in registering] == [pending]
    assert "sagemaker:UpdateModelPackage" not in str(allowed)


def test_every_resource_of_a_project_carries_its_tags_and_containers_have_the_stacks_policy(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    deploy(cloud, tmp_path, YAML + "tags: {team: x}\n")

    resources = json.loads(cloud.stacks.stacks["signalbox-project-wine"]["template"])["Resources"]
    for resource in resources.values():
        tags = resource["Properties"]["Tags"]
        plain = {one["Key"]: one["Value"] for one in tags} if isinstance(tags, list) else tags
        assert plain["sagemaker:project-name"] == "wine"
        assert plain["team"] == "x"
    attached = {name: one["Properties"].get("ManagedPolicyArns") for name, one in resources.items() if "Role" in name}
    assert attached == {"JobRole": [POLICY], "TestRole": [POLICY], "ModelRole": [POLICY], "PipelineRole": None}


def test_the_golden_requests_of_a_pipelines_model_are_put_where_its_document_says(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    asked = '{"content_type": "text/csv", "body": "1,2"}'
    deploy(cloud, tmp_path, f"{YAML}    golden: {{wine: golden.jsonl}}\n", **{"code/golden__jsonl": asked})

    place = parse_model(cloud.ssm.found["/signalbox/models/wine"]).test.golden
    puts = {f"s3://{put['Bucket']}/{put['Key']}": put["Body"] for put in cloud.s3.requests("PutObject")}
    assert place is not None
    assert puts[place] == asked.encode()


def test_a_container_gets_the_document_that_it_trains_with(cloud: ProjectCloud, tmp_path: Path) -> None:
    yaml = """\
project: flowers
containers:
  iris:
    problem: multiclass
    hyperparameters: {mode: "${x}", leaves: 5}
    instance_type: ml.c5.large
    subnets: [subnet-1]
    content_type: application/json
    channels: {validation: code}
stages: [{name: prod, instance_type: ml.m5.large, instance_count: 1}]
"""
    deploy(cloud, tmp_path, yaml)

    document = load_model("signalbox", "iris", cloud.ssm)  # type: ignore[arg-type]  # its twin in memory
    assert document is not None
    assert document.training is not None
    assert document.training.hyperparameters == {"mode": "${x}", "leaves": "5"}
    assert document.training.channels == {
        "training": "s3://signalbox-data/models/iris/train/",
        "validation": "s3://signalbox-data/models/iris/channels/validation/",
    }
    assert (document.training.instance_type, document.training.subnets) == ("ml.c5.large", ("subnet-1",))
    assert document.test.content_type == "application/json"
    assert [stage.name for stage in document.stages] == ["prod"]
    job = statements(cloud, "JobRole", "signalbox-project-flowers")
    assert "Network" in job
    assert str(job["WriteOutputs"]["Resource"][0]["Fn::Sub"]).endswith("signalbox-artifacts/training/iris/*")
    assert not cloud.sagemaker.pipelines


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        (BEER.replace("incoming/beer/", "incoming/wine/"), "incoming/wine/ is claimed by the project wine"),
        (BEER.replace("beer, stout", "beer, stout, wine"), "the model wine belongs to the project wine"),
        (BEER.replace("incoming/beer/", "raw/beer/"), "the stack watches incoming/ alone"),
        (BEER + "access: {read: ['s3://signalbox-data/incoming/wine/']}\n", "is in a bucket of the stack"),
    ],
)
def test_what_another_project_or_the_stack_has_is_refused_before_anything_is_written(
    cloud: ProjectCloud, tmp_path: Path, yaml: str, told: str
) -> None:
    deploy(cloud, tmp_path / "wine")
    before = written(cloud)
    script = BEER_SCRIPT.replace(
        "register, {**",
        'register, {**register, "Name": "W", "Arguments": {"ModelPackageGroupName": "signalbox-wine"}}, {**',
    )

    with pytest.raises(ProjectError) as refused:
        deploy(cloud, tmp_path / "beer", yaml, pipeline__py=script if "wine]" in yaml else BEER_SCRIPT)

    assert any(told in problem for problem in refused.value.problems), refused.value.problems
    assert all(problem.startswith("signalbox.yaml, line ") for problem in refused.value.problems)
    assert written(cloud) == before


def test_a_prefix_that_the_stack_does_not_watch_is_deployed_where_it_is_in_a_bucket_that_the_project_reads(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    raw = BEER.replace("incoming/beer/", "raw/beer/")
    deploy(cloud, tmp_path / "beer", f"{raw}access: {{read: ['s3://lake/raw/']}}\n", pipeline__py=BEER_SCRIPT)
    assert "signalbox-beer--train" in cloud.sagemaker.pipelines

    with pytest.raises(ProjectError, match=r"say in access\.read which place in a bucket of your own it is"):
        deploy(cloud, tmp_path / "ale", f"{raw}access: {{read: ['s3://lake/rare/']}}\n", pipeline__py=BEER_SCRIPT)


def test_a_prefix_inside_another_projects_is_deployed_and_said(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path / "wine", YAML.replace("incoming/wine/", "incoming/"))
    deploy(cloud, tmp_path / "beer", BEER, pipeline__py=BEER_SCRIPT)
    assert "note: the jobs of wine can read the uploads of beer (incoming/beer/)" in cloud.said


def test_a_creation_that_fails_tells_its_first_reason_and_leaves_nothing(cloud: ProjectCloud, tmp_path: Path) -> None:
    cloud.stacks.fail_on = "JobRole"
    with pytest.raises(OperateError, match="could not be created, and nothing of it is left: JobRole: it is there"):
        deploy(cloud, tmp_path)
    assert not cloud.stacks.stacks
    assert not cloud.sagemaker.pipelines

    cloud.stacks.fail_on = None
    deploy(cloud, tmp_path)
    assert "signalbox-wine--train" in cloud.sagemaker.pipelines


def test_an_update_that_fails_tells_its_first_reason_and_that_all_is_as_before(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    deploy(cloud, tmp_path)
    before = dict(cloud.ssm.found)
    cloud.stacks.fail_on = "Project"
    with pytest.raises(OperateError, match="could not be updated, and it is as it was before: Project: it is there"):
        deploy(cloud, tmp_path, YAML + "tags: {team: x}\n")
    assert cloud.ssm.found == before


def test_a_creation_that_was_rolled_back_before_is_begun_anew(cloud: ProjectCloud, tmp_path: Path) -> None:
    before: dict[str, Any] = {"outputs": {}, "template": None, "status": "ROLLBACK_COMPLETE", "moving": 0}
    cloud.stacks.stacks["signalbox-project-wine"] = {**before, "doing": "ROLLBACK"}
    cloud.stacks.events["signalbox-project-wine"] = []
    deploy(cloud, tmp_path)
    assert len(cloud.stacks.requests("DeleteStack")) == 1
    assert "signalbox-wine--train" in cloud.sagemaker.pipelines


def test_a_definition_that_sagemaker_refuses_is_said_in_its_words_before_anything_is_written(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    cloud.sagemaker.refuses = "Unable to parse pipeline definition: [Prepare] is wrong"
    with pytest.raises(OperateError, match=r"signalbox-wine--train: Unable to parse .* \[Prepare\] is wrong"):
        deploy(cloud, tmp_path)
    assert written(cloud) == ["DeletePipeline", "CreatePipeline"], "the trial alone"
    assert cloud.sagemaker.pipelines == {}


def test_a_changed_definition_that_sagemaker_refuses_leaves_the_project_as_it_was(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    deploy(cloud, tmp_path)
    before = (dict(cloud.ssm.found), dict(cloud.sagemaker.pipelines), len(cloud.s3.requests("PutObject")))
    cloud.sagemaker.refuses = "no"
    with pytest.raises(OperateError, match="SageMaker refuses the definition of the pipeline"):
        deploy(cloud, tmp_path, YAML + "tags: {team: x}\n")
    assert (cloud.ssm.found, cloud.sagemaker.pipelines, len(cloud.s3.requests("PutObject"))) == before


def test_a_trial_that_was_left_by_a_deployment_that_died_is_replaced(cloud: ProjectCloud, tmp_path: Path) -> None:
    left = {"PipelineDefinition": "{}", "RoleArn": "", "PipelineArn": ""}
    cloud.sagemaker.pipelines["signalbox-wine--train--trial"] = left
    deploy(cloud, tmp_path)
    assert list(cloud.sagemaker.pipelines) == ["signalbox-wine--train"]


def test_a_project_that_comes_back_after_it_was_removed_can_be_removed_again(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    for _ in range(2):
        deploy(cloud, tmp_path)
        removing.remove("wine", cloud.place())
    assert cloud.sagemaker.pipelines == {}


WITHOUT_PIPELINE = "project: wine\ncontainers: {other: {problem: binary}}\n"


def use_waiting(cloud: ProjectCloud) -> None:
    cloud.waiting["signalbox-wine--train"] = 2


def use_sealed(cloud: ProjectCloud) -> None:
    cloud.sealed["signalbox-wine--train"] = 1


def use_run(cloud: ProjectCloud) -> None:
    cloud.sagemaker.executions["signalbox-wine--train"] = ["Succeeded", "Executing"]


def use_live(cloud: ProjectCloud) -> None:
    cloud.sagemaker.endpoints += ["signalbox-wine-prod", "signalbox-wine-red-prod"]


def use_review(cloud: ProjectCloud) -> None:
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-wine/3"
    cloud.machines.open = {"review-signalbox-wine-3": {"package": package}, "train-other": {"model": "other"}}


IN_USE = [
    (use_waiting, "2 uploads wait for the pipeline signalbox-wine--train"),
    (use_sealed, "1 upload waits for the pipeline signalbox-wine--train"),
    (use_run, "the run run-1 of the pipeline signalbox-wine--train is active"),
    (use_live, "the model wine is live: signalbox-wine-prod serves it"),
    (use_review, "the model wine is being trained, reviewed or released by review-signalbox-wine-3"),
]


@pytest.mark.parametrize(("use", "told"), IN_USE)
def test_a_project_in_use_is_neither_removed_nor_robbed_of_what_is_in_use(
    cloud: ProjectCloud, tmp_path: Path, use: Callable[[ProjectCloud], None], told: str
) -> None:
    deploy(cloud, tmp_path)
    use(cloud)
    before = written(cloud)

    def remove() -> None:
        removing.remove("wine", cloud.place())

    def leave_out() -> None:
        deploy(cloud, tmp_path, WITHOUT_PIPELINE)

    for attempt in (remove, leave_out):
        with pytest.raises(ProjectError) as refused:
            attempt()
        assert [problem for problem in refused.value.problems if told in problem]
        assert len(refused.value.problems) == 1

    assert written(cloud) == before


def test_a_project_at_rest_is_removed_with_what_was_made_for_it_alone(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path / "wine")
    deploy(cloud, tmp_path / "beer", BEER, pipeline__py=BEER_SCRIPT)

    removing.remove("wine", cloud.place())

    assert list(cloud.sagemaker.pipelines) == ["signalbox-beer--train"]
    assert list(cloud.stacks.stacks) == ["signalbox-project-beer"]
    assert not [name for name in cloud.ssm.found if "wine" in name]
    assert "signalbox-wine" in cloud.sagemaker.groups
    with pytest.raises(OperateError, match="there is no project 'wine': the projects are beer"):
        removing.remove("wine", cloud.place())


def test_a_live_model_goes_with_its_project_only_where_that_is_said(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    use_live(cloud)
    removing.remove("wine", cloud.place(), endpoints=True)
    assert cloud.sagemaker.endpoints == ["signalbox-wine-red-prod"]
    assert not cloud.stacks.stacks


def test_a_removal_that_was_broken_off_is_finished_by_the_next(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    cloud.stacks.refuse_deletion = True
    with pytest.raises(OperateError, match="could not be deleted: JobRole: it is attached"):
        removing.remove("wine", cloud.place())
    cloud.stacks.refuse_deletion = False
    removing.remove("wine", cloud.place())
    assert not cloud.stacks.stacks


def test_uploads_that_come_while_a_project_goes_are_said(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)

    def client(service: str) -> Any:
        if service == "sagemaker" and cloud.stacks.requests("DeleteStack"):
            raise AssertionError
        if cloud.stacks.requests("DeleteStack"):
            cloud.waiting["signalbox-wine--train"] = 1
        return cloud.clients[service]

    removing.remove("wine", cloud.place(client))
    assert cloud.said[-1] == "note: 1 upload came meanwhile and waits: deploy wine again, and a run takes what waits"
