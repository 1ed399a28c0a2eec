"""Try a container out before SageMaker does, and build it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from signalbox_operate import account
from signalbox_operate.commands.terminal import Json, console, pairs, print_json, region, shown
from signalbox_operate.containers import building, docker, entries, here, limits, programs
from signalbox_operate.containers.contract import Contract
from signalbox_operate.containers.model import Step, Trial
from signalbox_operate.stack import OperateError

_COLOURS = {"ok": "green", "warned": "yellow", "refused": "red", "skipped": "yellow"}
Pairs = Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")]


def try_container(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="Folder with the programs train and serve, or a project"),
    ] = Path(),
    *,
    image: Annotated[
        str | None, typer.Option(help="An image that was built, in place of the folder: by Docker")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="NAME=PATH: a channel and its file or folder, as often as needed")
    ] = None,
    hyperparameter: Pairs = None,
    environment: Pairs = None,
    data: Annotated[str | None, typer.Option(help="Body of a request to the model")] = None,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File with that body")] = None,
    content_type: Annotated[str | None, typer.Option(help="Its content type; else text/csv")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long the training may take")] = 600,
    as_json: Json = False,
) -> None:
    """Try a container out, by SageMaker's contract: train, fail, ping, one prediction, SIGTERM."""
    if data is not None and file is not None:
        raise OperateError("give the request's body either with --data or with --file")
    trial = Trial(
        {name: Path(path) for name, path in pairs("channel", channel).items()},
        pairs("hyperparameter", hyperparameter),
        file.read_bytes() if file else data.encode() if data is not None else None,
        content_type or "text/csv",
        pairs("environment variable", environment),
        train_seconds=seconds,
    )
    entry = entries.find(folder)
    if entry is not None and entry.folder is not None:
        trial, folder = entries.trial_of(entry, trial, content_type=content_type), entry.folder
    if not trial.channels:
        raise OperateError("there is nothing to train on: give the data with --channel NAME=PATH, or in signalbox.yaml")
    steps = []
    for step in _steps(folder, image, trial):
        steps.append(step)
        if not as_json:
            _say(step)
    if as_json:
        print_json(steps)
    if any(step.verdict == "refused" for step in steps):
        raise typer.Exit(1)


def _steps(folder: Path, image: str | None, trial: Trial) -> Iterator[Step]:
    """Yield what is known before anything runs; then, if nothing of it is refused, how the programs run."""
    known = []
    programs_in = None if image else programs.folder_of(folder)
    for step in (*(docker.check(image) if image else programs.check(programs_in or folder)), *limits.check(trial)):
        known.append(step)
        yield step
    if any(step.verdict == "refused" for step in known):
        return
    with tempfile.TemporaryDirectory(prefix="signalbox-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        runtime = docker.ImageRuntime(image) if image else here.runtime(programs_in or folder, work)
        yield from Contract(runtime, trial, work).run()


def _say(step: Step) -> None:
    told = f": {shown(step.told)}" if step.told else ""
    console.print(Text.assemble((f"{step.verdict:8}", _COLOURS[step.verdict]), f"{shown(step.what)}{told}"))


def build(
    container: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Folder with the container's Dockerfile, or a project")
    ] = Path(),
    *,
    name: Annotated[str | None, typer.Option(help="Name of the repository in ECR; else the container's")] = None,
    tag: Annotated[str | None, typer.Option(help="Tag; else the commit, else a digest of the folder")] = None,
    push: Annotated[bool, typer.Option(help="Push the image to ECR, or build it for this machine only")] = True,
) -> None:
    """Build a container's image by Docker, with the flags that SageMaker needs, and push it to ECR."""
    entry = entries.find(container)
    folder, own = (entry.folder, entry.name) if entry and entry.folder else (container, None)
    asked = building.Build.of(folder, name or own, tag)
    if not push:
        image = building.at_home(asked, console.print)
        console.print(f"built {image}; try it: signalbox test --image {image} --channel NAME=PATH")
        return
    if os.environ.get("AWS_ENDPOINT_URL"):
        raise OperateError(
            "the local cloud runs a container's folder itself: nothing has to be built (--no-push builds)"
        )
    region()
    image = building.pushed(asked, account.client("ecr"), console.print)
    console.print(f"pushed {image}; train it: signalbox train --image {image} --commit {asked.tag} --problem ...")
