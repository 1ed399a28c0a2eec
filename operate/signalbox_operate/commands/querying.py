"""Ask what became of features: the offline store in SQL, and the report of a run."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from signalbox import projects
from signalbox.aws.s3 import ObjectStore
from signalbox_operate import account, runs
from signalbox_operate.commands.terminal import (
    Json,
    StackName,
    console,
    errors,
    print_json,
    print_table,
    shown,
    stack_of,
)
from signalbox_operate.features import queries, reports, whole_files
from signalbox_operate.features.queries import Answer
from signalbox_operate.stack import OperateError

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


def report(
    run: Annotated[str, typer.Argument(help="Name of a run, as `runs` has it")],
    *,
    output: Annotated[Path | None, typer.Option(help="Folder that gets the report; else features-RUN")] = None,
    stack: StackName = "signalbox",
    as_json: Json = False,
) -> None:
    """Fetch the report of a run's features: rows, quarantine, distributions and drift, with plots."""
    found, objects = stack_of(stack), ObjectStore(account.client("s3"))
    asked = runs.find(run, found, account.client("sagemaker"), account.client("dynamodb"))
    known = projects.load_projects(found.output("Prefix"), account.client("ssm"))
    made = reports.find(asked, found, known, objects)
    if made is None:
        raise OperateError(f"{asked.name} has no report of features: its pipeline makes none, or has not made them yet")
    page = reports.fetch(made, output or Path(f"features-{asked.name.replace('/', '-')}"), objects)
    if as_json:
        print_json({"run": asked.name, "told": made.told, "folder": made.folder, "page": str(page)})
    else:
        console.print(shown(f"{made.told}; see {page}"))


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
