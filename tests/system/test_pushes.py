"""Branches of a repository are built, trained and proposed by `git push`; people see which commit they decide about."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox import names
from signalbox_local.project import ROOT
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
from tests.system.pushed import Pushed
from tests.system.world import PREFIX, World

PROJECT = "rose"
BUILD, BRANCHES = f"{PREFIX}-{PROJECT}", f"{PREFIX}-{PROJECT}--branches"
FEATURE = "feature/🌹 more petals".replace(" ", "-")
FILE = """\
project: rose
uploads: {suffix: .csv, quiet_seconds: 1}
pipelines:
  judge: {definition: definition.py, code: code, models: [rose]}
branches: {main: main, experiments: true}
"""


def write_rose(folder: Path) -> None:
    """Write the project: a pipeline that registers a model where it is good enough."""
    (folder / "code").mkdir(parents=True)
    (folder / "signalbox.yaml").write_text(FILE)
    (folder / "definition.py").write_text(DEFINITION)
    (folder / "code" / "judge.py").write_text(JUDGE)
    (folder / "code" / "answer.py").write_text(ANSWER)


@pytest.fixture(scope="module")
def rose(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """Return a project that has a repository and builds; nothing of it is left in the stack."""
    folder = tmp_path_factory.mktemp("rose")
    write_rose(folder / "rose")
    made = Pushed(world, PROJECT, folder / "rose")
    made.create()
    yield made
    made.remove()


def test_a_new_projects_first_commit_is_built_and_deploys_it(rose: Pushed, world: World) -> None:
    build = rose.built(rose.head())
    assert "pipeline team-a-rose--judge created" in rose.log(build)
    assert PROJECT in world.signalbox("projects").decode()
    assert not rose.runs(f"{BUILD}--judge")


def test_an_upload_trains_the_model_and_its_review_names_the_commit(rose: Pushed, world: World) -> None:
    data = rose.seed / "petals.csv"
    data.write_text("rose,0.95\n")
    world.signalbox("upload", str(data), "--project", PROJECT)
    mail = world.mail("approve", "rose version 1")
    assert rose.head()[:7] in inbox.text(mail)
    world.approve(mail)
    world.approve(world.mail("to prod", "rose version 1"))
    world.wait_for("rose in prod", lambda: world.live_package("rose", "prod"))


def test_a_push_that_changes_the_pipeline_runs_it_again_and_the_review_shows_both_commits(
    rose: Pushed, world: World
) -> None:
    before, data = rose.head(), [(one["Name"], one["Value"]) for one in _given(rose, 0)]
    after = rose.change("0.8)", "0.7)", push="main")
    rose.built(after)
    mail = world.mail("approve", "rose version 2")
    text = inbox.text(mail)
    assert after in text
    assert f"git diff {before}..{after}" in text
    assert [(one["Name"], one["Value"]) for one in _given(rose, -1)] == data
    world.approve(mail)
    world.approve(world.mail("to prod", "rose version 2"))
    live = world.wait_for(
        "version 2 in prod", lambda: (found := world.live_package("rose", "prod")) and found.endswith("/2") and found
    )
    package = world.client("sagemaker").describe_model_package(ModelPackageName=live)
    assert package["CustomerMetadataProperties"]["commit"] == after
    assert after[:7] in world.signalbox("models", "--model", "rose").decode()


def _given(rose: Pushed, number: int) -> list[dict[str, str]]:
    """Return what a run of main's pipeline was given."""
    run = rose.runs(f"{BUILD}--judge")[number]
    found: list[dict[str, str]] = rose.world.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=run["PipelineExecutionArn"]
    )["PipelineParameters"]
    return found


