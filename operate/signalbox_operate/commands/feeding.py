"""Put the data that a container is trained and tested on."""

from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate.commands.terminal import StackName, console, shown, stack_of
from signalbox_operate.datasets import files, putting
from signalbox_operate.datasets.model import TEST, TRAIN
from signalbox_operate.projects import reading
from signalbox_operate.stack import OperateError


def data(context: typer.Context, stack: StackName = "signalbox") -> None:
    """Place the data of containers."""
    if not context.invoked_subcommand:
        raise OperateError(f"say what to do with data in {stack}: `signalbox data put --help`")


def put(
    model: Annotated[str, typer.Argument(help="Name of the model")],
    *,
    stack: StackName = "signalbox",
    train: Annotated[
        list[Path] | None, typer.Option(help="File or folder with training data, as often as needed")
    ] = None,
    test: Annotated[list[Path] | None, typer.Option(help="File or folder with test data, as often as needed")] = None,
    folder: Annotated[
        Path, typer.Option(help="Project whose signalbox.yaml names them, where neither is given")
    ] = Path(),
    replace: Annotated[bool, typer.Option("--replace", help="Take away other files of the kinds that are put")] = False,
) -> None:
    """Check training and test data of a container, and put them where its training and its test find them.

    Where neither is given, all that its project names are put: those of further channels, too.
    """
    given = {TRAIN: train or [], TEST: test or []}
    if not train and not test:
        given = _named(model, folder)
    datasets = [files.collect(kind, paths) for kind, paths in given.items() if paths]
    found = stack_of(stack)
    training, content_type = putting.training_of(found.output("Prefix"), model, account.client("ssm"))
    for remark in putting.check(datasets, training.problem, content_type):
        console.print(shown(remark))
    for dataset in datasets:
        putting.put(
            model, dataset, found.output("DataBucket"), account.client("s3"), replace=replace, say=console.print
        )


def _named(model: str, folder: Path) -> dict[str, list[Path]]:
    container = reading.read(folder).container_of(model)
    named = {kind: [path] for kind, path in container.data.items()} if container else {}
    if not named:
        raise OperateError(
            f"give the files with --train and --test, or name them in signalbox.yaml for the model {model}"
        )
    return named
