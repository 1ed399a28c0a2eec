"""See what the whole stack does, and what it lacks."""

import webbrowser
from typing import Annotated

import typer
from rich.text import Text

from signalbox_operate import account, addresses, diagnosis, status, uploads
from signalbox_operate.commands.terminal import (
    Json,
    StackName,
    console,
    moment,
    print_json,
    print_table,
    region,
    shown,
    stack_of,
    state,
)


def show_status(*, stack: StackName = "signalbox", as_json: Json = False) -> None:
    """Show what waits, what runs and what serves."""
    found, sagemaker = stack_of(stack), account.client("sagemaker")
    of_stack = uploads.of_stack(found, account.client("dynamodb"), account.client("ssm"), lambda: account.client("s3"))
    lines = [
        *status.waiting_uploads(of_stack),
        *status.pipeline_runs(of_stack, sagemaker),
        *status.open_executions(found, account.client("stepfunctions"), account.client("dynamodb")),
        *status.endpoints(found, sagemaker, account.client("ssm")),
    ]
    if as_json:
        print_json(lines)
        return
    if not lines:
        console.print("nothing waits, nothing runs, nothing serves")
        return
    print_table(
        ("what", "name", "state", "since"),
        [[line.kind, line.name, state(line.state), moment(line.since)] for line in lines],
    )
    for line in lines:
        if line.detail:
            console.print(f"{line.name}: {shown(line.detail)}")


_COLOURS = {"ok": "green", "missing": "red", "unknown": "yellow"}


def show_doctor(*, stack: StackName = "signalbox", as_json: Json = False) -> None:
    """Say what is missing before the stack does its work, and what to do; ends with 1 where something is."""
    findings = list(diagnosis.look(stack_of(stack), account.client))
    if as_json:
        print_json(findings)
    for one in () if as_json else findings:
        told = f": {shown(one.then)}" if one.then else ""
        console.print(Text.assemble((f"{one.state:8}", _COLOURS[one.state]), f"{shown(one.what)}{told}"))
    if any(one.state == "missing" for one in findings):
        raise typer.Exit(1)


def open_page(
    what: Annotated[str, typer.Argument(help="stack, uploads, trainings, releases or endpoints")] = "stack",
    stack: StackName = "signalbox",
) -> None:
    """Open a page of the console, or the local cloud's inbox, in a browser; its address is printed."""
    address = addresses.of(what, stack_of(stack), region())
    console.print(address)
    webbrowser.open(address)  # where there is none, the address is all that can be done
