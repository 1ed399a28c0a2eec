"""Try a project on the local cloud."""

from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate.commands.terminal import console, pairs, shown
from signalbox_operate.projects import reading
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.stack import OperateError
from signalbox_operate.trials import cloud, drawing, ground, results, trial
from signalbox_operate.trials.results import Results

_RUNS = "runs"

Folder = Annotated[Path, typer.Argument(help="The project's folder, with its signalbox.yaml")]
Data = Annotated[
    list[Path] | None,
    typer.Option(exists=True, dir_okay=False, readable=True, help="A file of data, as often as needed; else data/"),
]
Parameters = Annotated[list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, as often as needed")]
Pipeline = Annotated[str | None, typer.Option(help="Which pipeline, where the project has several")]


def run(
    folder: Folder = Path(),
    *,
    data: Data = None,
    parameter: Parameters = None,
    pipeline: Pipeline = None,
) -> None:
    """Try a project's pipeline on the local cloud, and show its metrics and a picture."""
    project = reading.read(folder)
    files = data or sorted(path for path in (folder / "data").glob("*") if path.is_file() and path.name[0] != ".")
    wanted = trial.Trial(project, _entry(project, pipeline), files, pairs("parameter", parameter))
    found, failure = _tried(wanted)
    for name, value, spread in found.metrics:
        console.print(f"{name} {value:g}" + ("" if spread is None else f" (standard deviation {spread:.2g})"))
    for line in drawing.terminal(found):
        console.print(line)
    if found.metrics:
        console.print(f"page: {_kept(folder, wanted, found)}")
    if failure:
        raise OperateError(failure)


def _tried(wanted: trial.Trial) -> tuple[Results, str]:
    """Return what the trial has found, also where it fails in the end, and why it did."""
    with cloud.borrowed() as session:
        target = ground.ready(session)
        sagemaker = session.client("sagemaker")
        arn = trial.start(wanted, target, session)
        failure = trial.follow(arn, sagemaker, lambda text: console.print(shown(text)))
        return results.read(trial.steps_of(arn, sagemaker), sagemaker, session.client("s3")), failure


def _entry(project: Project, name: str | None) -> PipelineEntry:
    known = ", ".join(project.pipelines) or "none"
    if name is None and len(project.pipelines) == 1:
        return next(iter(project.pipelines.values()))
    if name is None or name not in project.pipelines:
        raise OperateError(f"name the pipeline with --pipeline: the project has {known}")
    return project.pipelines[name]


def _kept(folder: Path, wanted: trial.Trial, found: Results) -> Path:
    """Write what was found beside the project, and return the page."""
    place = folder / _RUNS / wanted.entry.name
    place.mkdir(parents=True, exist_ok=True)
    if found.report:
        (place / "evaluation.json").write_text(found.report, encoding="utf-8")
    page = place / "index.html"
    page.write_text(drawing.page(f"{wanted.project.name}: {wanted.entry.name}", found), encoding="utf-8")
    return page
