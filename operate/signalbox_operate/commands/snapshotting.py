"""Save the files of notebook instances and bring them back; see how that stands, and what snapshots there are."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from signalbox_operate import account
from signalbox_operate.commands.terminal import Json, console, errors, pairs, print_json, print_table, shown, state
from signalbox_operate.notebooks import many, model, place, requests, verifying
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.many import Halt, Outcome
from signalbox_operate.notebooks.model import BACKUP, RESTORE, Instance, NotebookError, Standing
from signalbox_operate.notebooks.moving import Mover
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.notebooks.requests import Request
from signalbox_operate.notebooks.watching import Told
from signalbox_operate.refusals import sentence
from signalbox_operate.stack import OperateError

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.text import Text

NotebooksStack = Annotated[
    str,
    typer.Option("--stack", envvar="SIGNALBOX_NOTEBOOKS_STACK", help="Name of the stack of notebooks/template.yaml"),
]
STACK = "signalbox-notebooks"
Names = Annotated[list[str] | None, typer.Argument(help="Notebook instances")]
All = Annotated[bool, typer.Option("--all", help="All instances of the account and region")]
AtOnce = Annotated[int, typer.Option(min=1, max=100, help="How many at once, at most")]
Stop = Annotated[bool, typer.Option("--stop", help="Stop instances that run, once; their kernels end")]


def notebooks(context: typer.Context) -> None:
    """Save, restore and migrate notebook instances of SageMaker."""
    if not context.invoked_subcommand:
        raise OperateError("say what to do with notebook instances: `signalbox notebooks plan --help`")


def deploy(
    *,
    stack: NotebooksStack = STACK,
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of the template, as often as needed; others stay as they are")
    ] = None,
) -> None:
    """Put the worker and the lifecycle configurations in place: the stack of notebooks/template.yaml."""
    given = pairs("--parameter", parameter)
    cloudformation = account.client("cloudformation")
    outcome = place.deploy(stack, given, cloudformation, account.client("s3"), lambda line: console.print(shown(line)))
    made = place.read(stack, cloudformation)
    console.print(f"stack {stack} {outcome}: bucket {made.bucket}, configurations {made.backup} and {made.restore}")


def desk_of(stack: str, halt: Halt) -> Desk:
    """Return what a command works with: the stack, and the account's instances."""
    found = place.read(stack, account.client("cloudformation"))
    fleet = Fleet(account.client("sagemaker"), halt.sleep)
    return Desk(found, fleet, account.client("s3"), account.client("iam"))


def chosen(names: Sequence[str] | None, desk: Desk, *, everything: bool) -> list[str]:
    """Return the instances that are meant.

    Raises:
        OperateError: none is named, or some are and all are asked for.
    """
    if everything == bool(names):
        raise OperateError("name notebook instances, or give --all")
    return list(dict.fromkeys(names)) if names else [one.name for one in desk.fleet.all()]


