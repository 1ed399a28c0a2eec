"""Show the projects of a stack, and remove one."""

from typing import Annotated

import typer
from rich.table import Column, Table

from signalbox_operate.commands.deploying import place_of
from signalbox_operate.commands.terminal import StackName, console
from signalbox_operate.projects import removing, use
from signalbox_operate.stack import OperateError


def show_projects(context: typer.Context, stack: StackName = "signalbox") -> None:
    """Show the projects of a stack: their pipelines, models and prefixes, and what waits for them."""
    if context.invoked_subcommand:
        return
    place = place_of(stack)
    projects = place.projects()
    if not projects:
        console.print("no project is deployed: `signalbox deploy FOLDER` deploys one")
        return
    table = Table(Column("project", overflow="fold"), "pipelines", "models", "uploads under", "waiting")
    for project in projects:
        pipelines = [one.name for one in project.pipelines.values()]
        prefixes = [f"{one.prefix}{'*' if one.suffix else ''}{one.suffix}" for one in project.uploads]
        waiting = sum(use.waiting(pipeline, place) for pipeline in pipelines)
        cells = [pipelines, place.models_of(project.project), prefixes]
        table.add_row(project.project, *("\n".join(cell) or "-" for cell in cells), f"{waiting:,}")
    console.print(table)


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
