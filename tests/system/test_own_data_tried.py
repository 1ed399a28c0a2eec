"""Public tables, from their file to a model that is tried on the local cloud: no file of the product knows of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, program_environment
from tests.pictures import own_data
from tests.support import tables
from tests.support.tables import TABLES, PublicTable

_AT_ONCE = 2
_TENTH = 0.1


@dataclass(frozen=True)
class Tried:
    """What the two commands printed, and the parts that the rows were dealt to."""

    printed: str
    folder: Path
    train: Path
    test: Path

    def metric(self, name: str) -> float:
        """Return a metric of the report that was kept beside the project."""
        report = json.loads((self.folder / "runs" / "train" / "evaluation.json").read_text())
        (metrics,) = (found for group, found in report.items() if group.endswith("_metrics"))
        return float(metrics[name]["value"])


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Start a cloud without a stack."""
    with LocalCloud(Options(folder=tmp_path_factory.mktemp("own-cloud"))) as running:
        yield running


def signalbox(words: list[str], folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "signalbox_operate", *words],
        env=program_environment(variables),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def try_table(table: PublicTable, folder: Path, cloud: LocalCloud) -> Tried:
    """Make a project of a table and run it, as a person types it."""
    file = table.write(folder)
    printed = signalbox(["new", table.name, "--from", str(file), "--label", table.label], folder, cloud.environment)
    printed += signalbox(["run", table.name], folder, cloud.environment)
    s3: Any = deploy.client(cloud, "s3")
    parts = {}
    for part in ("train", "test"):
        listed = s3.list_objects_v2(Bucket="trial-123456789012-us-east-1", Prefix=f"pipelines/{table.name}/")
        (key,) = (item["Key"] for item in listed["Contents"] if item["Key"].endswith(f"/{part}.csv"))
        parts[part] = folder / f"{table.name}-{part}.csv"
        s3.download_file("trial-123456789012-us-east-1", key, str(parts[part]))
    return Tried(printed, folder / table.name, parts["train"], parts["test"])


@pytest.fixture(scope="module")
def tried(own_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tried]:
    """Try all tables, some at once."""
    folder = tmp_path_factory.mktemp("tables")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda table: try_table(table, folder, own_cloud), TABLES)
        return {table.name: one for table, one in zip(TABLES, found, strict=True)}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_public_table_is_learnt_as_well_as_by_a_plain_script(table: PublicTable, tried: dict[str, Tried]) -> None:
    one = tried[table.name]
    plain = tables.plain_metric(table.problem, one.train, one.test)
    if table.problem == "regression":
        assert one.metric("mse") <= plain * (1 + _TENTH)
    else:
        assert one.metric("accuracy") >= plain * (1 - _TENTH)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_trial_shows_its_steps_its_metric_and_a_picture(table: PublicTable, tried: dict[str, Tried]) -> None:
    one = tried[table.name]
    assert f"is predicted: a {table.problem} problem" in one.printed
    assert [step in one.printed for step in ("Prepare succeeded", "Train succeeded", "Register succeeded")] == [
        True
    ] * 3
    metric, mark = ("mse", "●") if table.problem == "regression" else ("accuracy", "█")
    assert f"\n{metric} " in one.printed
    assert mark in one.printed
    assert "<svg" in (one.folder / "runs" / "train" / "index.html").read_text()


def test_the_tutorial_leads_to_a_trial(own_cloud: LocalCloud, tmp_path: Path) -> None:
    environment = program_environment(own_cloud.environment)
    environment["PATH"] = f"{ROOT / 'operate'}{os.pathsep}{environment['PATH']}"
    printed = [own_data.follow(command, tmp_path, environment) for command in own_data.tried()]
    assert "a multiclass problem" in printed[1]
    assert "accuracy 0.9" in printed[2]
    assert (tmp_path / "wine" / "runs" / "train" / "index.html").is_file()


def test_several_files_are_one_table_and_one_that_does_not_fit_is_named(own_cloud: LocalCloud, tmp_path: Path) -> None:
    table = tables.named("wine")
    file = table.write(tmp_path)
    signalbox(["new", "wine-parts", "--from", str(file), "--label", table.label], tmp_path, own_cloud.environment)
    header, *rows = file.read_text().splitlines(keepends=True)
    for number in range(3):
        (tmp_path / f"part{number}.csv").write_text(header + "".join(rows[number::3]))
    data = [word for number in range(3) for word in ("--data", str(tmp_path / f"part{number}.csv"))]
    signalbox(["run", "wine-parts", *data], tmp_path, own_cloud.environment)
    whole = json.loads((tmp_path / "wine-parts" / "runs" / "train" / "evaluation.json").read_text())
    assert 20 <= whole["rows"] <= 60
    (tmp_path / "foreign.csv").write_text("a,b\n1,2\n")
    done = subprocess.run(
        [sys.executable, "-m", "signalbox_operate", "run", "wine-parts", "--data", str(tmp_path / "foreign.csv")],
        env=program_environment(own_cloud.environment),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "UnusableFiles: 1 of 1 files cannot be used, and none is good. foreign.csv: line 1 has to" in done.stderr


def test_a_trial_starts_a_cloud_by_itself_and_leaves_none(tmp_path: Path) -> None:
    table = tables.named("iris")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    signalbox(["new", "alone", "--from", str(table.write(tmp_path)), "--label", table.label], tmp_path, alone)
    assert "accuracy" in signalbox(["run", "alone"], tmp_path, alone)
