"""Containers of one's own go from their folder to prod: by every command of the tutorial, and in other languages."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import inbox
from signalbox_local.project import ROOT, program_environment
from tests.support.documents import blocks, commands, read
from tests.system.world import REGISTRY, World

TUTORIAL = read("docs/own-container.md")
# A file of the tutorial: its name in the sentence before, then what is in it.
FILE = re.compile(r"`(?P<name>irises/[\w./-]+)`[^`\n]*(?:\[[^\n]*)?:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)
WORDS = {"spam": ("win", "money", "prize", "free", "offer"), "ham": ("lunch", "meeting", "notes", "friday", "team")}


def run(world: World, folder: Path, command: str) -> str:
    """Run a command as a person in a folder does, and return what it printed."""
    tools = {"PATH": os.pathsep.join([str(ROOT / "operate"), str(ROOT / ".venv" / "bin"), os.environ["PATH"]])}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=program_environment(world.cloud.environment) | tools,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def approve_twice(world: World, model: str) -> None:
    """Approve version 1 of a model, then its release to prod, and wait for the mail that announces it."""
    world.approve(world.mail("approve", f"{model} version 1"))
    world.approve(world.mail("to prod", f"{model} version 1"))
    world.mail(f"{model} version 1", "released")


def test_every_command_of_the_tutorial_works_and_its_container_reaches_prod(world: World, containers: Path) -> None:
    files = {match["name"]: match["text"] for match in FILE.finditer(TUTORIAL)}
    assert len(files) == 5
    for name, text in files.items():
        (containers / name).parent.mkdir(parents=True, exist_ok=True)
        (containers / name).write_text(text)

    printed = {}
    for command in commands(FILE.sub("", TUTORIAL)):
        printed[command] = run(world, containers, command)
        if command.startswith("signalbox train"):
            approve_twice(world, "iris-trees")

    tried = printed["signalbox test irises"].splitlines()
    (shown,) = blocks(TUTORIAL, "text")
    assert [line.split()[:2] for line in tried] == [line.split()[:2] for line in shown.splitlines()]
    (row,) = [line.split("\t") for line in printed["signalbox models --model iris-trees"].splitlines()]
    assert (row[0], row[2], row[4]) == ("team-a-iris-trees/1", "Approved", "prod, staging")
    (answer,) = [text for command, text in printed.items() if command.startswith("signalbox invoke")]
    assert answer == "setosa\n"
    assert "Started by: root, as the request says" in inbox.text(world.mail("approve", "iris-trees version 1"))
    jobs = world.client("sagemaker").list_training_jobs(NameContains="team-a-iris-trees")["TrainingJobSummaries"]
    job = world.client("sagemaker").describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["training"]
    assert job["HyperParameters"] == {"max_leaf_nodes": "4"}


def texts(label: str, rows: int) -> Iterator[str]:
    """Yield rows of a label and a text of three words, no two alike; commas and quotes are among them."""
    words = WORDS[label]
    for number in range(rows):
        chosen = [words[(number // 5**place) % 5] for place in range(3)]
        yield f'{label},"{chosen[0]}, ""{chosen[1]}"" {chosen[2]} {number}"\n'


@pytest.fixture
def mails(tmp_path: Path) -> tuple[Path, Path]:
    """Training and test data of two kinds of texts."""
    rows = [[*texts(label, 60)] for label in WORDS]
    for part, chosen in (("train", slice(0, 45)), ("test", slice(45, 60))):
        (tmp_path / f"{part}.csv").write_text("".join(row for kind in rows for row in kind[chosen]))
    return tmp_path / "train.csv", tmp_path / "test.csv"


def project(world: World, folder: Path, name: str, train: Path, test: Path, **further: Path) -> None:
    """Bring one of the tests' containers to prod as a project of its own; `further` channels have a file each."""
    entry: dict[str, Any] = {"folder": "container", "problem": "multiclass", "train": "train.csv", "test": "test.csv"}
    shutil.copytree(Path(__file__).parent / "containers" / name, folder / "container")
    for file, data in (("train.csv", train), ("test.csv", test)):
        (folder / file).write_bytes(data.read_bytes())
    if further:
        entry["channels"] = {channel: Path(shutil.copy(file, folder)).name for channel, file in further.items()}
    (folder / "signalbox.yaml").write_text(json.dumps({"project": name, "containers": {name: entry}}))
    image = f"{REGISTRY}/{name}:1"
    run(world, folder, "signalbox deploy")
    run(world, folder, f"signalbox data put {name}")
    run(world, folder, f"signalbox train --model {name} --image {image} --commit 1")
    approve_twice(world, name)


def test_a_container_of_bash_and_python_goes_to_prod(world: World, tmp_path: Path) -> None:
    data = [world.iris / part / "iris.csv" for part in ("train", "test")]

    project(world, tmp_path / "project", "plain", *data)

    assert world.predict("prod", "plain", "5.0,3.4,1.5,0.2\n7.1,3.0,5.9,2.1") == b"setosa\nvirginica\n"


def test_a_container_that_tells_texts_apart_goes_to_prod(
    world: World, tmp_path: Path, mails: tuple[Path, Path]
) -> None:
    stopwords = tmp_path / "stopwords.txt"
    stopwords.write_text("the\nof\na\n")

    project(world, tmp_path / "project", "texts", *mails, stopwords=stopwords)

    assert world.predict("prod", "texts", '"win a prize, now"\n"notes of the meeting"') == b"spam\nham\n"
    jobs = world.client("sagemaker").list_training_jobs(NameContains="team-a-texts")["TrainingJobSummaries"]
    job = world.client("sagemaker").describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["training", "stopwords"]


def test_a_container_in_the_layout_of_awss_example_goes_to_prod(world: World, tmp_path: Path) -> None:
    data = [world.iris / part / "iris.csv" for part in ("train", "test")]

    project(world, tmp_path / "project", "decision-trees", *data)

    assert world.predict("prod", "decision-trees", "5.0,3.4,1.5,0.2") == b"setosa\n"
