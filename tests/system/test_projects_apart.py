"""Two projects with two models each in one stack do not see each other; a definition of the SDK's is a project too."""

import base64
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox.projects import parse_model, parse_project
from tests.support.documents import blocks, commands, read
from tests.system import project_folders
from tests.system.test_own_container import approve_twice
from tests.system.test_own_container import run as typed
from tests.system.test_what_is_served import ATTACK, SCIKIT_LEARN
from tests.system.world import PREFIX, World

TUTORIAL = read("docs/own-pipeline.md")
_LONGEST = 256  # characters of an argument (API reference, AppSpecification)
UNPACK = "import base64, sys; exec(base64.b64decode(''.join(sys.argv[1:])))"
# Tries calls and says, in the job's message, which of them were let through.
TRY = """
import boto3, json
through = []
s3 = boto3.client("s3")
for call in calls:
    try:
        getattr(s3, call["name"])(**call["given"])
        through.append(call["what"])
    except Exception as error:
        if "AccessDenied" not in str(error) and "Forbidden" not in str(error) and "403" not in str(error):
            through.append(f"{call['what']}: {error}")
with open("/opt/ml/output/message", "w") as message:
    message.write(json.dumps(through))
"""


@dataclass(frozen=True)
class Deployed:
    """A project in the stack: SageMaker's name of its pipeline, the ARNs of its roles, the tags of what is its own."""

    name: str
    pipeline: str
    roles: dict[str, str]
    tags: dict[str, str]


def deploy(world: World, folder: Path, name: str, pipeline: str) -> Deployed:
    """Deploy a project."""
    world.signalbox("deploy", str(folder))
    return described(world, name, pipeline)


def described(world: World, name: str, pipeline: str) -> Deployed:
    """Return a project that is deployed, with one of its pipelines."""
    ssm = world.client("ssm")
    text = ssm.get_parameter(Name=f"/{PREFIX}/projects/{name}")["Parameter"]["Value"]
    called = parse_project(text).pipelines[pipeline].name
    stack = world.client("cloudformation").describe_stacks(StackName=f"{PREFIX}-project-{name}")["Stacks"][0]
    roles = {one["OutputKey"].removesuffix("Arn"): one["OutputValue"] for one in stack["Outputs"]}
    tags = {"sagemaker:project-name": name, "sagemaker:project-id": parse_project(text).id}
    return Deployed(name, called, roles, tags | ({"team": name} if "judge" in called else {}))


def run(world: World, pipeline: str) -> dict[str, Any]:
    """Return the first execution of a pipeline once it has ended."""
    sagemaker = world.client("sagemaker")

    def ended() -> dict[str, Any] | None:
        found = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        done = [one for one in found if one["PipelineExecutionStatus"] not in ("Executing", "Stopping")]
        return done[0] if done else None

    found: dict[str, Any] = world.wait_for(f"the end of a run of {pipeline}", ended)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=found["PipelineExecutionArn"])
    assert found["PipelineExecutionStatus"] == "Succeeded", steps["PipelineExecutionSteps"]
    return found


@pytest.fixture(scope="module")
def both(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deployed]:
    """Deploy two projects alike, and upload to both at the same time."""
    folder = tmp_path_factory.mktemp("two")
    made = {
        name: deploy(world, project_folders.two_models(folder / name, name), name, "judge")
        for name in ("north", "south")
    }
    for name in made:
        file = folder / f"{name}.csv"
        file.write_text(f"{name}-good,0.9\n{name}-weak,0.4\n")
        world.signalbox("upload", str(file), "--project", name)
    for one in made.values():
        run(world, one.pipeline)
    return made


def test_a_pipeline_with_two_models_registers_the_good_one_and_not_the_weak_one(
    world: World, both: dict[str, Deployed]
) -> None:
    for name in both:
        assert [one["ModelApprovalStatus"] for one in world.packages(f"{name}-good")] == ["PendingManualApproval"]
        assert world.packages(f"{name}-weak") == []


def test_each_project_asks_its_own_approvers_and_a_rejection_in_one_leaves_the_others_review_open(
    world: World, both: dict[str, Deployed]
) -> None:
    asked = {name: world.mail("approve", f"{name}-good version 1") for name in both}
    world.reject(asked["north"], "too few rows")
    told = world.mail("north-good version 1", "rejected")

    assert [mail["To"] for mail in asked.values()] == [["north@example.com"], ["south@example.com"]]
    assert told["To"] == ["north@example.com"]
    decisions = [one["ModelApprovalStatus"] for name in both for one in world.packages(f"{name}-good")]
    assert decisions == ["Rejected", "PendingManualApproval"]


