"""Features of a project: check, fit and try them on files of this machine, import a flow, make training sets."""

from pathlib import Path
from typing import Annotated

import typer

from signalbox_features import fitting, job, sources
from signalbox_operate import account
from signalbox_operate.commands.terminal import Json, StackName, console, errors, print_json, shown
from signalbox_operate.features import importing, queries, reading, training_sets
from signalbox_operate.features.training_sets import WantedSet
from signalbox_operate.stack import OperateError

Folder = Annotated[Path, typer.Option(help="Project whose features.yaml is meant")]
Files = Annotated[list[Path], typer.Argument(help="CSV or Parquet files")]
Fitted = Annotated[
    Path | None, typer.Option(help=f"File with what was fitted; else {reading.FITTED} in the project's folder")
]


def features(context: typer.Context) -> None:
    """Make features of files, as features.yaml of a project declares them."""
    if not context.invoked_subcommand:
        raise OperateError("say what to do with features: `signalbox features check --help`")


def check(
    folder: Annotated[Path, typer.Argument(help="Project whose features.yaml is checked")] = Path(),
    *,
    as_json: Json = False,
) -> None:
    """Say what is wrong with a project's features.yaml; with --json print its compiled form, which the job reads."""
    definition = reading.read(folder)
    if as_json:
        print_json(dict(definition.given))
        return
    counts = f"{len(definition.columns)} columns, {len(definition.features)} features"
    console.print(shown(f"features of group {definition.group}: {counts}"))


def fit(files: Files, *, folder: Folder = Path(), output: Fitted = None) -> None:
    """Learn scaling, encodings and distributions of files, once, and keep them beside features.yaml."""
    definition = reading.read(folder)
    artefact = fitting.fit(definition, sources.of_paths(files))
    file = output or folder / reading.FITTED
    fitting.save(artefact, file)
    rows = artefact.document["rows"]
    console.print(shown(f"fitted on {rows:,} rows: version {artefact.version}, in {file}"))


def apply(
    files: Files,
    *,
    folder: Folder = Path(),
    fitted: Fitted = None,
    output: Annotated[Path, typer.Option(help="Folder that gets records, quarantine and report")] = Path("features"),
) -> None:
    """Make the records of files, on this machine and for it alone, as the pipeline's job does."""
    definition = reading.read(folder)
    artefact = fitting.load(fitted or folder / reading.FITTED, definition)
    report = job.apply(definition, artefact, sources.of_paths(files), output)
    console.print(shown(f"{job.told(report)}; see {output / job.PAGE}"))


def import_flow(
    flow: Annotated[Path, typer.Argument(help="A Data Wrangler flow")],
    *,
    folder: Folder = Path(),
    group: Annotated[str | None, typer.Option(help="Name of the feature group; else the flow's")] = None,
    identifier: Annotated[str, typer.Option(help="Column that is the rows' own key; else identifiers are made")] = "",
    node: Annotated[str, typer.Option(help="Id of the last node, where the flow has several ends")] = "",
) -> None:
    """Make a features.yaml of a Data Wrangler flow, and name what it does not take."""
    made = importing.write(flow, folder, group or flow.stem, identifier, node)
    for note in made.notes:
        errors.print(shown(f"note: {note}"))
    definition = reading.read(folder)
    console.print(shown(f"wrote {folder / reading.FILE}: {len(definition.features)} features"))


def training_set(
    labels: Annotated[Path, typer.Argument(help="CSV file with the record identifier, a time, and the label")],
    *,
    folder: Folder = Path(),
    time: Annotated[str, typer.Option(help="Column of the labels with the time at which each was known")] = "time",
    records: Annotated[
        list[Path] | None, typer.Option(help="CSV file with the feature group's history, as often as needed")
    ] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="Feature that is wanted, as often as needed; else all")
    ] = None,
    known_then: Annotated[
        bool, typer.Option("--known-then", help="Leave out what was written only after a label's time")
    ] = False,
    output: Annotated[Path, typer.Option(help="File that gets the training set")] = Path("training.csv"),
    table: Annotated[str | None, typer.Option("--sql", help="Print the query for this table in Athena instead")] = None,
    query: Annotated[bool, typer.Option("--query", help="Ask the offline store in Athena, and no --records")] = False,
    group: Annotated[str | None, typer.Option(help="Feature group that --query asks; else the project's")] = None,
    stack: StackName = "signalbox",
) -> None:
    """Join labels with the features of their records as they were at each label's time, and nothing of later.

    With --query, the history is the offline store's. With --sql, LABELS is the name of a table in Athena, too.
    """
    definition, wanted = reading.read(folder), WantedSet(time, tuple(feature or ()), known_then)
    if table:
        typer.echo(training_sets.sql(definition, table, str(labels), wanted), nl=False)
        return
    if query:
        desk = queries.desk(account.session(), stack, told=lambda text: errors.print(shown(text)))
        found = queries.table_of(group or definition.group, account.client("sagemaker"))
        count = training_sets.ask(definition, labels, found, desk, wanted, output)
    else:
        count = training_sets.write(definition, labels, records or [], wanted, output)
    console.print(shown(f"{count:,} rows in {output}"))
