"""Ask the offline store of a feature group in SQL."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate.commands.terminal import Json, StackName, console, errors, print_json, print_table, shown
from signalbox_operate.features import queries, whole_files
from signalbox_operate.features.queries import Answer

SHOWN = 100
"""Rows that a terminal gets."""


def query(
    sql: Annotated[str, typer.Argument(help="The query; {table} in it is the table of the feature group")],
    *,
    group: Annotated[str | None, typer.Option(help="Feature group whose table is {table}")] = None,
    work_group: Annotated[str, typer.Option(help="Work group of Athena")] = queries.PRIMARY,
    output: Annotated[Path | None, typer.Option("--csv", help="File that gets all rows")] = None,
    stack: StackName = "signalbox",
    as_json: Json = False,
) -> None:
    """Ask the offline store in SQL, by Athena."""
    desk = queries.desk(account.session(), stack, work_group, lambda text: errors.print(shown(text)))
    text, database = queries.resolved(sql, group, account.client("sagemaker"))
    answer = desk.ask(text, database)
    if as_json:
        print_json(list(queries.values(answer)))
    elif output:
        console.print(shown(f"{_write(answer, output):,} rows in {output}"))
    else:
        _show(answer)


def _write(answer: Answer, output: Path) -> int:
    count = 0
    with whole_files.written(output) as kept:
        lines = csv.writer(kept, lineterminator="\n", quoting=csv.QUOTE_NOTNULL)
        lines.writerow(answer.columns)
        for count, row in enumerate(answer.rows, start=1):  # noqa: B007  # the last one is how many there are
            lines.writerow(row)
    return count


def _show(answer: Answer) -> None:
    rows, more = queries.first(answer, SHOWN)
    print_table(answer.columns, [[shown(cell or "") for cell in row] for row in rows])
    if more:
        console.print(f"{more:,} rows more: --csv FILE has all")
