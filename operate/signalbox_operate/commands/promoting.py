"""Promote a pipeline from one stack to another, and show what was promoted."""

from functools import partial
from typing import Annotated

import typer

from signalbox import moments, words
from signalbox_operate import account
from signalbox_operate.commands.deploying import place_of
from signalbox_operate.commands.terminal import (
    Json,
    StackName,
    console,
    local,
    pairs,
    print_json,
    print_table,
    shown,
)
from signalbox_operate.promotions import carrying, planning, records, sides
from signalbox_operate.promotions.model import Plan, Side, Wanted
from signalbox_operate.stack import OperateError

_SHORT = 12


def promote(
    project: Annotated[str, typer.Argument(help="Name of the project")],
    pipeline: Annotated[str | None, typer.Argument(help="Its pipeline, as signalbox.yaml calls it")] = None,
    *,
    source: Annotated[str, typer.Option("--from", help="Name of the stack that it ran in")],
    target: Annotated[str, typer.Option("--to", help="Name of the stack that it is promoted to")],
    from_profile: Annotated[str | None, typer.Option(help="Profile for --from; else --profile")] = None,
    from_region: Annotated[str | None, typer.Option(help="Region of --from; else --region")] = None,
    to_profile: Annotated[str | None, typer.Option(help="Profile for --to; else --profile")] = None,
    to_region: Annotated[str | None, typer.Option(help="Region of --to; else --region")] = None,
    run: Annotated[str | None, typer.Option(help="The run; else the newest that succeeded")] = None,
    commit: Annotated[str | None, typer.Option(help="The newest run at this commit that succeeded")] = None,
    values: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: a parameter's other default")] = None,
    no_run: Annotated[bool, typer.Option("--no-run", help="Put it in place, and start nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; also where no commit is known")] = False,
) -> None:
    """Promote a pipeline: the definition that ran in one stack is created in another one, and run there."""
    wanted = Wanted(project, pipeline, run, commit, pairs("--set", values), not no_run)
    plan = planning.plan(wanted, _side(source, from_profile, from_region), _side(target, to_profile, to_region))
    _show(plan)
    if plan.there:
        console.print("it is there already: nothing was changed, and nothing is started")
        return
    if not plan.ran.commit and not yes:
        raise OperateError("the definition says no commit, so nobody can see which code it is: give --yes all the same")
    what = "put it in place" if no_run else "put it in place and run it"
    if not yes and not typer.confirm(f"Promote it to {plan.target.side.title}: {what}?"):
        raise OperateError("nothing was changed")
    carrying.carry_out(plan, moments.now())


def _side(stack: str, profile: str | None, region: str | None) -> Side:
    session = account.beside(profile, region)
    client = partial(account.client_of, session)
    return sides.read(stack, session.region_name, client, lambda text: console.print(shown(text)))


def _show(plan: Plan) -> None:
    """Say what is promoted, and each thing that is put in the place of another."""
    console.print(f"run {plan.ran.execution} of {plan.source.side.title}")
    console.print(f"commit {plan.ran.commit or 'unknown: the definition says none'}")
    for digest, files in plan.code.items():
        console.print(f"code {digest}: {len(files)} file{'' if len(files) == 1 else 's'}, as the digest says")
    rows = [[one.what, one.before, one.after, f"{one.places:,}"] for one in plan.replacements]
    rows += [[f"default of {name}", "", value, "1"] for name, value in (plan.wanted.values or {}).items()]
    if rows:
        print_table(
            ("what", "in the source", "in the target", "places"), [[shown(cell) for cell in row] for row in rows]
        )
    else:
        console.print("nothing in it differs between the two stacks")
    for note in plan.notes:
        console.print(f"note: {shown(note)}")


def show_promotions(
    project: Annotated[str, typer.Argument(help="Name of the project")],
    *,
    stack: StackName = "signalbox",
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many")] = 20,
    as_json: Json = False,
) -> None:
    """Show what was promoted into a stack: who, when, from where, and at which commit."""
    found = records.newest(project, place_of(stack), most)
    if as_json:
        print_json(found)
        return
    if not found:
        console.print(f"nothing of {shown(project)} was promoted to the stack {stack}")
        return
    rows = [
        [
            local(one["at"]),
            one["pipeline"],
            words.short_commit(one["commit"]) or "-",
            one["digest"][:_SHORT],
            "/".join(one["source"][name] for name in ("stack", "account", "region")),
            one["target"]["by"],
        ]
        for one in found
    ]
    headings = ("when", "pipeline", "commit", "digest", "from", "by")
    print_table(headings, [[shown(cell) for cell in row] for row in rows])
