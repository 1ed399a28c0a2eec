"""Ask a live model."""

import os
from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate import invoke as invocation
from signalbox_operate.commands.terminal import ModelName, StackName, region, stack_of
from signalbox_operate.stack import OperateError, Stack


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
    url = invocation.address(_invoke_url(stack_of(stack), api_url), stage, model)
    region()
    answer = invocation.invoke(url, body, content_type, account.session())
    text = answer.body.decode(errors="replace").rstrip("\n")
    if not answer.succeeded:
        raise OperateError(f"the API answered {answer.status}: {text}")
    typer.echo(text)


def _invoke_url(stack: Stack, given: str | None) -> str:
    """Return the address with `{stage}` in it; where another cloud stands for AWS, its own address of the API."""
    base = given or (stack.output("ReviewUrl") if os.environ.get("AWS_ENDPOINT_URL") else None)
    return f"{base.rstrip('/')}/stages/{{stage}}/invocations" if base else stack.output("InvokeUrl")