def test_everything_of_a_project_carries_its_tags(world: World, both: dict[str, Deployed]) -> None:
    sagemaker, iam = world.client("sagemaker"), world.client("iam")
    account = both["north"].roles["JobRole"].split(":")[4]
    arn = f"arn:aws:sagemaker:us-east-1:{account}"
    for one in both.values():
        jobs = sagemaker.list_processing_jobs(NameContains="pipelines-", MaxResults=100)["ProcessingJobSummaries"]
        assert [_tags(sagemaker, job["ProcessingJobArn"]) for job in jobs].count(one.tags) == 1
        assert one.tags.items() <= _tags(sagemaker, f"{arn}:pipeline/{one.pipeline}").items()
        group = f"{arn}:model-package-group/{world.group(f'{one.name}-weak')}"
        assert _tags(sagemaker, group) == one.tags
        for role in one.roles.values():
            listed = iam.list_role_tags(RoleName=role.rsplit("/", 1)[1])["Tags"]
            own = {tag["Key"]: tag["Value"] for tag in listed if not tag["Key"].startswith("aws:")}
            assert own == one.tags


def _tags(sagemaker: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_releases_of_two_projects_at_once_are_each_their_own(
    world: World, both: dict[str, Deployed], tmp_path: Path
) -> None:
    again = tmp_path / "again.csv"
    again.write_text("north-good,0.91\nnorth-weak,0.92\n")
    world.signalbox("upload", str(again), "--project", "north")
    waiting = {"north-good": 2, "north-weak": 1, "south-good": 1}
    asked = {model: world.mail("approve", f"{model} version {version}") for model, version in waiting.items()}

    for mail in asked.values():
        world.approve(mail)
    staged = {model: world.mail("to prod", f"{model} version {version}") for model, version in waiting.items()}
    for mail in staged.values():
        world.approve(mail)
    told = {model: world.mail("released", f"{model} version {version}") for model, version in waiting.items()}

    for model in waiting:
        project = model.partition("-")[0]
        assert [mails[model]["To"] for mails in (asked, staged, told)] == [[f"{project}@example.com"]] * 3
        assert _roles_of(world, model) == {both[project].roles["ModelRole"]}
        assert world.predict("prod", model, "whose") == f"{project}-good {project}-weak\n".encode()


def _roles_of(world: World, model: str) -> set[str]:
    """Return the roles that a model serves as, in all stages."""
    sagemaker = world.client("sagemaker")
    found = set()
    for stage in ("staging", "prod"):
        endpoint = world.endpoint(model, stage)
        assert endpoint is not None
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        for variant in config["ProductionVariants"]:
            found.add(sagemaker.describe_model(ModelName=variant["ModelName"])["ExecutionRoleArn"])
    return found


def test_no_role_of_a_project_reaches_what_is_anothers(world: World, both: dict[str, Deployed]) -> None:
    data, artifacts = world.outputs["DataBucket"], world.outputs["ArtifactsBucket"]
    calls = tries(data, artifacts, both["south"].pipeline, "south")
    for kind, role in both["north"].roles.items():
        # SageMaker lists the artifacts bucket as the pipeline's role, where a model is registered: names, no contents.
        listed = {"list everything", "read code", "list runs"} if kind == "PipelineRole" else set()
        assert set(tried(world, role, calls)) == listed
    # The same calls are let through for the role that they are meant for: nothing else stops them.
    through = tried(world, both["south"].roles["JobRole"], calls)
    assert set(through) >= {"read an upload", "list uploads", "read code", "list runs", "write a run"}


def tries(data: str, artifacts: str, pipeline: str, name: str) -> list[dict[str, Any]]:
    """Return calls on what a project has, each with what it tries."""

    def call(what: str, operation: str, **given: str) -> dict[str, Any]:
        return {"what": what, "name": operation, "given": given}

    return [
        call("read an upload", "get_object", Bucket=data, Key=f"incoming/{name}/{name}.csv"),
        call("list uploads", "list_objects_v2", Bucket=data, Prefix=f"incoming/{name}/"),
        call("list everything", "list_objects_v2", Bucket=artifacts),
        call("read code", "list_objects_v2", Bucket=artifacts, Prefix=f"code/{name}/"),
        call("list runs", "list_objects_v2", Bucket=artifacts, Prefix=f"pipelines/{name}/"),
        call("write a run", "put_object", Bucket=artifacts, Key=f"pipelines/{name}/judge/runs/x", Body="x"),
        call("write code", "put_object", Bucket=artifacts, Key=f"code/{name}/x", Body="x"),
        call("write a manifest", "put_object", Bucket=artifacts, Key=f"manifests/{pipeline}/x", Body="x"),
        call("write an upload", "put_object", Bucket=data, Key=f"incoming/{name}/x.csv", Body="x"),
        call("write test data", "put_object", Bucket=data, Key=f"models/{name}-good/test/x.csv", Body="x"),
        call("write answers", "put_object", Bucket=artifacts, Key=f"transforms/{name}-good/e/x", Body="x"),
        call("write a model", "put_object", Bucket=artifacts, Key=f"packages/{name}-good/e/x", Body="x"),
    ]


def tried(world: World, role: str, calls: list[dict[str, Any]]) -> list[str]:
    """Let a job try calls as a role; return which were let through."""
    sagemaker, name = world.client("sagemaker"), f"{ATTACK}-{uuid.uuid4().hex[:8]}"
    program = base64.b64encode(f"calls = {calls!r}\n{TRY}".encode()).decode()
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["python3", "-c", UNPACK],
            "ContainerArguments": [program[start : start + _LONGEST] for start in range(0, len(program), _LONGEST)],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed") else None

    job = world.wait_for(f"the end of {name}", ended)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    found: list[str] = json.loads(job["ExitMessage"])
    return found


def test_every_command_of_the_tutorial_works_and_the_model_of_the_sdks_pipeline_reaches_prod(
    world: World, tmp_path: Path
) -> None:
    project_folders.for_the_tutorial(tmp_path)
    (settings,) = blocks(TUTORIAL, "yaml")
    printed = {}
    for command in commands(TUTORIAL):
        printed[command] = typed(world, tmp_path, command)
        if command.startswith("signalbox new"):
            (tmp_path / "rings" / "signalbox.yaml").write_text(settings)
        if command.startswith("signalbox upload"):
            approve_twice(world, "rings")

    rings = described(world, "rings", "train")
    execution = run(world, rings.pipeline)["PipelineExecutionArn"]
    sagemaker = world.client("sagemaker")
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)["PipelineParameters"]
    told = {one["Name"]: one["Value"] for one in given}
    assert told["InputDataUrl"] == f"s3://{world.outputs['DataBucket']}/incoming/rings/abalone.csv"
    metrics = world.package("rings", 1)["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert metrics.startswith(f"s3://{world.outputs['ArtifactsBucket']}/pipelines/rings/train/runs/")
    text = world.client("ssm").get_parameter(Name=f"/{PREFIX}/models/rings")["Parameter"]["Value"]
    assert parse_model(text).roles.job == rings.roles["JobRole"]
    (answer,) = [text for command, text in printed.items() if command.startswith("signalbox invoke")]
    assert 1 < float(answer) < 30


def test_a_job_that_fails_is_mailed_to_the_approvers_of_its_project_with_what_it_has_printed(
    world: World, both: dict[str, Deployed], tmp_path: Path
) -> None:
    before, file = len(world.mails("north", "failed")), tmp_path / "without-accuracy.csv"
    file.write_text("north-good\n")

    world.signalbox("upload", str(file), "--project", "north")

    mail = world.mail("north", "failed", number=before + 1)
    assert mail["To"] == ["north@example.com"]
    assert [words for words in ("Step: Judge", "not enough values to unpack") if words not in inbox.text(mail)] == []
    assert "judge" in both["north"].pipeline


def test_nothing_that_a_project_did_was_denied(world: World, both: dict[str, Deployed]) -> None:
    stacks = tuple(f"/{PREFIX}-project-{name}-" for name in (*both, "rings"))  # those of these scenarios
    calls = [call for call in world.cloud.calls() if any(stack in call["principal"] for stack in stacks)]
    refused = {
        (call["principal"], call["action"], call["resource"])
        for call in calls
        if not call["allowed"] and f"/{ATTACK}-" not in call["principal"]
    }
    assert [any(stack in call["principal"] for call in calls) for stack in stacks] == [True] * 3
    assert not refused, "\n".join(map(str, sorted(refused)))
