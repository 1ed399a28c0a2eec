"""`python -m signalbox_local demo` runs the whole journey; `up` keeps a deployed cloud running."""

import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sagemaker_local.process import CloudError, LocalCloud
from signalbox_local.demo import story
from signalbox_local.demo.narrator import Narrator, StepError
from signalbox_local.deploy import SamError
from signalbox_local.person import PageError
from signalbox_local.project import STATE, ProjectCloud, options

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
_PORT = 4566


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Your own copy of abalone.data")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Let the demo click for you")] = False,
) -> None:
    """Run the main job: upload, train, review, release to staging and prod, predict."""
    _told(lambda narrator, cloud: story.tell(narrator, cloud, data, played=yes), port=0)


@app.command()
def up(port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one")] = _PORT) -> None:
    """Start the local cloud, deploy the stack into it, and keep it up until Ctrl-C."""
    _told(_stay, port=port)


def _stay(narrator: Narrator, cloud: LocalCloud) -> None:
    story.prepare(narrator, cloud)
    narrator.chapter("The cloud is up. In another terminal")
    for name, value in cloud.environment.items():
        narrator.console.print(f"export {name}={value}", markup=False)
    narrator.console.print("operate/signalbox publish abalone")
    narrator.panel(f"Mails arrive at {cloud.url}/_local/inbox\nCtrl-C takes everything down.")
    signal.pause()


def _told(act: story.Act, port: int) -> None:
    narrator = Narrator()
    shutil.rmtree(STATE / "cloud", ignore_errors=True)
    # Also where a shell started us in the background, which makes programs deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with narrator.step("The local cloud starts"):
            cloud = ProjectCloud(options(port))
        with cloud:
            act(narrator, cloud)
    except KeyboardInterrupt:
        narrator.tell("Stopped; everything is taken down.")
        raise typer.Exit(130) from None
    except (StepError, SamError, CloudError, PageError) as error:
        narrator.console.print(f"[red]{type(error).__name__}[/red]: {error}", markup=True, highlight=False)
        narrator.tell(f"The cloud's log: {STATE / 'cloud' / 'cloud.log'}")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app(prog_name="signalbox_local")
