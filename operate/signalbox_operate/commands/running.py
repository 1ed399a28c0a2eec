"""See the runs of pipelines and what their jobs have written; start one by hand."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, executing, rerunning, runs
from signalbox_operate import logs as job_logs
from signalbox_operate.commands.terminal import (
    Json,
    StackName,
    console,
    moment,
    pairs,
    print_json,
    print_table,
    shown,
    stack_of,
    state,
)
from signalbox_operate.features import reports
from signalbox_operate.runs import PipelineRun, Step
from signalbox_operate.stack import Stack

_SHOWN = 20  # uploads of a run
_SHORT = 12  # characters of a commit


def show_runs(
    run: Annotated[str | None, typer.Argument(help="Name of a run: its steps; without it: the newest runs")] = None,
    *,
    stack: StackName = "signalbox",
    most: Annotated[int, typer.Option(min=1, help="How many runs are shown")] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest runs of all pipelines, or the steps of one."""
    found = stack_of(stack)
    if run is not None:
        _show_run(runs.find(run, found, account.client("sagemaker"), account.client("dynamodb")), found, as_json)
        return
    listed = runs.newest(found, account.client("sagemaker"), account.client("dynamodb"), most)
    if as_json:
        print_json(listed)
        return
    if not listed:
        console.print("no pipeline has run")
        return
    print_table(
        ("run", "status", "started", "uploads"),
        [[one.name, state(one.status), moment(one.since), _count(one)] for one in listed],
    )
    for one in listed:
        if pushed := _pushed(one):
            console.print(f"{one.name}: {', '.join(pushed)}")
        if one.reason:
            console.print(f"{one.name}: {shown(one.reason)}")


def _count(run: PipelineRun) -> str:
    if run.repeats:
        return "again"
    return "by hand" if run.uploads is None else f"{run.uploads:,}"


def _pushed(run: PipelineRun) -> list[str]:
    """Return what there is to say of a run that a push asked for: which run's uploads it has again, and the commit."""
    again = [f"again: {run.repeats}"] if run.repeats else []
    return [*again, f"commit {run.commit[:_SHORT]}"] if run.commit else again


def _show_run(run: PipelineRun, stack: Stack, as_json: bool) -> None:
    sagemaker = account.client("sagemaker")
    taken = runs.uploads(run, stack, account.client("dynamodb"))
    given, steps = runs.parameters(run, sagemaker), runs.steps(run, sagemaker)
    made = reports.glance(run, stack, account.client("ssm"), ObjectStore(account.client("s3")))
    if as_json:
        features = made._asdict() if made else None
        print_json({"run": run, "uploads": taken, "parameters": given, "steps": steps, "features": features})
        return
    reason = f": {shown(run.reason)}" if run.reason else ""
    console.print(Text.assemble(f"{run.name}  ", state(run.status), f"  since {moment(run.since)}{reason}"))
    for line in _pushed(run):
        console.print(line)
    for upload in taken[:_SHOWN]:
        console.print(f"upload s3://{upload.bucket}/{shown(upload.key)}")
    if len(taken) > _SHOWN:
        console.print(f"and {len(taken) - _SHOWN:,} later ones")
    for name, value in given.items():
        console.print(f"parameter {name} = {shown(value)}")
    if steps:
        print_table(
            ("step", "status", "seconds", "job"),
            [[step.name, state(step.status), _seconds(step), step.job] for step in steps],
        )
    for step in steps:
        if step.reason:
            console.print(f"{step.name}: {shown(step.reason)}")
    if made:
        console.print(f"features: {shown(made.told)}; `signalbox features report {run.name}` has the plots")


def _seconds(step: Step) -> str:
    if step.started is None:
        return ""
    ended = step.ended or datetime.now(step.started.tzinfo)
    return f"{(ended - step.started).total_seconds():,.0f}"


def logs(
    name: Annotated[
        str, typer.Argument(help="A run, a training (as `status` and `runs` name them), or one job of SageMaker")
    ],
    *,
    stack: StackName = "signalbox",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until everything has ended")] = False,
    as_json: Json = False,
) -> None:
    """Show what the jobs of a run, of a training, or one job have written."""
    look = job_logs.look(name, stack_of(stack), account.client)
    job = ""
    for line in job_logs.read(look, account.client("logs"), follow=follow):
        if as_json:
            print_json(line, indent=None)
            continue
        if line.job != job:
            job = line.job
            console.print(f"==> {job} <==")
        console.print(shown(line.text))


def rerun(
    run: Annotated[str, typer.Argument(help="A run that failed or was stopped, as `runs` names it")],
    *,
    stack: StackName = "signalbox",
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Key of an upload to leave out, as often as needed")
    ] = None,
) -> None:
    """Run the uploads of a run again that did not succeed, together with what came since."""
    found, dynamodb = stack_of(stack), account.client("dynamodb")
    asked = runs.find(run, found, account.client("sagemaker"), dynamodb)
    table = Table(found.output("UploadsTable"), dynamodb)
    uploads = UploadsTable(table, asked.pipeline)
    failed = rerunning.source(asked, uploads)
    chosen = rerunning.chosen(failed, without or (), uploads)
    moved = rerunning.give_back(failed, chosen, table, datetime.now(UTC))
    rerunning.ask(found, asked.pipeline, account.client("sqs"))
    console.print(f"{moved:,} uploads of {failed.id} wait again: `signalbox uploads` shows them until a run takes them")
    if moved < len(chosen):
        console.print(f"{len(chosen) - moved:,} others wait already, or are in a later run")


def start(
    pipeline: Annotated[str, typer.Argument(help="A pipeline: its SageMaker name, with or without the stack's prefix")],
    *,
    stack: StackName = "signalbox",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, as often as needed")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the run is called; SageMaker's id without it")] = None,
    as_json: Json = False,
) -> None:
    """Start a pipeline by hand, with its parameters' defaults or others."""
    sagemaker = account.client("sagemaker")
    found = executing.find(pipeline, stack_of(stack), sagemaker)
    arn = executing.start(found, pairs("parameter", parameter), name, sagemaker)
    if as_json:
        print_json({"pipeline": found, "execution": arn})
        return
    console.print(f"started: signalbox runs {name or arn.rpartition('/')[2]} shows how it stands")
    console.print(arn)
