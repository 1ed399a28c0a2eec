"""A commit of main publishes what it changed, another branch is an experiment beside it, and an old one nothing."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.project_cloud import ProjectCloud
from tests.support.project_folders import SCRIPT, YAML, write

from signalbox import names
from signalbox.pushes import documents
from signalbox.pushes.model import Changed, Published, TrainedImage
from signalbox_operate.containers import building
from signalbox_operate.projects import deploying, reading, removing
from signalbox_operate.pushes import experiments, overview, publishing, source
from signalbox_operate.pushes.source import Source
from signalbox_operate.stack import OperateError

A, B, C = ("a" * 40, "b" * 40, "c" * 40)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PUBLISHED = "/signalbox/published/wine"
OTHER = SCRIPT.replace('"VolumeSizeInGB": 1}', '"VolumeSizeInGB": 2}')
CONTAINER = f"{YAML}containers:\n  bottles: {{folder: bottles, problem: binary}}\n"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return ProjectCloud()


def publish(cloud: ProjectCloud, folder: Path, commit: str, yaml: str = YAML, **files: str) -> Published:
    project = reading.read(write(folder, yaml, **files))
    publishing.publish(project, Source(folder, "main", commit), cloud.place(), "arn:ann", NOW)
    return documents.parse_published(cloud.ssm.found[PUBLISHED])


def definition(cloud: ProjectCloud, pipeline: str = "signalbox-wine--train") -> Any:
    return json.loads(cloud.sagemaker.pipelines[pipeline]["PipelineDefinition"])


# ---- main ----------------------------------------------------------------------------------------------------------


def test_what_a_pipeline_registers_says_its_commit_and_the_stack_is_told_what_changed(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    told = publish(cloud, tmp_path, A)
    register = definition(cloud)["Steps"][1]["Arguments"]
    assert register["CustomerMetadataProperties"] == {"commit": A}
    assert (told.commit, told.by, told.pipelines["train"].commit) == (A, "arn:ann", A)
    assert "the pipeline train runs anew, over the data of its last run" in cloud.said


def test_a_commit_that_changes_no_pipeline_leaves_it_with_the_commit_that_did(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    publish(cloud, tmp_path, A)
    told = publish(cloud, tmp_path, B)
    assert told.pipelines["train"].commit == A
    assert definition(cloud)["Steps"][1]["Arguments"]["CustomerMetadataProperties"] == {"commit": A}
    assert cloud.said[-1] == "this commit changes no pipeline and no image of wine: nothing is started"
    assert len(cloud.ssm.requests("PutParameter")) == 1


def test_a_commit_that_changes_a_pipeline_counts_one_more_change_of_it(cloud: ProjectCloud, tmp_path: Path) -> None:
    publish(cloud, tmp_path, A)
    second = publish(cloud, tmp_path, B, pipeline__py=OTHER).pipelines["train"]
    back = publish(cloud, tmp_path, A).pipelines["train"]
    assert [(one.commit, one.number) for one in (second, back)] == [(B, 2), (A, 3)]


def test_a_build_that_died_before_it_told_the_stack_is_made_good_by_the_next(
    cloud: ProjectCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(cloud, tmp_path, A)
    with monkeypatch.context() as dying:
        dying.setattr(publishing, "write", lambda *_: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            publish(cloud, tmp_path, B, pipeline__py=OTHER)
    told = publish(cloud, tmp_path, C, pipeline__py=OTHER)  # whose pipeline is that of B, and on SageMaker already
    assert told.pipelines["train"].commit == C


def test_a_deployment_by_hand_publishes_nothing(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploying.deploy(reading.read(write(tmp_path)), cloud.place())
    assert PUBLISHED not in cloud.ssm.found
    assert "CustomerMetadataProperties" not in definition(cloud)["Steps"][1]["Arguments"]


def test_a_containers_image_is_built_once_for_each_content_and_named_by_its_commit_and_time(
    cloud: ProjectCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[building.Build] = []

    def push(build: building.Build, *_: Any) -> str:
        pushed.append(build)
        return f"registry/{build.name}:{build.tag}"

    monkeypatch.setattr(building, "pushed", push)
    (tmp_path / "bottles").mkdir()
    dockerfile = {"bottles/Dockerfile": "FROM python:3.13-slim\n"}
    first = publish(cloud, tmp_path, A, CONTAINER, **dockerfile).images
    same = publish(cloud, tmp_path, B, CONTAINER, **dockerfile).images
    other = publish(cloud, tmp_path, C, CONTAINER, **{"bottles/Dockerfile": "FROM python:3.13\n"}).images
    tuned = CONTAINER.replace("problem: binary", "problem: binary, hyperparameters: {depth: 3}")
    told = publish(cloud, tmp_path, B, tuned, **{"bottles/Dockerfile": "FROM python:3.13\n"})
    assert first == same
    assert [one.commit for one in (*first, *other, *told.images)] == [A, C, B]
    assert told.pipelines["train"].commit == A  # which none of them changed
    assert [build.name for build in pushed] == ["signalbox/wine"] * 3
    assert pushed[0].tag.startswith(f"bottles-{A[:12]}-20261120t120000-")
    assert len({build.tag for build in pushed}) == 3


def test_an_image_that_the_project_names_is_trained_when_the_name_changes(cloud: ProjectCloud, tmp_path: Path) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/bottles:1"
    yaml = CONTAINER.replace("folder: bottles", f"image: '{image}'")
    first = publish(cloud, tmp_path, A, yaml).images
    second = publish(cloud, tmp_path, B, yaml).images
    third = publish(cloud, tmp_path, C, yaml.replace("bottles:1", "bottles:2")).images
    assert first == second == (TrainedImage("bottles", image, A),)
    assert third == (TrainedImage("bottles", image.replace(":1", ":2"), C),)


def test_a_container_without_folder_and_image_is_trained_by_hand_only(cloud: ProjectCloud, tmp_path: Path) -> None:
    assert publish(cloud, tmp_path, A, CONTAINER.replace("folder: bottles, ", "")).images == ()


def test_more_than_a_parameter_holds_is_refused(cloud: ProjectCloud, tmp_path: Path) -> None:
    many = tuple(TrainedImage(f"m{number}", "x" * 200, A) for number in range(20))
    cloud.ssm.found[PUBLISHED] = documents.to_json(Published(A, "x" * 4000, {"train": Changed(A, "d")}, many))
    project = reading.read(write(tmp_path))
    with pytest.raises(OperateError, match="fewer containers"):
        publishing.publish(project, Source(tmp_path, "main", B), cloud.place(), "x" * 4096, NOW)


def test_which_branch_is_main_says_the_automation_whatever_a_pushed_file_says(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    project = reading.read(write(tmp_path, f"{YAML}branches: {{main: evil}}\n"))
    assert publishing.main_branch(project, None) == "evil"
    cloud.ssm.found["/signalbox/automations/wine"] = json.dumps(
        {
            "project": "wine",
            "repository": {"provider": "codecommit", "name": "signalbox-wine"},
            "main": "trunk",
            "build": "signalbox-wine",
        }
    )
    assert publishing.main_branch(project, publishing.automation("wine", cloud.place())) == "trunk"
    assert publishing.automation("other", cloud.place()) is None


# ---- other branches ------------------------------------------------------------------------------------------------

FEATURE = "feature/more trees".replace(" ", "-")
PIPELINE = names.branch_pipeline("signalbox", "wine", "train", FEATURE)
GROUP = names.branch_group("signalbox", "wine", "wine", FEATURE)


def experiment(cloud: ProjectCloud, folder: Path, commit: str, **files: str) -> None:
    project = reading.read(write(folder, YAML, **files))
    experiments.publish(project, Source(folder, FEATURE, commit), cloud.place())


def test_a_branch_gets_a_pipeline_and_a_group_of_its_own_and_runs_on_mains_data(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    publish(cloud, tmp_path, A)
    before = (definition(cloud), cloud.ssm.found[PUBLISHED])
    cloud.sagemaker.executions["signalbox-wine--train"] = ["Failed", "Succeeded"]
    experiment(cloud, tmp_path, B, pipeline__py=OTHER)
    assert (definition(cloud), cloud.ssm.found[PUBLISHED]) == before
    register = definition(cloud, PIPELINE)["Steps"][1]["Arguments"]
    assert (register["ModelPackageGroupName"], register["CustomerMetadataProperties"]) == (GROUP, {"commit": B})
    assert GROUP in cloud.sagemaker.groups
    (started,) = cloud.sagemaker.started[PIPELINE]
    assert started["PipelineParameters"] == [
        {"Name": "InputManifest", "Value": "s3://signalbox-artifacts/manifests/1.json"}
    ]
    note = json.loads(cloud.ssm.found[names.experiment_parameter("signalbox", "wine", FEATURE)])
    assert note == {"branch": FEATURE, "commit": B, "pipelines": {"train": PIPELINE}, "groups": {"wine": GROUP}}


def test_the_code_of_a_branch_lies_where_no_run_of_main_reads_it(cloud: ProjectCloud, tmp_path: Path) -> None:
    publish(cloud, tmp_path, A)
    mains = {request["Key"] for request in cloud.s3.requests("PutObject")}
    experiment(cloud, tmp_path, B)
    keys = {request["Key"] for request in cloud.s3.requests("PutObject")} - mains
    assert keys
    assert all(key.startswith("code/wine/branches/") for key in keys)
    assert not any(key.startswith("code/wine/branches/") for key in mains)


def test_a_project_that_is_removed_takes_its_branches_with_it(cloud: ProjectCloud, tmp_path: Path) -> None:
    publish(cloud, tmp_path, A)
    experiment(cloud, tmp_path, B)
    removing.remove("wine", cloud.place())
    assert not cloud.sagemaker.pipelines
    assert [one["ModelPackageGroupName"] for one in cloud.sagemaker.requests("DeleteModelPackageGroup")] == [GROUP]
    assert names.experiment_parameter("signalbox", "wine", FEATURE) not in cloud.ssm.found
    assert f"{PIPELINE} of the branch {FEATURE} deleted" in cloud.said


@pytest.mark.parametrize(
    "spoiled", ["not JSON", "[]", '{"branch": "x", "commit": "y", "pipelines": ["z"], "groups": {}}']
)
def test_a_note_that_a_build_spoiled_is_named_and_keeps_no_project_from_being_seen_and_removed(
    cloud: ProjectCloud, tmp_path: Path, spoiled: str
) -> None:
    publish(cloud, tmp_path, A)
    experiment(cloud, tmp_path, B)
    note = names.experiment_parameter("signalbox", "wine", "spoiled")
    cloud.ssm.found[note] = spoiled
    seen = [found.branch for _, found in overview.notes("wine", cloud.place()) if found]
    removing.remove("wine", cloud.place())
    assert seen == [FEATURE]
    assert any(note in line for line in cloud.said)
    assert note not in cloud.ssm.found
    assert not cloud.sagemaker.pipelines


def test_a_branch_whose_pipeline_has_run_as_it_is_is_not_run_again(cloud: ProjectCloud, tmp_path: Path) -> None:
    publish(cloud, tmp_path, A)
    cloud.sagemaker.executions["signalbox-wine--train"] = ["Succeeded"]
    for commit in (B, C):
        experiment(cloud, tmp_path, commit, pipeline__py=OTHER)
    experiment(cloud, tmp_path, C, pipeline__py=OTHER.replace("2}", "3}"))
    assert len(cloud.sagemaker.started[PIPELINE]) == 2


def test_a_branch_waits_for_mains_first_run(cloud: ProjectCloud, tmp_path: Path) -> None:
    publish(cloud, tmp_path, A)
    experiment(cloud, tmp_path, B, pipeline__py=OTHER)
    assert not cloud.sagemaker.started
    assert "has had no run, so there are no data" in cloud.said[-1]


def test_a_branch_of_a_project_that_is_not_deployed_says_what_to_do(cloud: ProjectCloud, tmp_path: Path) -> None:
    with pytest.raises(OperateError, match="push its main branch first"):
        experiment(cloud, tmp_path, B)


# ---- which commit --------------------------------------------------------------------------------------------------


def test_without_commit_and_branch_a_person_deploys() -> None:
    assert source.source(Path(), None, None) is None


@pytest.mark.parametrize(
    ("branch", "commit", "said"),
    [
        ("main", None, "together"),
        (None, A, "together"),
        ("main", "HEAD", "no commit"),
        ("main", "; rm -rf /", "no commit"),
        ("a b", A, "no branch"),
        ("-f", A, "no branch"),
        ("a..b", A, "no branch"),
        ("x" * 257, A, "no branch"),
        ("a\nb", A, "no branch"),
    ],
)
def test_what_is_no_commit_or_branch_is_refused_by_a_sentence(branch: str, commit: str, said: str) -> None:
    with pytest.raises(OperateError, match=said):
        source.source(Path(), branch, commit)


@pytest.mark.parametrize("branch", ["main", "feature/🌹", "x" * 200, "$(touch)"])
def test_a_branch_may_be_called_as_git_allows(branch: str) -> None:
    assert source.source(Path(), branch, A) == Source(Path(), branch, A)


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose branch `main` has two commits in its repository."""
    origin, folder = tmp_path / "origin", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    for number in (1, 2):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", str(number))
        git(folder, "push", "--quiet", "origin", "HEAD:main")
    return folder


def test_a_commit_that_is_not_its_branchs_newest_any_more_is_known(clone: Path) -> None:
    head, before = git(clone, "rev-parse", "HEAD"), git(clone, "rev-parse", "HEAD~1")
    assert source.newer(Source(clone, "main", head)) is None
    assert source.newer(Source(clone, "main", before)) == head
    assert source.newer(Source(clone, "gone", head)) == ""


def test_where_the_repository_cannot_be_asked_the_build_goes_on(tmp_path: Path) -> None:
    assert source.newer(Source(tmp_path, "main", A)) is None
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "nowhere"))
    assert source.newer(Source(tmp_path, "main", A)) is None
