"""The last chapter: one changed hyperparameter is pushed, and becomes a new version that is reviewed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_local import inbox
from sagemaker_local.codecommit.credentials import git_variables
from signalbox_local.demo.steps import Demo
from signalbox_local.demo.terminal import StepError, wait_for
from signalbox_local.project import ROOT, program_environment

PROJECT = "abalone"
FILE, BEFORE, AFTER = (
    "pipeline/code/train.py",
    '"--max_depth", type=int, default=4',
    '"--max_depth", type=int, default=3',
)
# What CodeBuild writes itself: of these lines only the commands are shown.
_CONTAINER = re.compile(r"\[Container\] \S+ \S+ (?:Running command (?P<command>.*))?")
# What the mail says of the live model, and of what the new one was made.
_BESIDE = re.compile(r"^ +(?P<told>.*live model.*|Commit: .*)$", re.MULTILINE)
WITHOUT_GIT = "The last chapter, a push, is left out: there is no git on this machine."
_SECONDS = 300
_COMMIT = 7
_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}
# A person's own settings, such as that commits are signed, are not read; nor is where a hook of git works.
_PERSON = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{what}": said for role in ("AUTHOR", "COMMITTER") for what, said in _ANN.items()},
}


def has_git() -> bool:
    """Return whether git is there, and works: on macOS there is one that only says how it is installed."""
    git = shutil.which("git")
    return git is not None and subprocess.run([git, "--version"], capture_output=True, check=False).returncode == 0


def person(cloud_environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which somebody runs git against the cloud."""
    own = {name: value for name, value in program_environment(cloud_environment).items() if not name.startswith("GIT_")}
    return {**own, **git_variables(), **_PERSON}


@dataclass
class Clone:
    """Somebody's clone of a project's repository."""

    folder: Path
    environment: dict[str, str]

    def git(self, *words: str) -> str:
        """Run git in the clone; return what it prints.

        Raises:
            StepError: it failed, with git's own words.
        """
        done = subprocess.run(
            ["git", "-C", str(self.folder), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepError(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all that is in the folder; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


def push(demo: Demo, folder: Path) -> None:
    """Give abalone a repository, push a change to it, and follow it to its review; `folder` gets the clone.

    Raises:
        StepError: a step did not complete.
    """
    demo.terminal.heading("Code is pushed: abalone's trees are 3 levels deep in place of 4")
    if not has_git():
        demo.terminal.note(WITHOUT_GIT)
        return
    clone, before = _repository(demo, folder), len(demo.runs(PROJECT))
    commit = _changed(demo, clone)
    with demo.terminal.step("The push is built: checked and deployed") as step:
        step.report(Build(demo, commit).follow())
    demo.run_again(PROJECT, before)
    _review(demo)


def _repository(demo: Demo, folder: Path) -> Clone:
    """Make the project's repository and builds; clone it, and commit the project as it is deployed.

    The repository begins without a commit: a first one would be built, and its model trained and reviewed, before the
    change is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / "copy"
    shutil.copytree(ROOT / "projects" / PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with demo.terminal.step(f"signalbox projects create {PROJECT} --empty") as step:
        demo.signalbox("ci", "codebuild", str(copy))
        demo.signalbox("projects", "create", str(copy), "--empty", "--yes")
        step.report(f"a repository {demo.outputs['Prefix']}-{PROJECT}, its builds, and what they may do")
    with demo.terminal.step("git clone, and the project is committed as it is deployed") as step:
        clone = Clone(folder / PROJECT, person(demo.cloud.environment))
        Clone(folder, clone.environment).git("clone", "--quiet", _address(demo), str(clone.folder))
        shutil.copytree(copy, clone.folder, dirs_exist_ok=True)
        step.report(clone.commit("The project as it is deployed")[:_COMMIT])
    return clone


def _address(demo: Demo) -> str:
    """Return where this machine finds the repository: CodeCommit's own address leads elsewhere."""
    return f"{demo.cloud.url}/v1/repos/{demo.outputs['Prefix']}-{PROJECT}"


def _changed(demo: Demo, clone: Clone) -> str:
    """Change the hyperparameter, commit and push it; return the commit."""
    file = clone.folder / FILE
    text = file.read_text()
    if BEFORE not in text:
        raise StepError(f"{FILE} has no {BEFORE!r} to be changed")
    with demo.terminal.step(f"max_depth in {FILE}, git commit, git push") as step:
        file.write_text(text.replace(BEFORE, AFTER))
        commit = clone.commit("Trees of 3 levels")
        clone.git("push", "--quiet", "origin", "HEAD:main")
        step.report(f"{commit[:_COMMIT]} on main")
    for line in clone.git("show", "--format=", "--unified=0", "HEAD").splitlines():
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            demo.terminal.said(line)
    return commit


@dataclass
class Build:
    """The build of a commit of the main branch."""

    demo: Demo
    commit: str
    _token: dict[str, str] = field(default_factory=dict)

    def follow(self) -> str:
        """Print what the build prints until it has ended; return its status.

        Raises:
            StepError: it did not succeed.
        """
        codebuild = self.demo.client("codebuild")
        project = f"{self.demo.outputs['Prefix']}-{PROJECT}"

        def started() -> Any:
            ids = codebuild.list_builds_for_project(projectName=project).get("ids", [])
            found = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
            return next((one for one in found if one["sourceVersion"] == self.commit), None)

        def ended() -> Any:
            build = codebuild.batch_get_builds(ids=[known["id"]])["builds"][0]
            for line in self._said(build):
                self.demo.terminal.said(line)
            return build if build["buildStatus"] != "IN_PROGRESS" else None

        known = wait_for("the build of the push", started, _SECONDS)
        status = str(wait_for("the end of the build", ended, _SECONDS)["buildStatus"])
        if status != "SUCCEEDED":
            raise StepError(f"the build of the push {status}")
        return status

    def _said(self, build: dict[str, Any]) -> Iterator[str]:
        """Yield the lines of its log that are new: what its commands print, without CodeBuild's own."""
        logs, place = self.demo.client("logs"), build.get("logs", {})
        if "streamName" not in place:
            return
        names = {"logGroupName": place["groupName"], "logStreamName": place["streamName"]}
        try:
            found = logs.get_log_events(**names, startFromHead=True, **self._token)
        except logs.exceptions.ResourceNotFoundException:
            return
        self._token = {"nextToken": found["nextForwardToken"]}
        for line in (line for event in found["events"] for line in event["message"].splitlines()):
            own = _CONTAINER.match(line)
            if own is None:
                yield line
            elif own["command"]:
                yield f"$ {own['command']}"


def _review(demo: Demo) -> None:
    """Show the new version beside the live one, and get it decided; its release is that of the first version again."""
    with demo.terminal.step(
        f"{PROJECT} is tested, beside the live model; the mail that asks for approval is sent"
    ) as step:
        mail = demo.next_mail(f"a mail that asks about {PROJECT}")
        step.report(f"“{inbox.subject(mail)}”")
    for told in _BESIDE.findall(inbox.text(mail)):
        demo.terminal.note(told)
    with demo.terminal.step(demo.reviewer.action) as step:
        decision = demo.reviewer.approve(mail)
        step.report(decision)
    demo.terminal.note(
        "prod goes on with version 1." if "rejected" in decision else "It goes to staging and prod as version 1 did."
    )