def test_a_push_that_changes_no_pipeline_starts_no_run(rose: Pushed) -> None:
    runs = len(rose.runs(f"{BUILD}--judge"))
    (rose.clone / "README.md").write_text("Roses\n")
    rose.git("add", "README.md")
    rose.git("commit", "--message", "A page for people")
    rose.git("push", "origin", "HEAD:main")
    build = rose.built(rose.head())
    assert "nothing is started" in rose.log(build)
    assert len(rose.runs(f"{BUILD}--judge")) == runs


def test_of_pushes_during_a_build_the_newest_is_built_next_and_what_is_between_is_not(
    rose: Pushed, world: World
) -> None:
    first = rose.change("0.7)", "0.71)", push="main")
    world.wait_for("the first build", lambda: [one for one in rose.builds() if one["sourceVersion"] == first])
    second = rose.change("0.71)", "0.72)", push="main")
    third = rose.change("0.72)", "0.73)", push="main")
    rose.built(first)
    rose.built(third)
    commits = [one["sourceVersion"] for one in rose.builds()]
    assert second not in commits
    assert commits.count(third) == 1
    assert world.package("rose", _last(world, third))["CustomerMetadataProperties"]["commit"] == third


def _last(world: World, commit: str) -> int:
    """Return the version that a commit's run registered, as soon as it is there."""
    sagemaker = world.client("sagemaker")

    def look() -> int | None:
        found = [
            number
            for number, one in enumerate(world.packages("rose"), 1)
            if _commit(sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])) == commit
        ]
        return found[-1] if found else None

    return world.wait_for(f"the package of {commit}", look)


def _commit(package: dict[str, Any]) -> str:
    return str(package.get("CustomerMetadataProperties", {}).get("commit", ""))


def test_a_branch_runs_on_the_projects_data_and_its_metrics_stand_beside_mains_and_nobody_is_asked(
    rose: Pushed, world: World
) -> None:
    rose.git("switch", "--create", FEATURE)
    commit = rose.change("0.73)", "0.5)", push=FEATURE)
    build = rose.built(commit, BRANCHES)
    assert "on the data of main's last run" in rose.log(build)
    pipeline = names.branch_pipeline(PREFIX, PROJECT, "judge", FEATURE)
    (run,) = world.wait_for("the run of the branch", lambda: rose.runs(pipeline))
    world.wait_for(
        "the end of the branch's run",
        lambda: rose.runs(pipeline)[0]["PipelineExecutionStatus"] in ("Succeeded", "Failed"),
    )
    group = names.branch_group(PREFIX, PROJECT, "rose", FEATURE)
    packages = world.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [one["ModelApprovalStatus"] for one in packages] == ["PendingManualApproval"]
    assert run["PipelineExecutionDisplayName"].startswith(f"commit-{commit[:12]}")
    listed = json.loads(world.signalbox("branches", "--project", PROJECT, "--json"))
    (feature,) = [one for one in listed if one["branch"] == FEATURE]
    assert (feature["commit"], feature["build"], feature["runs"]) == (commit, "SUCCEEDED", {"judge": "Succeeded"})
    assert not [mail for mail in world.cloud.mails() if commit[:7] in inbox.text(mail)]


def test_a_branch_that_is_deleted_takes_what_it_made_with_it(rose: Pushed, world: World) -> None:
    rose.git("push", "origin", "--delete", FEATURE)
    pipeline, group = (
        names.branch_pipeline(PREFIX, PROJECT, "judge", FEATURE),
        names.branch_group(PREFIX, PROJECT, "rose", FEATURE),
    )
    sagemaker = world.client("sagemaker")
    world.wait_for(
        "the pipeline's end",
        lambda: not sagemaker.list_pipelines(PipelineNamePrefix=pipeline)["PipelineSummaries"],
    )
    world.wait_for(
        "the group's end",
        lambda: not sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"],
    )
    assert FEATURE not in world.signalbox("branches", "--project", PROJECT).decode()
    assert rose.runs(f"{BUILD}--judge")


