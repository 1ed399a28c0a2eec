"""What the commands share: the options of several, the console, and how a failure is told."""

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from signalbox import moments, plain
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.reviews.model import DecisionNotPassedOnError
from signalbox_features.model import FeaturesError
from signalbox_operate import account, refusals
from signalbox_operate import stack as stacks
from signalbox_operate.pipelines import PipelineError, UnknownRegionError
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.stack import OperateError, Stack

# Nothing that is printed is markup: keys, names and what AWS says are shown as they are, with brackets and colons.
console = Console(soft_wrap=True, markup=False, emoji=False)
errors = Console(stderr=True, soft_wrap=True, markup=False, emoji=False)

StackName = Annotated[str, typer.Option("--stack", envvar="SIGNALBOX_STACK", help="Name of the deployed stack")]
ModelName = Annotated[str | None, typer.Option(help="Short name of the model")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
ProjectName = Annotated[str | None, typer.Option("--project", help="Name of the project")]
Prefix = Annotated[str | None, typer.Option(help="A place under the stack's UploadPrefix; else the project's own")]

_STATES = {"InService": "green", "Succeeded": "green", "Failed": "red", "OutOfService": "red"}

# What the commands' own modules say they cannot do.
_FAILURES = (
    OperateError,
    FeaturesError,
    PipelineError,
    UnknownRegionError,
    CallRefusedError,
    ServiceBusyError,
    DecisionNotPassedOnError,
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command its account and region; what it cannot do is said in one sentence, with exit code 1."""
    chosen = account.chosen(function)

    @functools.wraps(chosen)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            chosen(*arguments, **options)
        except (*_FAILURES, ClientError, BotoCoreError, Boto3Error) as error:
            for told in error.problems if isinstance(error, ProjectError) else [refusals.sentence(error)]:
                errors.print(Text("error:", "red"), shown(told))
            raise typer.Exit(1) from error

    return run


def stack_of(name: str) -> Stack:
    """Return the deployed stack of that name.

    Raises:
        OperateError: there is none, or it is not deployed to the end.
    """
    return stacks.read(name, account.client("cloudformation"))


def region() -> str:
    """Return the region that the command works in.

    Raises:
        OperateError: there is none.
    """
    found = account.session().region_name
    if not found:
        raise OperateError(refusals.NO_REGION)
    return str(found)


def shown(text: str) -> str:
    """Return text of strangers, such as a file's name, as a terminal may have it: without control characters."""
    return plain.line(text)


def pairs(what: str, given: Sequence[str] | None) -> dict[str, str]:
    """Return the values of an option that is given as `NAME=VALUE`, as often as needed.

    Raises:
        OperateError: a text has no name or no `=`, or a name is given twice.
    """
    values: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise OperateError(f"{what} {text!r} has to be NAME=VALUE")
        if name in values:
            raise OperateError(f"{what} {name!r} is given twice")
        values[name] = value
    return values


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print rows: within a terminal's width; for a pipe a line each, with tabs between cells and without headings."""
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(str(cell) for cell in row))
        return
    # The first column names the thing: it is folded, never cut, so that it can be copied.
    columns = [Column(heading, overflow="fold") for heading in headings]
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table, soft_wrap=False)


def print_json(value: object, indent: int | None = 2) -> None:
    """Print dataclasses, tuples, texts and times as JSON."""
    typer.echo(json.dumps(_plain(value), indent=indent, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value


def moment(at: datetime) -> str:
    """Return a moment as a clock on the wall shows it."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state(text: str) -> Text:
    """Return a state in its colour."""
    return Text(text, _STATES.get(text, "yellow"))


def local(text: str) -> str:
    """Return the moment in a text as a clock on the wall shows it."""
    return moment(moments.moment_of(text))
