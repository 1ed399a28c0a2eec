"""A thousand shards of one data set, uploaded over two minutes, are one run, one model and one mail."""

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sagemaker_local import inbox
from signalbox_local.demo.data import seeded
from signalbox_local.project import ROOT
from tests.system.world import World

SHARDS = 1_000
SECONDS = 120
# Longer than any gap between two uploads, also where the machine has other work.
QUIET = 15
PROJECT = f"""\
project: shards
uploads: {{prefix: incoming/shards/, quiet_seconds: {QUIET}}}
pipelines:
  shards:
    definition: pipeline/definition.py
    code: pipeline/code
    models: [shards]
"""


@pytest.fixture(scope="module")
def uploaded(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Deploy a project like abalone, upload its shards, and return their keys."""
    folder = tmp_path_factory.mktemp("shards") / "shards"
    shutil.copytree(ROOT / "projects" / "abalone", folder)
    (folder / "signalbox.yaml").write_text(PROJECT)
    world.signalbox("deploy", str(folder))
    shards = in_shards(rows())
    put_over_time(world, shards)
    return list(shards)


def rows() -> list[str]:
    """Return abalone's rows: the real ones where they lie beside the project, else made-up ones."""
    real = ROOT.parent / "shared" / "data" / "abalone.data"
    return (real.read_text() if real.is_file() else seeded()).splitlines(keepends=True)


def in_shards(lines: Sequence[str]) -> dict[str, str]:
    """Return the content of each shard by its key."""
    return {f"incoming/shards/{number:04d}.csv": "".join(lines[number::SHARDS]) for number in range(SHARDS)}


def put_over_time(world: World, contents: dict[str, str]) -> None:
    """Upload the files, evenly over the time."""
    s3, began, pause = world.client("s3"), time.monotonic(), SECONDS / len(contents)

    def put(number: int, key: str) -> None:
        time.sleep(max(0.0, began + number * pause - time.monotonic()))
        s3.put_object(Bucket=world.outputs["DataBucket"], Key=key, Body=contents[key].encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(len(contents)), contents))


def test_a_thousand_shards_are_one_run_one_model_and_one_mail(world: World, uploaded: list[str]) -> None:
    asked = world.mail("approve", "shards version 1")

    runs = [line.split("\t") for line in world.signalbox("runs").decode().splitlines() if "-shards-" in line]
    assert [(status, number) for _, status, _, number in runs] == [("Succeeded", f"{len(uploaded):,}")]
    assert len(world.packages("shards")) == 1
    assert len(world.mails("shards")) == 1
    assert "Training rows: " in inbox.text(asked)
    world.reject(asked, "The scenario is over")
