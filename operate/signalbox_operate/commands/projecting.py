"""Show the projects of a stack, and remove one."""

from typing import Annotated

import typer
from rich.text import Text

from signalbox.project_documents import Project as Document
from signalbox_operate.commands.deploying import place_of
from signalbox_operate.commands.terminal import Json, StackName, console, print_json, print_table
from signalbox_operate.projects import removing, use
from signalbox_operate.projects.place import Place
from signalbox_operate.stack import OperateError


def show_projects(context: typer.Context, *, stack: StackName = "signalbox", as_json: Json = False) -> None:
    """Show the projects of a stack: their pipelines, models and prefixes, and what waits for them."""
    if context.invoked_subcommand:
        return
    place = place_of(stack)
    projects = place.projects()
    if as_json:
        shown = [(one, place.models_of(one.project), _waiting(one, place)) for one in projects]
        print_json([{"project": one, "models": models, "waiting": waiting} for one, models, waiting in shown])
        return
    if not projects:
        console.print("no project is deployed: `signalbox deploy FOLDER` deploys one")
        return
    print_table(("project", "pipelines", "models", "uploads under", "waiting"), [_row(one, place) for one in projects])


def _row(project: Document, place: Place) -> list[str | Text]:
    pipelines = [one.name for one in project.pipelines.values()]
    prefixes = [f"{one.prefix}{'*' if one.suffix else ''}{one.suffix}" for one in project.uploads]
    cells = [", ".join(cell) or "-" for cell in (pipelines, place.models_of(project.project), prefixes)]
    return [project.project, *cells, f"{_waiting(project, place):,}"]


def _waiting(project: Document, place: Place) -> int:
    """Return how many uploads wait for a project's pipelines."""
    return sum(use.waiting(one.name, place) for one in project.pipelines.values())


def remove(
    project: Annotated[str, typer.Argument(help="Name of the project")],
    *,
    stack: StackName = "signalbox",
    delete_endpoints: Annotated[
        bool, typer.Option("--delete-endpoints", help="Delete the endpoints that serve its models, too")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Remove a project that is not in use: its pipelines, roles and documents; data and packages stay."""
    if not yes and not typer.confirm(f"Remove the project {project} from the stack {stack}?"):
        raise OperateError("nothing was removed")
    removing.remove(project, place_of(stack), endpoints=delete_endpoints)
