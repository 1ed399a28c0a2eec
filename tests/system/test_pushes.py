"""Branches of a repository are built, trained and proposed by `git push`; people see which commit they decide about."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from sagemaker_local.codecommit.credentials import git_variables
from signalbox import names
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
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
# Everything is over, whatever becomes of it.
ENDS = ("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")


class Rose:
    """The project with its repository, and a person's clone of it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.seed, self.clone = folder / "seed", folder / "clone"
        (self.seed / "code").mkdir(parents=True)
        (self.seed / "signalbox.yaml").write_text(FILE)
        (self.seed / "definition.py").write_text(DEFINITION)
        (self.seed / "code" / "judge.py").write_text(JUDGE)
        (self.seed / "code" / "answer.py").write_text(ANSWER)

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git as the account's owner; return what it prints."""
        person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _ANN.items()}
        environment = {
            **os.environ,
            **self.world.cloud.environment,
            **git_variables(),
            **person,
            "HOME": "/nonexistent",
        }
        done = subprocess.run(
            ["git", *words], cwd=folder or self.clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def change(self, text: str, by: str, *, push: str = "") -> str:
        """Change a text of the definition, commit it, and push it to a branch; return the commit."""
        file = self.clone / "definition.py"
        before = file.read_text()
        assert text in before
        file.write_text(before.replace(text, by))
        self.git("commit", "--all", "--message", f"{by} in place of {text}")
        if push:
            self.git("push", "origin", f"HEAD:{push}")
        return self.git("rev-parse", "HEAD")

    def builds(self, project: str = BUILD) -> list[dict[str, Any]]:
        """Return the builds of a CodeBuild project, the oldest first."""
        codebuild = self.world.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=project, sortOrder="ASCENDING").get("ids", [])
        found: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
        return found

    def built(self, commit: str, project: str = BUILD, status: str = "SUCCEEDED") -> dict[str, Any]:
        """Return the build of a commit when it has ended as expected."""

        def look() -> dict[str, Any] | None:
            found = [one for one in self.builds(project) if one["sourceVersion"] == commit]
            return found[-1] if found and found[-1]["buildStatus"] in ENDS else None

        build = self.world.wait_for(f"the build of {commit}", look)
        assert build["buildStatus"] == status, self.log(build)
        return build

    def log(self, build: dict[str, Any]) -> str:
        """Return what a build has printed."""
        found = self.world.client("logs").get_log_events(
            logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"], startFromHead=True
        )
        phases = [(one["phaseType"], one.get("phaseStatus"), one.get("contexts")) for one in build["phases"]]
        return f"{phases}\n" + "\n".join(event["message"] for event in found["events"])

    def runs(self, pipeline: str) -> list[dict[str, Any]]:
        """Return the executions of a pipeline, the oldest first."""
        sagemaker = self.world.client("sagemaker")
        try:
            found: list[dict[str, Any]] = sagemaker.list_pipeline_executions(
                PipelineName=pipeline, SortBy="CreationTime", SortOrder="Ascending"
            )["PipelineExecutionSummaries"]
        except sagemaker.exceptions.ClientError:
            return []
        return found

    def stop_reviews(self) -> None:
        """Stop the reviews that nobody decided."""
        states, machine = self.world.client("stepfunctions"), self.world.outputs["MlopsMachineArn"]
        for one in states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
            if f"-{PROJECT}-" in one["name"]:
                states.stop_execution(executionArn=one["executionArn"], cause="the scenarios are over")
                self.world.ended(one["executionArn"])

    def head(self, branch: str = "main") -> str:
        """Return a branch's newest commit in the repository."""
        return self.git("ls-remote", "origin", f"refs/heads/{branch}").partition("\t")[0]


_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}


@pytest.fixture(scope="module")
def rose(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rose]:
    """Give a project a repository and builds, as a person does; nothing of it is left in the stack."""
    made = Rose(world, tmp_path_factory.mktemp("rose"))
    world.signalbox("ci", "codebuild", str(made.seed))
    told = world.signalbox("projects", "create", str(made.seed), "--yes").decode()
    assert f"/v1/repos/{BUILD}" in told
    endpoint = world.cloud.environment["AWS_ENDPOINT_URL"]
    made.git("clone", f"{endpoint}/v1/repos/{BUILD}", str(made.clone), folder=made.seed)
    yield made
    made.stop_reviews()
    world.signalbox("projects", "remove", PROJECT, "--delete-endpoints", "--yes")


def test_a_new_projects_first_commit_is_built_and_deploys_it(rose: Rose, world: World) -> None:
    build = rose.built(rose.head())
    assert "pipeline team-a-rose--judge created" in rose.log(build)
    assert PROJECT in world.signalbox("projects").decode()
    assert not rose.runs(f"{BUILD}--judge")


def test_an_upload_trains_the_model_and_its_review_names_the_commit(rose: Rose, world: World) -> None:
    data = rose.seed / "petals.csv"
    data.write_text("rose,0.95\n")
    world.signalbox("upload", str(data), "--project", PROJECT)
    mail = world.mail("approve", "rose version 1")
    assert rose.head()[:7] in inbox.text(mail)
    world.approve(mail)
    world.approve(world.mail("to prod", "rose version 1"))
    world.wait_for("rose in prod", lambda: world.live_package("rose", "prod"))


def test_a_push_that_changes_the_pipeline_runs_it_again_and_the_review_shows_both_commits(
    rose: Rose, world: World
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


def _given(rose: Rose, number: int) -> list[dict[str, str]]:
    """Return what a run of main's pipeline was given."""
    run = rose.runs(f"{BUILD}--judge")[number]
    found: list[dict[str, str]] = rose.world.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=run["PipelineExecutionArn"]
    )["PipelineParameters"]
    return found


def test_a_push_that_changes_no_pipeline_starts_no_run(rose: Rose) -> None:
    runs = len(rose.runs(f"{BUILD}--judge"))
    (rose.clone / "README.md").write_text("Roses\n")
    rose.git("add", "README.md")
    rose.git("commit", "--message", "A page for people")
    rose.git("push", "origin", "HEAD:main")
    build = rose.built(rose.head())
    assert "nothing is started" in rose.log(build)
    assert len(rose.runs(f"{BUILD}--judge")) == runs


def test_of_pushes_during_a_build_the_newest_is_built_next_and_what_is_between_is_not(rose: Rose, world: World) -> None:
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
    rose: Rose, world: World
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


def test_a_branch_that_is_deleted_takes_what_it_made_with_it(rose: Rose, world: World) -> None:
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


def test_a_revert_and_a_force_push_are_built_as_any_other_push(rose: Rose, world: World) -> None:
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


def test_a_build_that_fails_is_mailed_with_its_last_lines_and_what_is_deployed_stays(rose: Rose, world: World) -> None:
    commit = rose.change("import json", "import jsonn", push="main")
    rose.built(commit, status="FAILED")
    mail = world.mail("build of main", commit[:7], "failed")
    assert "jsonn" in inbox.text(mail)
    assert not [one for one in rose.runs(f"{BUILD}--judge") if commit[:12] in one["PipelineExecutionDescription"]]
    fixed = rose.change("import jsonn", "import json", push="main")
    rose.built(fixed)
    assert len(world.mails("build of main", commit[:7], "failed")) == 2  # to the approver, and to who pushed
