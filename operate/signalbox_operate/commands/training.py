"""Train an image."""

from typing import Annotated

import typer

from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.problems import PROBLEMS
from signalbox_operate import account, start
from signalbox_operate.commands.terminal import ModelName, StackName, console, stack_of
from signalbox_operate.stack import OperateError


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
    found = stack_of(stack)
    start.check(training, found, ObjectStore(account.client("s3")), account.client("ssm"))
    arn, before = start.start_training(training, found.output("MlopsMachineArn"), account.client("stepfunctions"))
    if before:
        console.print(f"this image and commit were started before and are {before} (--attempt 2 trains once more)")
    else:
        console.print("started")
    console.print(arn)