def test_a_revert_and_a_force_push_are_built_as_any_other_push(rose: Pushed, world: World) -> None:
    rose.git("switch", "main")
    rose.git("reset", "--hard", "origin/main")
    before = rose.git("rev-parse", "HEAD")
    rose.git("revert", "--no-edit", "HEAD")
    rose.git("push", "origin", "HEAD:main")
    reverted = rose.git("rev-parse", "HEAD")
    rose.built(reverted)
    rose.git("push", "--force", "origin", f"{before}:main")
    world.wait_for("the second build", lambda: [one["sourceVersion"] for one in rose.builds()].count(before) == 2)
    rose.built(before)
    rose.git("reset", "--hard", before)


def test_a_build_that_fails_is_mailed_with_its_last_lines_and_what_is_deployed_stays(
    rose: Pushed, world: World
) -> None:
    commit = rose.change("import json", "import jsonn", push="main")
    rose.built(commit, status="FAILED")
    mail = world.mail("build of main", commit[:7], "failed")
    assert "jsonn" in inbox.text(mail)
    assert not [one for one in rose.runs(f"{BUILD}--judge") if commit[:12] in one["PipelineExecutionDescription"]]
    fixed = rose.change("import jsonn", "import json", push="main")
    rose.built(fixed)
    assert len(world.mails("build of main", commit[:7], "failed")) == 2  # to the approver, and to who pushed


# ---- a container ---------------------------------------------------------------------------------------------------

TULIP = """\
project: tulip
containers:
  tulip:
    folder: container
    problem: multiclass
    channel: train
    hyperparameters: {max_leaf_nodes: 4}
"""


@pytest.fixture(scope="module")
def tulip(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """Return a project whose container is built from its repository; its data are there."""
    folder = tmp_path_factory.mktemp("tulip") / "tulip"
    shutil.copytree(ROOT / "projects" / "iris" / "iris-decision-tree", folder / "container")
    (folder / "signalbox.yaml").write_text(TULIP)
    world.put_iris("tulip")
    made = Pushed(world, "tulip", folder)
    made.create()
    yield made
    made.remove()


def test_a_push_builds_the_container_trains_its_image_and_releases_the_model(tulip: Pushed, world: World) -> None:
    head = tulip.head()
    build = tulip.built(head)
    image = _image(tulip, build)
    assert f"/{PREFIX}/tulip:tulip-{head[:12]}-" in image
    mail = world.mail("approve", "tulip version 1")
    assert head in inbox.text(mail)
    world.approve(mail)
    world.approve(world.mail("to prod", "tulip version 1"))
    live = world.wait_for("tulip in prod", lambda: world.live_package("tulip", "prod"))
    package = world.client("sagemaker").describe_model_package(ModelPackageName=live)
    served = package["InferenceSpecification"]["Containers"][0]["Image"]
    assert served.partition("@")[0].partition(":")[0] == image.partition(":")[0]
    row = world.rows()[0]
    assert world.predict("prod", "tulip", ",".join(row[1:])).decode().strip() == row[0]


def _image(tulip: Pushed, build: dict[str, Any]) -> str:
    """Return the image that a build has pushed, as it says."""
    (line,) = [one for one in tulip.log(build).splitlines() if "is trained anew, as " in one]
    return line.rpartition(" as ")[2].strip()


def test_a_push_that_changes_a_hyperparameter_trains_a_new_version_and_one_that_changes_nothing_does_not(
    tulip: Pushed, world: World
) -> None:
    commit = tulip.change("max_leaf_nodes: 4", "max_leaf_nodes: 3", push="main", name="signalbox.yaml")
    tulip.built(commit)
    assert commit in inbox.text(world.mail("approve", "tulip version 2"))
    (tulip.clone / "README.md").write_text("Tulips\n")
    tulip.git("add", "README.md")
    tulip.git("commit", "--message", "A page for people")
    tulip.git("push", "origin", "HEAD:main")
    build = tulip.built(tulip.head())
    assert "nothing is started" in tulip.log(build)
