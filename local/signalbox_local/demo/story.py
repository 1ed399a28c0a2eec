"""The story of the demo, from an empty machine to predictions of the live models."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from signalbox_local import deploy
from signalbox_local.demo import data as tables
from signalbox_local.demo.journey import Journey, last_rows, package_test_data
from signalbox_local.demo.narrator import Narrator, StepError
from signalbox_local.demo.visitor import PlayedVisitor, RealVisitor, somebody_is_there
from signalbox_local.process import ROOT, STATE, LocalCloud

if TYPE_CHECKING:
    from signalbox_local.demo.visitor import Visitor

type Act = Callable[[Narrator, LocalCloud], None]

IRIS = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:demo"
STAGES = ["staging", "prod"]
_ROWS = 8
_CLOSE = 3.0


def prepare(narrator: Narrator, cloud: LocalCloud) -> dict[str, str]:
    """Wait for the cloud, build and deploy the stack, publish the pipeline; return the stack's outputs."""
    with narrator.step("The local cloud answers") as step:
        cloud.wait()
        step.say(cloud.url)
    with narrator.step("sam build"):
        deploy.build(cloud.environment)
    with narrator.step("sam deploy") as step:
        outputs = deploy.deploy(cloud, deploy.parameters(cloud))
        step.say(f"stack {outputs['Prefix']}, IAM enforced")
    return outputs


def tell(narrator: Narrator, cloud: LocalCloud, given: Path | None, *, played: bool) -> None:
    """Tell the whole story.

    Raises:
        StepError: a step did not come to its end, or the live model's answers are not what they should be.
    """
    narrator.chapter("A cloud on this machine: no account, no Docker, no network")
    outputs = prepare(narrator, cloud)
    visitor: Visitor = PlayedVisitor()
    if not played and somebody_is_there():
        visitor = RealVisitor(f"{cloud.url}/_signalbox/inbox", narrator)
    journey = Journey(cloud, narrator, visitor, outputs)
    _abalone(journey, given)
    _iris(journey)
    _end(narrator)


def _abalone(journey: Journey, given: Path | None) -> None:
    journey.narrator.chapter("Data is uploaded: abalone, age from size and weight")
    folder = STATE / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    table = tables.find(given, folder)
    journey.narrator.tell(f"Data: {table.origin}.")
    with journey.narrator.step("signalbox publish abalone") as step:
        step.say(journey.signalbox("publish", "abalone").split(";")[0])
    journey.run_pipeline(table.path)
    journey.review_and_release("abalone", STAGES)
    place = package_test_data(journey.client("sagemaker"), f"{journey.outputs['Prefix']}-abalone")
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    rows = last_rows(journey.client("s3"), bucket, prefix, _ROWS)
    answers = journey.predict("prod", "abalone", [",".join(row[1:]) for row in rows])
    lines = [[",".join(row[1:]), row[0], f"{float(got):.1f}"] for row, got in zip(rows, answers, strict=True)]
    journey.narrator.table("Predictions from prod, for shells it never saw", ["shell", "rings", "predicted"], lines)
    close = sum(abs(float(row[0]) - float(got)) <= _CLOSE for row, got in zip(rows, answers, strict=True))
    journey.narrator.tell(f"{close} of {len(rows)} within {_CLOSE:.0f} rings of the truth.")
    if close * 2 <= len(rows):
        raise StepError("most predictions are more than 3 rings off: the released model is not the one that was tested")


def _iris(journey: Journey) -> None:
    journey.narrator.chapter("An image is trained by hand: a decision tree for iris")
    folder = STATE / "demo" / "iris"
    maker = ROOT / "projects" / "iris" / "data.py"
    subprocess.run([sys.executable, str(maker), str(folder)], check=True)  # our own program
    journey.train_image(IRIS, "0a1b2c3", folder, "max_leaf_nodes=4")
    journey.review_and_release("iris-decision-tree", STAGES)
    rows = last_rows(journey.client("s3"), journey.outputs["DataBucket"], "models/iris-decision-tree/test/", _ROWS)
    answers = journey.predict("prod", "iris-decision-tree", [",".join(row[1:]) for row in rows])
    lines = [[",".join(row[1:]), row[0], got] for row, got in zip(rows, answers, strict=True)]
    journey.narrator.table("Predictions from prod, for flowers it never saw", ["flower", "kind", "predicted"], lines)
    right = sum(row[0] == got for row, got in zip(rows, answers, strict=True))
    journey.narrator.tell(f"{right} of {len(rows)} right.")
    if right * 2 <= len(rows):
        raise StepError("most predictions are wrong: the released model is not the one that was tested")


def _end(narrator: Narrator) -> None:
    narrator.panel(
        f"Done in {narrator.seconds:.0f} seconds. "
        "[bold]make up[/bold] keeps such a cloud running; "
        "[bold]sam build && sam deploy --guided[/bold] deploys the same stack to AWS."
    )
