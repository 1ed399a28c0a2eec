"""What the commands share: the options of several, the console, and how a failure is told."""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from signalbox import moments, plain
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.reviews.model import DecisionNotPassedOnError
from signalbox_operate import account, refusals
from signalbox_operate import stack as stacks
from signalbox_operate.pipelines import PipelineError, UnknownRegionError
from signalbox_operate.stack import OperateError, Stack

# Nothing that is printed is markup: keys, names and what AWS says are shown as they are, with their brackets.
console = Console(soft_wrap=True, markup=False)
errors = Console(stderr=True, soft_wrap=True, markup=False)

StackName = Annotated[str, typer.Option("--stack", envvar="SIGNALBOX_STACK", help="Name of the deployed stack")]
ModelName = Annotated[str | None, typer.Option(help="Short name of the model")]
Prefix = Annotated[str, typer.Option(help="Where the stack watches: its parameter UploadPrefix")]

_STATES = {"InService": "green", "Succeeded": "green", "Failed": "red", "OutOfService": "red"}

# What the commands' own modules say they cannot do.
_FAILURES = (
    OperateError,
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
            errors.print(Text("error:", "red"), shown(refusals.sentence(error)))
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


def state(text: str) -> Text:
    """Return a state in its colour."""
    return Text(text, _STATES.get(text, "yellow"))


def local(text: str) -> str:
    """Return the moment in a text as a clock on the wall shows it."""
    return moments.moment_of(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
