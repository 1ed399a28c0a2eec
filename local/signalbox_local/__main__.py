"""`python -m signalbox_local demo` runs the demo; `up` keeps a deployed cloud running, and `env` says how to use it."""

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sagemaker_local.codecommit.credentials import git_variables
from sagemaker_local.direct import without_proxy
from sagemaker_local.process import CloudError, LocalCloud, PortTakenError
from sagemaker_local.server import free_port
from signalbox_local import project, shell
from signalbox_local.browser import PageError
from signalbox_local.demo import scenario
from signalbox_local.demo.terminal import StepError, Terminal
from signalbox_local.deploy import SamError
from signalbox_local.project import ROOT, ProjectCloud, options

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
_PORT = 4566


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Your own copy of abalone.data")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Let the demo approve for you")] = False,
) -> None:
    """Run the demo: upload, train, review, release to staging and prod, predict; then push a change."""
    _run(lambda terminal, cloud: scenario.run(terminal, cloud, data, automatic=yes), port=0)


@app.command()
def up(port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one")] = _PORT) -> None:
    """Start the local cloud, deploy the stack into it, and keep it up until Ctrl-C."""
    _run(_keep_up, port=port)


@app.command()
def env() -> None:
    """Print what a shell runs to work with the cloud that is up: eval "$(make -s env)"."""
    try:
        typer.echo(shell.commands(shell.read(), os.environ))
    except shell.NoCloudError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _keep_up(terminal: Terminal, cloud: LocalCloud) -> None:
    scenario.deploy_stack(terminal, cloud)
    terminal.heading("The cloud is up. In another terminal")
    terminal.console.print(
        f"cd {shlex.quote(str(ROOT))}", 'eval "$(make -s env)"', "signalbox deploy projects/abalone", sep="\n"
    )
    terminal.panel(f"Mails arrive at {cloud.url}/_local/inbox\nCtrl-C takes everything down.")
    # So that git finds a repository of CodeCommit here under its address on AWS.
    git = git_variables(here=cloud.url)
    with shell.told({**cloud.environment, **git}, cloud.log.with_name(shell.FILE)):
        cloud.join()


def _run(action: scenario.Action, port: int) -> None:
    terminal = Terminal()
    chosen = options(port or free_port())
    project.clear()
    # Also where a shell started us in the background, which makes programs deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.update(without_proxy(os.environ))
    try:
        with terminal.step("The local cloud starts"):
            cloud = ProjectCloud(chosen)
        with cloud:
            action(terminal, cloud)
    except KeyboardInterrupt:
        terminal.note("Stopped; everything is taken down.")
        raise typer.Exit(130) from None
    except PermissionError as error:
        terminal.error("No right to write", f"{error.filename}: give yourself that right, or clone Signalbox elsewhere")
        raise typer.Exit(1) from None
    except PortTakenError as error:
        terminal.error("No second cloud", str(error))
        raise typer.Exit(1) from None
    except (StepError, SamError, CloudError, PageError) as error:
        terminal.error(type(error).__name__, str(error))
        terminal.note(f"The cloud's log: {chosen.folder / 'cloud.log'}")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app(prog_name="signalbox_local")
