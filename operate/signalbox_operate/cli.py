"""The commands. Each reads the stack, makes one call into its module, and says what happened."""

import functools
import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from projects.abalone.pipeline import definition as abalone
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from signalbox import moments, plain
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.training import PROBLEMS
from signalbox.reviews.model import DecisionNotPassedOnError
from signalbox.uploads.model import Upload
from signalbox_operate import __version__, account, refusals, start, status, uploads
from signalbox_operate import decide as decisions
from signalbox_operate import invoke as invocation
from signalbox_operate import publish as publication
from signalbox_operate import stack as stacks
from signalbox_operate.pipelines import PipelineError, UnknownRegionError
from signalbox_operate.stack import OperateError, Stack

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
# Nothing that is printed is markup: keys, names and what AWS says are shown as they are, with their brackets.
console = Console(soft_wrap=True, markup=False)
errors = Console(stderr=True, soft_wrap=True, markup=False)

StackName = Annotated[str, typer.Option("--stack", envvar="SIGNALBOX_STACK", help="Name of the deployed stack")]
ModelName = Annotated[str | None, typer.Option(help="Short name of the model")]
Prefix = Annotated[str, typer.Option(help="Where the stack watches: its parameter UploadPrefix")]


class Decision(StrEnum):
    """What somebody decides about a review."""

    APPROVE = "approve"
    REJECT = "reject"


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
_SHOWN = 20  # waiting uploads


def _version(asked: bool) -> None:
    """Print the version and end, where it is asked for."""
    if asked:
        console.print(f"signalbox {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,  # its callback does it all
) -> None:
    """Operate Signalbox on AWS, or on the local cloud."""


def client(service: str) -> Any:
    """Return a client for the command's account and region.

    Raises:
        OperateError: the address that stands for AWS is none.
    """
    try:
        return account.session().client(service)  # type: ignore[call-overload]  # the name is a variable here
    except ValueError as error:
        raise OperateError(f"{error}: correct AWS_ENDPOINT_URL, such as http://127.0.0.1:4566, or unset it") from error


def _shown(text: str) -> str:
    """Return text of strangers, such as a file's name, as a terminal may have it: without control characters."""
    return plain.line(text)


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command under its function's name; what it cannot do is said in one sentence, with exit code 1."""
    chosen = account.chosen(function)

    @app.command(function.__name__.removeprefix("show_"))
    @functools.wraps(chosen)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            chosen(*arguments, **options)
        except (*_FAILURES, ClientError, BotoCoreError, Boto3Error) as error:
            errors.print(Text("error:", "red"), _shown(refusals.sentence(error)))
            raise typer.Exit(1) from error

    return run


def _stack(name: str) -> Stack:
    return stacks.read(name, client("cloudformation"))


def _region() -> str:
    region = account.session().region_name
    if not region:
        raise OperateError(refusals.NO_REGION)
    return str(region)


@_command
def publish(
    model: Annotated[str, typer.Argument(help=f"One of: {', '.join(publication.CODE)}")],
    stack: StackName = "signalbox",
    xgboost_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
    scikit_learn_image: Annotated[str | None, typer.Option(help="Full URI, in place of the region's own image")] = None,
) -> None:
    """Upload a model's job code, and create or update the pipeline that uploads start."""
    if model not in publication.CODE:
        raise OperateError(f"there is no pipeline {model!r}: the pipelines are {', '.join(publication.CODE)}")
    found, region = _stack(stack), _region()
    bucket, role = found.output("ArtifactsBucket"), found.output("PipelineRoleArn")
    uri = f"s3://{bucket}/{publication.folder(model)}"
    settings = publication.settings(
        found, model, uri, region, xgboost_image=xgboost_image, scikit_learn_image=scikit_learn_image
    )
    definition = abalone.definition(settings)  # wrong settings stop here, before anything is written
    publication.upload_code(model, bucket, client("s3"))
    outcome = publication.put_pipeline(settings.name, role, definition, client("sagemaker"))
    console.print(f"pipeline {settings.name} {outcome}; its code is under {uri}")


@_command
def train(
    *,
    image: Annotated[str, typer.Option(help="URI of the image that trains and serves")],
    commit: Annotated[str, typer.Option(help="Commit id that the image was built from")],
    problem: Annotated[str, typer.Option(help=f"What the model answers, one of: {', '.join(PROBLEMS)}")],
    stack: StackName = "signalbox",
    model: ModelName = None,
    hyperparameter: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    attempt: Annotated[int, typer.Option(min=1, help="Higher than last time: train the same image once more")] = 1,
    max_payload_mb: Annotated[int | None, typer.Option(min=1, max=100, help="Largest request of the test")] = None,
) -> None:
    """Train an image: from there to a model package that waits for its review."""
    wrong = [given for given in hyperparameter or [] if "=" not in given]
    if wrong:
        raise OperateError(f"hyperparameter {wrong[0]!r} has to be NAME=VALUE")
    values = dict(given.split("=", 1) for given in hyperparameter or [])
    if problem not in PROBLEMS:
        raise OperateError(f"problem {problem!r} is none: give one of {', '.join(PROBLEMS)}")
    training = start.Training(image, commit, problem, model, values, attempt, max_payload_mb)
    found = _stack(stack)
    start.check(training, found, ObjectStore(client("s3")))
    arn, before = start.start_training(training, found.output("MlopsMachineArn"), client("stepfunctions"))
    if before:
        console.print(f"this image and commit were started before and are {before} (--attempt 2 trains once more)")
    else:
        console.print("started")
    console.print(arn)


