"""The demo from its beginning to its end: deployment, two models released, their predictions, a change pushed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_local.process import LocalCloud
from signalbox_local import deploy
from signalbox_local.demo import data as tables
from signalbox_local.demo import pushing
from signalbox_local.demo.reviewers import AutomaticReviewer, BrowserReviewer, can_open_browser
from signalbox_local.demo.steps import Demo, last_rows, package_test_data
from signalbox_local.demo.terminal import StepError, Terminal
from signalbox_local.project import ROOT, STATE

if TYPE_CHECKING:
    from signalbox_local.demo.reviewers import Reviewer

type Action = Callable[[Terminal, LocalCloud], None]

IRIS = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:demo"
STAGES = ["staging", "prod"]
_ROWS = 8
_CLOSE = 3.0


def deploy_stack(terminal: Terminal, cloud: LocalCloud) -> dict[str, str]:
    """Wait for the cloud, build and deploy the stack; return the stack's outputs."""
    with terminal.step("The local cloud answers") as step:
        cloud.wait()
        step.report(cloud.url)
    with terminal.step("sam build"):
        deploy.build(cloud.environment)
    with terminal.step("sam deploy") as step:
        outputs = deploy.deploy(cloud, deploy.parameters(cloud))
        step.report(f"stack {outputs['Prefix']}, IAM enforced")
    return outputs


def run(terminal: Terminal, cloud: LocalCloud, given: Path | None, *, automatic: bool) -> None:
    """Run the whole demo; `automatic` approves without the user.

    Raises:
        StepError: a step did not complete, or most predictions of a live model are wrong.
    """
    terminal.heading("A local cloud: no AWS account, no Docker, no network")
    outputs = deploy_stack(terminal, cloud)
    reviewer: Reviewer = AutomaticReviewer()
    if not automatic and can_open_browser():
        reviewer = BrowserReviewer(f"{cloud.url}/_local/inbox", terminal)
    demo = Demo(cloud, terminal, reviewer, outputs)
    _abalone(demo, given)
    _iris(demo)
    pushing.push(demo, STATE / "demo" / "push")
    _end(terminal)


def _abalone(demo: Demo, given: Path | None) -> None:
    demo.terminal.heading("Data is uploaded: abalone, whose age (rings) is predicted from size and weight")
    folder = STATE / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    table = tables.find(given, folder)
    demo.terminal.note(f"Data: {table.origin}.")
    with demo.terminal.step("signalbox deploy projects/abalone") as step:
        told = demo.signalbox("deploy", str(ROOT / "projects/abalone")).splitlines()
        step.report(next(line for line in told if line.startswith("pipeline ")).split(";")[0])
    demo.run_pipeline(table.path)
    demo.review_and_release("abalone", STAGES)
    place = package_test_data(demo.client("sagemaker"), f"{demo.outputs['Prefix']}-abalone")
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    rows = last_rows(demo.client("s3"), bucket, prefix, _ROWS)
    answers = demo.predict("prod", "abalone", [",".join(row[1:]) for row in rows])
    lines = [[",".join(row[1:]), row[0], f"{float(got):.1f}"] for row, got in zip(rows, answers, strict=True)]
    demo.terminal.table("Predictions of prod for rows of the test data", ["shell", "rings", "predicted"], lines)
    close = sum(abs(float(row[0]) - float(got)) <= _CLOSE for row, got in zip(rows, answers, strict=True))
    demo.terminal.note(f"{close} of {len(rows)} within {_CLOSE:.0f} rings of the label.")
    if close * 2 <= len(rows):
        raise StepError("most predictions are more than 3 rings off: the released model is not the one that was tested")


def _iris(demo: Demo) -> None:
    demo.terminal.heading("An image is trained: a decision tree for iris")
    folder = STATE / "demo" / "iris"
    maker = ROOT / "projects" / "iris" / "data.py"
    subprocess.run([sys.executable, str(maker), str(folder)], check=True)  # our own program
    with demo.terminal.step("signalbox deploy projects/iris") as step:
        step.report(demo.signalbox("deploy", str(ROOT / "projects/iris")).splitlines()[-1])
    demo.train_image("iris", IRIS, "0a1b2c3", folder)
    demo.review_and_release("iris", STAGES)
    rows = last_rows(demo.client("s3"), demo.outputs["DataBucket"], "models/iris/test/", _ROWS)
    answers = demo.predict("prod", "iris", [",".join(row[1:]) for row in rows])
    lines = [[",".join(row[1:]), row[0], got] for row, got in zip(rows, answers, strict=True)]
    demo.terminal.table("Predictions of prod for rows of the test data", ["flower", "kind", "predicted"], lines)
    right = sum(row[0] == got for row, got in zip(rows, answers, strict=True))
    demo.terminal.note(f"{right} of {len(rows)} right.")
    if right * 2 <= len(rows):
        raise StepError("most predictions are wrong: the released model is not the one that was tested")


def _end(terminal: Terminal) -> None:
    terminal.panel(
        f"Done in {terminal.seconds:.0f} seconds. ",
        ("make up", "bold"),
        " keeps such a cloud running; ",
        ("sam build && sam deploy --guided", "bold"),
        " deploys the same stack to AWS.",
    )
