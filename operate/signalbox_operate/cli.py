"""The command line: which commands there are, in the order of its help."""

from typing import Annotated

import typer

from signalbox_operate import __version__
from signalbox_operate.commands import beginning, invoking, publishing, reviewing, training, uploading, watching
from signalbox_operate.commands.terminal import command, console

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# A command has its function's name; `show_` keeps those apart from modules of the same name.
COMMANDS = (
    beginning.new,
    publishing.publish,
    training.train,
    uploading.upload,
    reviewing.decide,
    uploading.show_uploads,
    invoking.invoke,
    watching.show_status,
)


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


for _function in COMMANDS:
    app.command(_function.__name__.removeprefix("show_"))(command(_function))