@_command
def upload(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Files of data")],
    stack: StackName = "signalbox",
    prefix: Prefix = "incoming/",
) -> None:
    """Upload data; each upload starts a run of the pipeline, or joins the next one."""
    bucket = _stack(stack).output("DataBucket")
    for key in start.upload_files(files, bucket, prefix, client("s3")):
        console.print(f"s3://{bucket}/{key}")


@_command
def decide(
    package: Annotated[
        str, typer.Argument(help="Package as its mail names it, such as signalbox-abalone/3; or its ARN")
    ],
    decision: Annotated[Decision, typer.Argument(help="What to decide")],
    *,
    stack: StackName = "signalbox",
    stage: Annotated[str | None, typer.Option(help="Decide the release to this stage, not the package")] = None,
    reason: Annotated[str, typer.Option(help="Why: needed to reject, kept with the decision")] = "",
) -> None:
    """Approve or reject what waits for a review: in the name of whoever is signed in to AWS, without a mail's word."""
    asked = decisions.Asked(package, stage, approved=decision is Decision.APPROVE, reason=reason)
    said = decisions.decide(asked, decisions.signed(_stack(stack), client))
    console.print(_shown(said))


@_command
def show_uploads(
    file: Annotated[
        str | None, typer.Argument(help="An S3 URI, a key, or the file that was uploaded; without it: all that waits")
    ] = None,
    stack: StackName = "signalbox",
    prefix: Prefix = "incoming/",
) -> None:
    """Show which run took a file and what became of it, or what waits for a run and why."""
    found = _stack(stack)
    table = uploads.table(found, client("dynamodb"))
    if file is None:
        _show_waiting(*uploads.waiting(table))
        return
    bucket, key = uploads.place(file, found.output("DataBucket"), prefix)
    for fate in uploads.fates(bucket, key, table):
        size, by = f"{fate.upload.size:,} bytes", f", by {_shown(fate.upload.by)}" if fate.upload.by else ""
        console.print(f"{_local(fate.upload.recorded_at)}  {size}, version {_shown(fate.upload.version)}{by}")
        taken = f"run {fate.upload.run}: " if fate.upload.run else ""
        console.print(
            Text.assemble(f"  {taken}", _state(fate.state), f": {_shown(fate.detail)}" if fate.detail else "")
        )


def _show_waiting(waiting: Sequence[Upload], reason: str) -> None:
    if not waiting:
        console.print("no upload waits")
        return
    console.print(f"{len(waiting):,} waiting: {_shown(reason)}")
    for upload in waiting[:_SHOWN]:
        console.print(f"{_local(upload.recorded_at)}  s3://{upload.bucket}/{_shown(upload.key)}")
    if len(waiting) > _SHOWN:
        console.print(f"and {len(waiting) - _SHOWN:,} later ones")


def _state(state: str) -> Text:
    return Text(state, _STATES.get(state, "yellow"))


def _local(text: str) -> str:
    """Return the moment in a text as a clock on the wall shows it."""
    return moments.moment_of(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


@_command
def invoke(
    stage: Annotated[str, typer.Argument(help="Name of a stage, such as prod")],
    *,
    stack: StackName = "signalbox",
    model: ModelName = None,
    data: Annotated[str | None, typer.Option(help="The request's body")] = None,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File with the request's body")] = None,
    content_type: Annotated[str, typer.Option(help="The body's content type")] = "text/csv",
    api_url: Annotated[
        str | None, typer.Option(envvar="SIGNALBOX_API_URL", help="Where the API is reached under another address")
    ] = None,
) -> None:
    """Ask the live model of a stage."""
    if (data is None) == (file is None):
        raise OperateError("give the request's body, either with --data or with --file")
    body = file.read_bytes() if file else (data or "").encode()
    url = invocation.address(_invoke_url(_stack(stack), api_url), stage, model)
    _region()
    answer = invocation.invoke(url, body, content_type, account.session())
    text = answer.body.decode(errors="replace").rstrip("\n")
    if not answer.succeeded:
        raise OperateError(f"the API answered {answer.status}: {text}")
    typer.echo(text)


def _invoke_url(stack: Stack, given: str | None) -> str:
    """Return the address with `{stage}` in it; where another cloud stands for AWS, its own address of the API."""
    base = given or (stack.output("ReviewUrl") if os.environ.get("AWS_ENDPOINT_URL") else None)
    return f"{base.rstrip('/')}/stages/{{stage}}/invocations" if base else stack.output("InvokeUrl")


@_command
def show_status(stack: StackName = "signalbox") -> None:
    """Show what waits, what runs and what serves."""
    found, sagemaker = _stack(stack), client("sagemaker")
    lines = [
        *status.waiting_uploads(found, client("dynamodb")),
        *status.pipeline_runs(found, sagemaker),
        *status.open_executions(found, client("stepfunctions"), client("dynamodb")),
        *status.endpoints(found, sagemaker, client("ssm")),
    ]
    if not lines:
        console.print("nothing waits, nothing runs, nothing serves")
        return
    table = Table("what", Column("name", overflow="fold"), "state", "since")
    for line in lines:
        since = line.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(line.kind, line.name, _state(line.state), since)
    console.print(table)
    for line in lines:
        if line.detail:
            console.print(f"{line.name}: {_shown(line.detail)}")