def work[Result](
    names: Sequence[str], one: Callable[[str, Told], Result], at_once: int, halt: Halt
) -> list[Outcome[Result]]:
    """Do something for each instance, some at once, with a line of progress for each."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20))
    with Progress(
        *columns, TextColumn("{task.fields[said]}", markup=False), console=errors, disable=not errors.is_terminal
    ) as progress:
        told = _telling(progress)
        return many.each(names, lambda name: one(name, told), at_once, halt)


def _telling(progress: Progress) -> Told:
    """Return what is told how far instances are: on a terminal lines that move, else each new word once."""
    tasks: dict[str, TaskID] = {}
    said: dict[str, str] = {}
    lock = threading.Lock()

    def told(name: str, text: str, done: int, total: int | None) -> None:
        with lock:
            if progress.console.is_terminal and name not in tasks:
                tasks[name] = progress.add_task(shown(name), total=None, said="")
            if name in tasks:
                progress.update(tasks[name], completed=done, total=total, said=shown(text))
            elif said.get(name) != text:
                errors.print(shown(f"{name}: {text}"))
            said[name] = text

    return told


def finish[Result](outcomes: Sequence[Outcome[Result]], tell: Callable[[str, Result], str], *, as_json: bool) -> None:
    """Say what became of each instance; end with 1 where something did not succeed."""
    if as_json:
        print_json(
            [
                {"instance": one.name, "result": one.result, "error": sentence(one.error) if one.error else None}
                for one in outcomes
            ]
        )
    for one in outcomes:
        if one.error is not None:
            errors.print(f"error: {shown(sentence(one.error))}")
        elif one.result is not None and not as_json:
            for line in tell(one.name, one.result).splitlines():
                console.print(shown(line))
    if any(one.error is not None for one in outcomes):
        raise typer.Exit(1)


def backup(
    names: Names = None,
    *,
    everything: All = False,
    at_once: AtOnce = 4,
    stop: Stop = False,
    stack: NotebooksStack = STACK,
    as_json: Json = False,
) -> None:
    """Save the files of instances; each is started with the worker, and is as it was afterwards."""
    halt = Halt()
    desk = desk_of(stack, halt)
    request = Request(BACKUP, desk.stack.backup)

    def one(name: str, told: Told) -> Standing:
        return requests.carry_out(name, request, desk, told, datetime.now(UTC).date(), may_stop=stop)

    outcomes = work(chosen(names, desk, everything=everything), one, at_once, halt)
    finish(outcomes, lambda name, found: f"{name}: {found.told}, snapshot {found.snapshot}", as_json=as_json)


def restore(
    name: Annotated[str, typer.Argument(help="Notebook instance that gets the files")],
    *,
    snapshot: Annotated[str, typer.Option(help="Snapshot, by its whole name; else the instance's own newest")] = "",
    overwrite_newer: Annotated[
        bool, typer.Option("--overwrite-newer", help="Replace files that are newer than the snapshot's, too")
    ] = False,
    stop: Stop = False,
    stack: NotebooksStack = STACK,
    as_json: Json = False,
) -> None:
    """Bring a snapshot to an instance that is there; what is newer in it stays, and is named."""
    halt = Halt()
    desk = desk_of(stack, halt)
    shelf = desk.shelf(desk.fleet.read(name))
    wanted = snapshot or (shelf.names(name) or [""])[-1]
    if not wanted:
        raise NotebookError(name, "it has no snapshot of its own: name one with --snapshot")
    shelf.totals(wanted)
    tags = {model.SNAPSHOT: wanted, model.OVERWRITE: "newer" if overwrite_newer else ""}
    request = Request(RESTORE, desk.stack.restore_on_start, tags)

    def one(name: str, told: Told) -> Standing:
        return requests.carry_out(name, request, desk, told, datetime.now(UTC).date(), may_stop=stop)

    outcomes = work([name], one, 1, halt)
    finish(outcomes, lambda name, found: f"{name}: {found.told}, of snapshot {found.snapshot}", as_json=as_json)


def show_status(names: Names = None, *, stack: NotebooksStack = STACK, as_json: Json = False) -> None:
    """Show how backups and restores of instances stand, by what their workers wrote into the bucket."""
    desk = desk_of(stack, Halt())
    instances = [desk.fleet.read(name) for name in names] if names else list(desk.fleet.all())
    found = [(one, _newest(one, desk)) for one in instances]
    if as_json:
        print_json(
            [
                {"instance": one.name, "status": one.status, "tags": dict(one.tags), "work": standing}
                for one, standing in found
            ]
        )
        return
    rows: list[list[str | Text]] = [
        [
            one.name,
            state(one.status),
            standing.operation if standing else "-",
            shown((standing.told if standing else one.tags.get(model.STATUS, "-")) + _where(one)),
            standing.snapshot if standing else "-",
        ]
        for one, standing in found
    ]
    print_table(("instance", "state", "work", "how it stands", "snapshot"), rows)


def _newest(instance: Instance, desk: Desk) -> Standing | None:
    """Return how the last work of an instance stands; None where its request has not been taken up."""
    if instance.tags.get(model.STATUS, "").startswith((model.WAITING, model.STARTING)):
        return None
    shelf = desk.shelf(instance)
    found = [one for operation in (BACKUP, RESTORE) if (one := shelf.standing(instance.name, operation))]
    moved = shelf.standing(to, RESTORE) if "." in (to := instance.tags.get(model.TO, "")) else None
    if moved is not None and moved.snapshot.rpartition("_")[0] == instance.name:  # others go to the same space, too
        found.append(moved)
    return max(found, key=lambda one: one.updated, default=None)


def _where(instance: Instance) -> str:
    """Return where in Studio the files of an instance are; nothing where they are not there."""
    if instance.moved_to is None:
        return ""
    domain, space = instance.moved_to
    return f"; its files are in space {space} of {domain}"


def verify(
    name: Annotated[str, typer.Argument(help="Notebook instance")],
    *,
    snapshot: Annotated[str, typer.Option(help="Snapshot, by its whole name; else the instance's own newest")] = "",
    stack: NotebooksStack = STACK,
    as_json: Json = False,
) -> None:
    """Read every object of a snapshot, and name each file whose contents are damaged or missing."""
    desk = desk_of(stack, Halt())
    instance = desk.fleet.read(name)
    shelf = desk.shelf(instance)
    wanted = snapshot or (shelf.names(name) or [""])[-1]
    if not wanted:
        raise NotebookError(name, "it has no snapshot of its own: name one with --snapshot")
    found = verifying.check(instance, wanted, shelf, account.session())
    if as_json:
        print_json(found)
    else:
        for one in found.named:
            console.print(shown(f"{one['path']}: {one['reason']}"))
        console.print(f"{wanted}: {found.entries:,} entries, {found.damaged:,} damaged")
    if not found.equal:
        raise typer.Exit(1)


def detach(names: Names = None, *, everything: All = False, stop: Stop = False, stack: NotebooksStack = STACK) -> None:
    """Take the lifecycle configurations off instances, and put back or end what a broken-off command left."""
    desk = desk_of(stack, Halt())
    mover = Mover(desk, "", lambda *_: None, datetime.now(UTC).date(), may_stop=stop)
    for name in chosen(names, desk, everything=everything):
        done = mover.give_up(name)
        done = requests.detach(name, desk, may_stop=stop) or done
        console.print(shown(f"{name}: {'put back' if done else 'nothing to do'}"))
