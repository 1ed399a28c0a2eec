"""Bring the files of notebook instances into spaces of Studio."""

from datetime import UTC, datetime
from threading import Lock
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate.commands.snapshotting import (
    STACK,
    AtOnce,
    Names,
    NotebooksStack,
    Stop,
    chosen,
    desk_of,
    finish,
    work,
)
from signalbox_operate.commands.terminal import Json
from signalbox_operate.notebooks.many import Halt
from signalbox_operate.notebooks.moving import Goal, Move, Mover
from signalbox_operate.notebooks.watching import Told
from signalbox_operate.stack import OperateError


def to_studio(
    names: Names = None,
    *,
    domain: Annotated[str, typer.Option(help="Domain of Studio, d-…")],
    user_profile: Annotated[str, typer.Option(help="User profile of that domain, whose private spaces get the files")],
    space: Annotated[
        str, typer.Option(help="Space that gets the files, made where there is none; else one of the instance's name")
    ] = "",
    instance_type: Annotated[
        str, typer.Option(help="Type of machine that the space runs on meanwhile")
    ] = "ml.t3.medium",
    at_once: AtOnce = 4,
    stop: Stop = False,
    stack: NotebooksStack = STACK,
    as_json: Json = False,
) -> None:
    """Bring the files of instances into JupyterLab spaces of Studio: saved, restored into a folder, compared.

    Instances are stopped, and not deleted. An app that runs in such a space is stopped only with --stop, too.
    """
    halt = Halt()
    desk = desk_of(stack, halt)
    wanted = chosen(names, desk, everything=False)
    if space and len(wanted) > 1:
        raise OperateError("--space is for one instance: leave it out, or name one after the other, each has a folder")
    by, today, profiles = str(account.client("sts").get_caller_identity()["Arn"]), datetime.now(UTC).date(), Lock()

    def one(instance: str, told: Told) -> Move:
        mover = Mover(desk, by, told, today, may_stop=stop, profiles=profiles)
        return mover.move(instance, Goal(domain, user_profile, space or instance, instance_type))

    finish(work(wanted, one, at_once, halt), _told, as_json=as_json)


def _told(name: str, move: Move) -> str:
    """Return what a move came to, and what is next."""
    left = f"; {move.left_out:,} left out: see the report in the bucket" if move.left_out else ""
    where = f"space {move.space} of {move.domain} has {move.files:,} files in {move.folder}/, compared and equal"
    if move.environments:
        again = f"`bash {move.folder}/recreate-environments.sh`, in a terminal of the space"
        left += f"\n  environments: {move.environments:,}; those that do not work any more are made anew by {again}"
    then = f"{name} is stopped: open the space in Studio, then `signalbox notebooks clean {name}`"
    return f"{name}: {where}{left}\n  {then}"
