"""See the models in the registry."""

from typing import Annotated

import typer
from rich.text import Text

from signalbox import words
from signalbox_operate import account
from signalbox_operate.commands.terminal import (
    Json,
    StackName,
    console,
    print_json,
    print_table,
    shown,
    stack_of,
    state,
)
from signalbox_operate.packages import Registry, Version


def show_models(
    context: typer.Context,
    *,
    model: Annotated[str | None, typer.Option(help="Of this model only")] = None,
    stack: StackName = "signalbox",
    most: Annotated[int, typer.Option(min=1, help="How many versions of each model are shown")] = 10,
    as_json: Json = False,
) -> None:
    """Show the versions of each model: metric, status, who decided, which stage serves it, and its commit."""
    if context.invoked_subcommand:  # what was asked for comes next
        return
    found = list(Registry(stack_of(stack), account.client).versions(model, most))
    if as_json:
        print_json(found)
        return
    if not found:
        console.print("no model is registered")
        return
    print_table(
        ("package", "metric", "status", "decided by", "serves in", "commit"),
        [_row(one) for one in found],
    )


def _row(version: Version) -> list[str | Text]:
    return [
        version.package,
        _metric(version),
        state(version.status),
        shown(version.decided_by),
        ", ".join(version.stages),
        shown(words.short_commit(version.commit)),
    ]


def _metric(version: Version) -> str:
    if version.primary not in version.metrics:
        return ""
    return f"{words.label(version.primary)} {words.number(version.metrics[version.primary])}"


def diff(
    first: Annotated[str, typer.Argument(help="A package, such as abalone/3")],
    second: Annotated[str, typer.Argument(help="Another one, such as abalone/4")],
    *,
    stack: StackName = "signalbox",
    as_json: Json = False,
) -> None:
    """Show in what two packages differ: metrics, data, image, commit, hyperparameters."""
    facts = Registry(stack_of(stack), account.client).compare(first, second)
    if as_json:
        print_json(facts)
        return
    different = [one for one in facts if one.first != one.second]
    rows = [[one.fact, shown(one.first), shown(one.second)] for one in different]
    print_table(("", first, second), rows)
    same = [one.fact for one in facts if one.first == one.second]
    if same:
        console.print(f"the same: {', '.join(same)}")
