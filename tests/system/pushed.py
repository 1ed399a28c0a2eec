"""A project with a repository and builds, and a person who works in a clone of it."""

import os
import subprocess
from pathlib import Path
from typing import Any

from sagemaker_local.codecommit.credentials import git_variables
from tests.system.world import World

_BEA = {"NAME": "Bea", "EMAIL": "bea@example.com"}
# Everything is over, whatever becomes of it.
_ENDS = ("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")


class Pushed:
    """A project in a folder, whose repository is made from it, and a clone."""

    def __init__(self, world: World, project: str, seed: Path) -> None:
        self.world, self.project, self.seed = world, project, seed
        self.build, self.clone = f"{world.outputs['Prefix']}-{project}", seed.with_name(f"{project}-clone")

    def create(self) -> None:
        """Give the project its repository and builds, as a person does, and clone it."""
        self.world.signalbox("ci", "codebuild", str(self.seed))
        told = self.world.signalbox("projects", "create", str(self.seed), "--yes").decode()
        assert f"/v1/repos/{self.build}" in told
        endpoint = self.world.cloud.environment["AWS_ENDPOINT_URL"]
        self.git("clone", f"{endpoint}/v1/repos/{self.build}", str(self.clone), folder=self.seed)

    def remove(self, *more: str) -> None:
        """Leave nothing of the project in the stack."""
        self.stop_reviews()
        self.world.signalbox("projects", "remove", self.project, "--delete-endpoints", "--yes", *more)

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git as the account's owner; return what it prints."""
        person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _BEA.items()}
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

    def change(self, text: str, by: str, *, push: str = "", name: str = "definition.py") -> str:
        """Change a text of a file, commit it, and push it to a branch; return the commit."""
        file = self.clone / name
        before = file.read_text()
        assert text in before
        file.write_text(before.replace(text, by))
        self.git("commit", "--all", "--message", f"{by} in place of {text}")
        if push:
            self.git("push", "origin", f"HEAD:{push}")
        return self.git("rev-parse", "HEAD")

    def builds(self, build: str = "") -> list[dict[str, Any]]:
        """Return the builds of a CodeBuild project, the oldest first."""
        codebuild = self.world.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=build or self.build, sortOrder="ASCENDING").get("ids", [])
        found: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
        return found

    def built(self, commit: str, build: str = "", status: str = "SUCCEEDED") -> dict[str, Any]:
        """Return the build of a commit when it has ended as expected."""

        def look() -> dict[str, Any] | None:
            found = [one for one in self.builds(build) if one["sourceVersion"] == commit]
            return found[-1] if found and found[-1]["buildStatus"] in _ENDS else None

        ended = self.world.wait_for(f"the build of {commit}", look)
        assert ended["buildStatus"] == status, self.log(ended)
        return ended

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
            if f"-{self.project}-" in one["name"]:
                states.stop_execution(executionArn=one["executionArn"], cause="the scenarios are over")
                self.world.ended(one["executionArn"])

    def head(self, branch: str = "main") -> str:
        """Return a branch's newest commit in the repository."""
        return self.git("ls-remote", "origin", f"refs/heads/{branch}").partition("\t")[0]
