"""Plan and carry out the migration of notebook instances to another platform, and clean up after it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

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
from signalbox_operate.commands.terminal import Json, console, errors, print_json, print_table, region, shown, state
from signalbox_operate.notebooks import cleaning, migrating, organisation, planning, platforms
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.many import Halt
from signalbox_operate.notebooks.migrating import Report
from signalbox_operate.notebooks.planning import Step
from signalbox_operate.notebooks.watching import Told
from signalbox_operate.refusals import sentence
from signalbox_operate.stack import OperateError

_RECREATE = "`bash SageMaker/recreate-environments.sh`, in a terminal of the instance"
Platform = Annotated[str, typer.Option(help="Platform that the instances get")]


def plan(
    *,
    platform: Platform = platforms.NEWEST,
    organisation_wide: Annotated[
        bool, typer.Option("--organisation", help="Every account of the organisation, by --role")
    ] = False,
    role: Annotated[str, typer.Option(help="Name of the role that each account has for this")] = "",
    as_json: Json = False,
) -> None:
    """Show all instances: their platforms, what AWS refuses, what a newer one lacks, and at most what it takes."""
    if organisation_wide != bool(role):
        raise OperateError("--organisation and --role belong together: the role is one of that name in every account")
    platforms.find(platform)
    steps = sorted(_steps(platform, role), key=lambda one: (one.account, one.name))
    if as_json:
        print_json(steps)
        return
    print_table(
        ("instance", "account", "state", "platform", "AWS starts none since", "what to do", "GB", "minutes", "$/month"),
        [_row(one) for one in steps],
    )
    for kernel in {kernel.name: kernel for one in steps for kernel in one.missing}.values():
        console.print(f"{platform} has no {kernel.name}; instead {kernel.successor}")


def _steps(platform: str, role: str) -> Iterator[Step]:
    today = datetime.now(UTC).date()
    for one in organisation.accounts(account.session(), role, region()) if role else _own():
        if one.session is None:
            errors.print(shown(f"account {one.id} is not among these: {one.reason}"))
            continue
        try:
            sagemaker = account.client("sagemaker") if not role else account.client_of(one.session, "sagemaker")
            yield from (planning.step(instance, platform, today) for instance in Fleet(sagemaker).all())
        except (ClientError, BotoCoreError) as error:
            if not role:
                raise
            errors.print(shown(f"account {one.id} is not among these: {sentence(error)}"))


def _own() -> Iterator[organisation.Account]:
    session: Any = account.session()
    yield organisation.Account("", session)


def _row(one: Step) -> list[str | Text]:
    since = one.refused_since or "-"
    sizes = (f"{one.volume:,}", f"{one.minutes:,}", f"{one.dollars:,.2f}")
    return [one.name, one.account, state(one.status), one.platform or "-", since, one.way, *sizes]


def migrate(
    names: Names = None,
    *,
    platform: Platform = platforms.NEWEST,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Update the instance itself; else a new one is made beside it")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the new instance; for one instance")] = "",
    at_once: AtOnce = 4,
    stop: Stop = False,
    stack: NotebooksStack = STACK,
    as_json: Json = False,
) -> None:
    """Take instances to another platform: saved, restored, compared; old ones are stopped, and not deleted.

    An instance that AWS does not start any more is updated in place: its volume stays.
    """
    halt = Halt()
    desk = desk_of(stack, halt)
    wanted = chosen(names, desk, everything=False)
    if name and len(wanted) > 1:
        raise OperateError("--name is for one instance: leave it out, and each gets its own with the platform's ending")
    today = datetime.now(UTC).date()
    by = str(account.client("sts").get_caller_identity()["Arn"])

    def one(instance: str, told: Told) -> Report:
        aim = migrating.aim(desk.fleet.read(instance), platform, name, today, in_place=in_place)
        return migrating.migrate(instance, aim, by, desk, told, today, may_stop=stop)

    finish(work(wanted, one, at_once, halt), _told, as_json=as_json)


def _told(name: str, report: Report) -> str:
    """Return what a migration came to, and what is next."""
    where = f"{report.new} has" if report.new != name else f"it has {report.platform} and"
    compared = "compared and equal" if report.compared else "there was no snapshot to compare them with"
    left = f"; {report.left_out:,} left out: see the report in the bucket" if report.left_out else ""
    lacks = "".join(f"\n  without {one.name}; instead {one.successor}" for one in report.missing)
    if report.environments:
        lacks += (
            f"\n  environments: {report.environments:,}; those that do not work any more are made anew by {_RECREATE}"
        )
    then = f"\n  {name} is stopped: look at {report.new}, then `signalbox notebooks clean {name}`"
    return f"{name}: {where} {report.files:,} files, {compared}{left}{lacks}" + (then if report.new != name else "")


def clean(
    names: Names = None,
    *,
    older_than: Annotated[
        int | None, typer.Option(min=1, help="Delete snapshots that are older than so many days; not each newest")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    stack: NotebooksStack = STACK,
) -> None:
    """Delete old instances whose migration has ended, with their volumes, and old snapshots."""
    if not names and older_than is None:
        raise OperateError("name old instances, or give --older-than DAYS")
    desk = desk_of(stack, Halt())
    old = [cleaning.check(name, desk) for name in dict.fromkeys(names or ())]
    now = datetime.now(UTC)
    gone = [(shelf, one) for shelf in desk.shelves() for one in shelf.old(older_than, now)] if older_than else []
    for instance in old:
        console.print(shown(f"instance {instance.name}, {instance.volume} GB"))
    for shelf, snapshot in gone:
        console.print(shown(f"snapshot {snapshot} in s3://{shelf.bucket}/{shelf.key('snapshots/')}"))
    if not old and not gone:
        console.print("there is nothing to delete")
        return
    if not yes and not typer.confirm("Delete these?"):
        raise OperateError("nothing was deleted")
    for instance in old:
        cleaning.delete(instance, desk.fleet)
    for shelf, snapshot in gone:
        shelf.remove(snapshot)
