"""The command line: which commands there are, in the order of its help."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from signalbox_operate import __version__
from signalbox_operate.commands import (
    beginning,
    branching,
    containing,
    deploying,
    featuring,
    feeding,
    invoking,
    migrating,
    moving,
    projecting,
    promoting,
    querying,
    registering,
    reviewing,
    running,
    snapshotting,
    training,
    trying,
    uploading,
    watching,
)
from signalbox_operate.commands.terminal import command, console

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "new": beginning.new,
    "ci": beginning.add_ci,
    "run": trying.run,
    "check": deploying.check,
    "deploy": deploying.deploy,
    "projects": projecting.show_projects,
    "projects create": projecting.create,
    "projects remove": projecting.remove,
    "promote": promoting.promote,
    "promotions": promoting.show_promotions,
    "branches": branching.show_branches,
    "test": containing.try_container,
    "build": containing.build,
    "train": training.train,
    "data": feeding.data,
    "data put": feeding.put,
    "features": featuring.features,
    "features check": featuring.check,
    "features fit": featuring.fit,
    "features apply": featuring.apply,
    "features import": featuring.import_flow,
    "features training-set": featuring.training_set,
    "features query": querying.query,
    "features report": querying.report,
    "notebooks": snapshotting.notebooks,
    "notebooks deploy": snapshotting.deploy,
    "notebooks plan": migrating.plan,
    "notebooks backup": snapshotting.backup,
    "notebooks restore": snapshotting.restore,
    "notebooks migrate": migrating.migrate,
    "notebooks to-studio": moving.to_studio,
    "notebooks verify": snapshotting.verify,
    "notebooks status": snapshotting.show_status,
    "notebooks detach": snapshotting.detach,
    "notebooks clean": migrating.clean,
    "upload": uploading.upload,
    "decide": reviewing.decide,
    "uploads": uploading.show_uploads,
    "quarantine": uploading.show_quarantine,
    "runs": running.show_runs,
    "logs": running.logs,
    "start": running.start,
    "rerun": running.rerun,
    "retry": uploading.retry,
    "models": registering.show_models,
    "models diff": registering.diff,
    "invoke": invoking.invoke,
    "status": watching.show_status,
    "doctor": watching.show_doctor,
    "open": watching.open_page,
}


def _version(asked: bool) -> None:
    """Print the version and end, where it is asked for."""
    if asked:
        console.print(f"signalbox {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,  # its callback does it all
) -> None:
    """Operate Signalbox on AWS, or on the local cloud."""


def _registered(commands: Mapping[str, Callable[..., None]]) -> None:
    """Register commands by their names; one that others begin with is a group, and what it does without them."""
    groups: dict[str, typer.Typer] = {}
    for name, function in commands.items():
        group, _, own = name.partition(" ")
        if own:
            groups[group].command(own)(command(function))
        elif any(other.startswith(f"{name} ") for other in commands):
            groups[name] = typer.Typer(invoke_without_command=True, help=function.__doc__)
            groups[name].callback()(command(function))
            app.add_typer(groups[name], name=name)
        else:
            app.command(name)(command(function))


_registered(COMMANDS)
