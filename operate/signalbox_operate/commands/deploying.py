"""Check a project, and deploy it."""

from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from signalbox import moments
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox_operate import account
from signalbox_operate.commands.terminal import StackName, console, region, shown, stack_of
from signalbox_operate.projects import checking, deploying, reading, target
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.place import Place
from signalbox_operate.pushes import experiments, publishing, source
from signalbox_operate.stack import OperateError

Folder = Annotated[Path, typer.Argument(help="The project's folder, with its signalbox.yaml")]

# What keeps a stack from being asked; what it answers is another thing.
_UNREACHED = (OperateError, CallRefusedError, ServiceBusyError, ClientError, BotoCoreError)
_REGION = "us-east-1"  # for images, where no region is set: every image of AWS is there


def check(folder: Folder = Path(), stack: StackName = "signalbox") -> None:
    """Check a project without writing anything; where its stack can be asked, against what others claim too."""
    project = reading.read(folder)
    try:
        place = place_of(stack)
    except _UNREACHED as error:
        made = checking.check(project, target.example(account.session().region_name or _REGION))
        console.print(f"not checked against other projects: {shown(str(error))}")
    else:
        made = deploying.check(project, place)
    _say(project, made)


def deploy(
    folder: Folder = Path(),
    stack: StackName = "signalbox",
    *,
    commit: Annotated[str | None, typer.Option(help="Commit that the folder is at, as a build says")] = None,
    branch: Annotated[str | None, typer.Option(help="Branch that it is the newest commit of")] = None,
) -> None:
    """Deploy a project: its code, roles and documents, and its pipelines; what is there is brought up to date.

    With --commit and --branch, as builds call it: what the main branch changed is run and trained anew, and any other
    branch gets pipelines and package groups of its own.
    """
    project, place = reading.read(folder), place_of(stack)
    built = source.source(folder, branch, commit)
    if built is None:
        deploying.deploy(project, place)
        for line in _next(project):
            console.print(line)
    else:
        _deploy_commit(project, built, place)


def _deploy_commit(project: Project, built: source.Source, place: Place) -> None:
    newer = source.newer(built)
    if newer is not None:
        told = f"{newer} is its newest commit by now" if newer else "it is deleted"
        console.print(f"nothing was changed: {built.commit} is not what the branch {shown(built.branch)} is at: {told}")
        return
    known = publishing.automation(project.name, place)
    if built.branch != publishing.main_branch(project, known):
        if known is not None and known.branches is None:
            console.print(f"nothing was changed: the project builds no branch but {known.main}")
            return
        experiments.publish(project, built, place)
        return
    by = str(account.client("sts").get_caller_identity()["Arn"])
    publishing.publish(project, built, place, by, moments.now())


def place_of(stack: str) -> Place:
    """Return the stack that the command works on.

    Raises:
        OperateError: there is none, or no region is set.
    """
    return Place(stack_of(stack), region(), account.client, lambda text: console.print(shown(text)))


def _say(project: Project, made: Checked) -> None:
    for name, entry in project.pipelines.items():
        taken = made.inputs[name]
        takes = f"takes uploads as a {taken.takes} in {taken.parameter}" if taken.parameter else "takes no uploads"
        console.print(
            f"pipeline {made.target.pipeline(project.name, name)}: {takes}; models: {', '.join(entry.models)}"
        )
    for container in project.containers.values():
        console.print(f"container {container.name}: model {container.model}")
    console.print(f"project {project.name} can be deployed")


def _next(project: Project) -> list[str]:
    return [f"uploads under {one.prefix} start {one.pipeline}" for one in project.uploads] or [
        f"project {project.name} deployed"
    ]
