"""A thousand shards of one data set, uploaded over two minutes, are one run, one model and one mail, with bad ones too.

Two projects like abalone have such uploads at the same time. To one of them come also a file with a bad row and a
text, and a shard is deleted before its run.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagemaker_local import inbox
from signalbox_local.demo.data import seeded
from signalbox_local.project import ROOT
from tests.system.world import World

SHARDS = 1_000
SECONDS = 120
# Longer than any gap between two uploads, also where the machine has other work.
QUIET = 15
WHOLE, MIXED = "shards", "mixture"
BAD, TEXT, DELETED = "tall.csv", "notes.txt", "0500.csv"
PROJECT = """\
project: {name}
uploads: {{prefix: incoming/{name}/, quiet_seconds: {quiet}}}
pipelines:
  {name}:
    definition: pipeline/definition.py
    code: pipeline/code
    models: [{name}]
    bad_share: 0.01
"""


@pytest.fixture(scope="module", autouse=True)
def _uploaded(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Deploy the projects, upload to both, and remove them at the end."""
    for name in (WHOLE, MIXED):
        _deploy(world, tmp_path_factory.mktemp("projects") / name)
    contents = {f"incoming/{name}/{file}": text for name in (WHOLE, MIXED) for file, text in in_shards(rows()).items()}
    contents[f"incoming/{MIXED}/{BAD}"] = "M,tall,0.365,0.095,0.514,0.2245,0.101,0.15,15\n"
    contents[f"incoming/{MIXED}/{TEXT}"] = "measured in spring\n"
    put_over_time(world, contents)
    world.client("s3").delete_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{MIXED}/{DELETED}")
    yield
    for name in (WHOLE, MIXED):
        world.signalbox("projects", "remove", name, "--yes")


def _deploy(world: World, folder: Path) -> None:
    shutil.copytree(ROOT / "projects" / "abalone", folder)
    (folder / "signalbox.yaml").write_text(PROJECT.format(name=folder.name, quiet=QUIET))
    world.signalbox("deploy", str(folder))


def rows() -> list[str]:
    """Return abalone's rows: the real ones where they lie beside the project, else made-up ones."""
    real = ROOT.parent / "shared" / "data" / "abalone.data"
    return (real.read_text() if real.is_file() else seeded()).splitlines(keepends=True)


def in_shards(lines: Sequence[str]) -> dict[str, str]:
    """Return the content of each shard by its name."""
    return {f"{number:04d}.csv": "".join(lines[number::SHARDS]) for number in range(SHARDS)}


def put_over_time(world: World, contents: dict[str, str]) -> None:
    """Upload the files evenly over the time, to both projects by turns."""
    s3, began, pause = world.client("s3"), time.monotonic(), SECONDS / len(contents)
    keys = sorted(contents, key=lambda key: key.rpartition("/")[2])

    def put(number: int, key: str) -> None:
        time.sleep(max(0.0, began + number * pause - time.monotonic()))
        s3.put_object(Bucket=world.outputs["DataBucket"], Key=key, Body=contents[key].encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(len(keys)), keys))


def runs(world: World, project: str) -> list[tuple[str, str]]:
    """Return the status of each run of a project, and how many uploads it took."""
    lines = [line.split("\t") for line in world.signalbox("runs").decode().splitlines()]
    return [(line[1], line[3]) for line in lines if line[0].startswith(f"team-a-{project}-0")]


def test_a_thousand_shards_are_one_run_one_model_and_one_mail(world: World) -> None:
    asked = world.mail("approve", f"{WHOLE} version 1")

    assert runs(world, WHOLE) == [("Succeeded", f"{SHARDS:,}")]
    assert len(world.packages(WHOLE)) == 1
    assert len(world.mails(WHOLE)) == 1
    world.reject(asked, "The scenario is over")


def test_with_a_bad_one_a_missing_one_and_a_text_among_them_it_is_the_same_and_each_is_named(world: World) -> None:
    asked = world.mail("approve", f"{MIXED} version 1")

    assert runs(world, MIXED) == [("Succeeded", f"{SHARDS + 1:,}")]
    assert len(world.packages(MIXED)) == 1
    assert len(world.mails(MIXED)) == 1
    told = inbox.text(asked)
    assert f"{BAD}, line 1: Length is 'tall', wants a number" in told
    assert f"{TEXT} (ignored): is not read, because only .csv or .data is taken" in told
    assert b"gone" in world.signalbox("uploads", f"incoming/{MIXED}/{DELETED}")
    world.wait_for("the run's end to be read", lambda: b"tall.csv" in world.signalbox("quarantine"))
    assert b"quarantined" in world.signalbox("uploads", f"incoming/{MIXED}/{BAD}")
    world.reject(asked, "The scenario is over")
