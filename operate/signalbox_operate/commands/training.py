"""Train an image."""

from dataclasses import replace
from typing import Annotated

import typer

from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.problems import PROBLEMS
from signalbox_operate import account, start
from signalbox_operate.commands.terminal import ModelName, StackName, console, pairs, stack_of
from signalbox_operate.stack import OperateError


def train(
    *,
    commit: Annotated[str, typer.Option(help="Commit id that the image was built from")],
    image: Annotated[str | None, typer.Option(help="URI of the image; else the one of the model's project")] = None,
    problem: Annotated[
        str | None, typer.Option(help=f"One of: {', '.join(PROBLEMS)}; else that of the model's project")
    ] = None,
    stack: StackName = "signalbox",
    model: ModelName = None,
    hyperparameter: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    attempt: Annotated[int, typer.Option(min=1, help="Higher than last time: train the same image once more")] = 1,
    max_payload_mb: Annotated[int | None, typer.Option(min=1, max=100, help="Largest request of the test")] = None,
) -> None:
    """Train an image: from there to a model package that waits for its review."""
    values = pairs("hyperparameter", hyperparameter)
    if problem is not None and problem not in PROBLEMS:
        raise OperateError(f"problem {problem!r} is none: give one of {', '.join(PROBLEMS)}")
    found = stack_of(stack)
    known = start.known(model, found.output("Prefix"), account.client("ssm"))
    training = start.wanted(start.Given(image, commit, problem, model, values, attempt, max_payload_mb), known)
    start.check(training, found, ObjectStore(account.client("s3")), account.client("ssm"))
    training = replace(training, started_by=str(account.client("sts").get_caller_identity()["Arn"]))
    arn, before = start.start_training(training, found.output("MlopsMachineArn"), account.client("stepfunctions"))
    if before:
        console.print(f"this image and commit were started before and are {before} (--attempt 2 trains once more)")
    else:
        console.print("started")
    console.print(arn)
