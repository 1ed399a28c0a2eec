"""See the branches of projects."""

from dataclasses import replace

from rich.text import Text

from signalbox import words
from signalbox_operate.commands.deploying import place_of
from signalbox_operate.commands.terminal import (
    Json,
    ProjectName,
    StackName,
    console,
    errors,
    print_json,
    print_table,
    shown,
)
from signalbox_operate.commands.terminal import state as coloured
from signalbox_operate.pushes import overview
from signalbox_operate.pushes.overview import BranchView, Metrics
from signalbox_operate.stack import OperateError


def show_branches(project: ProjectName = None, stack: StackName = "signalbox", *, as_json: Json = False) -> None:
    """Show the branches of projects: commit, build, runs, and the metrics beside those of main."""
    place = replace(place_of(stack), say=lambda text: errors.print(shown(text)))
    projects = [one for one in place.projects() if project in (None, one.project)]
    if project is not None and not projects:
        raise OperateError(f"there is no project {project!r}: `signalbox projects` lists them")
    found = list(overview.of_projects(projects, place))
    if as_json:
        print_json(found)
        return
    if not found:
        console.print("no branch was built: `signalbox projects create FOLDER` gives a project its builds")
        return
    print_table(("branch", "commit", "build", "runs", "metrics beside main's"), [_row(one) for one in found])


def _row(view: BranchView) -> list[str | Text]:
    runs = ", ".join(f"{key} {status}" for key, status in (view.runs or {}).items())
    told = "; ".join(filter(None, map(_told, view.metrics)))
    name = shown(f"{view.project}/{view.branch}")
    return [name, shown(words.short_commit(view.commit)), coloured(view.build or "-"), runs or "-", told or "-"]


def _told(metrics: Metrics) -> str:
    """Return a model's metrics in a line: `wine: accuracy 0.91 (main 0.89)`."""
    told = []
    for name, value in metrics.branch.items():
        beside = f" (main {words.number(metrics.main[name])})" if name in metrics.main else ""
        told.append(f"{words.label(name)} {words.number(value)}{beside}")
    return f"{metrics.model}: {', '.join(told)}" if told else ""
