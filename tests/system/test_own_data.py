"""From a public table's file to a prediction in prod: by the command line, an upload and two approvals, and no more."""

import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud, program_environment
from tests.pictures import own_data
from tests.support import tables
from tests.support.documents import commands, read
from tests.support.tables import TABLES, PublicTable
from tests.system.world import PARAMETERS, World

# Long enough for a pipeline of which each job imports pandas and scikit-learn on a busy machine.
_PIPELINE_SECONDS = 600
_ASKED = 60
# The wines are the tutorial's.
OTHERS = [table for table in TABLES if table.name != "wine"]


class Owner:
    """Somebody with a table: a folder, a terminal, and the mails."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.environment = program_environment(world.cloud.environment)
        self.environment["PATH"] = f"{ROOT / 'operate'}{os.pathsep}{self.environment['PATH']}"

    def follow(self, command: str) -> str:
        """Run a command."""
        return own_data.follow(command, self.folder, self.environment)

    def hurry(self, project: str) -> None:
        """Let uploads wait for a second in place of the minute that a new project has."""
        file = self.folder / project / "signalbox.yaml"
        file.write_text(file.read_text().replace("quiet_seconds: 60", "quiet_seconds: 1"))

    def approve_twice(self, model: str) -> None:
        """Approve the model, and then its release to prod, on the pages of the mails; wait until prod serves it."""
        self.world.wait_for(
            f"the review of {model}", lambda: self.world.mails("approve", f"{model} version 1"), _PIPELINE_SECONDS
        )
        self.world.approve(self.world.mail("approve", f"{model} version 1"))
        self.world.approve(self.world.mail("to prod", f"{model} version 1"))
        self.world.wait_for(f"{model} in prod", lambda: self.world.live_package(model, "prod"))
        self.world.mail("released to staging and prod", f"{model} version 1")


@pytest.fixture(scope="module")
def world(build: Callable[[LocalCloud], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Deploy a stack of this file's own: its projects stay, and other scenarios ask for the only model there is."""
    folder = tmp_path_factory.mktemp("own-data")
    with ProjectCloud(Options(folder=folder, repeat_events=1.0, startup_seconds=60)) as cloud:
        build(cloud)
        yield World(cloud, deploy.deploy(cloud, deploy.parameters(cloud, **PARAMETERS)), folder)


@pytest.fixture
def owner(world: World, tmp_path: Path) -> Owner:
    return Owner(world, tmp_path)


def test_the_tutorial_leads_from_a_table_to_a_prediction_in_prod(owner: Owner) -> None:
    listed = [command for command in commands(read("docs/own-data.md")) if not command.startswith("signalbox run")]
    *before, ask = listed
    for command in before:
        if command.startswith("signalbox deploy"):
            owner.hurry("wine")
        owner.follow(command)
    owner.approve_twice("wine")
    assert ask.startswith("signalbox invoke prod")
    assert owner.follow(ask) == "class_0\n"


@pytest.fixture(scope="module")
def begun(world: World, tmp_path_factory: pytest.TempPathFactory) -> Owner:
    """Make a project of every other table, deploy it, and upload the table's file."""
    owner = Owner(world, tmp_path_factory.mktemp("tables"))
    for table in OTHERS:
        file = table.write(owner.folder).name
        owner.follow(f"signalbox new {table.name} --from {file} --label {table.label}")
        owner.hurry(table.name)
        owner.follow(f"signalbox deploy {table.name}")
        owner.follow(f"signalbox upload {file} --project {table.name}")
    return owner


@pytest.mark.parametrize("table", OTHERS, ids=lambda table: table.name)
def test_a_public_table_goes_from_its_file_to_predictions_in_prod(table: PublicTable, begun: Owner) -> None:
    begun.approve_twice(table.name)

    asked = tables.examples(table, begun.folder / f"{table.name}.csv", _ASKED)
    (begun.folder / "asked.csv").write_text("".join(f"{row}\n" for _, row in asked))
    answers = begun.follow(f"signalbox invoke prod --model {table.name} --file asked.csv").splitlines()
    assert len(answers) == len(asked)
    labels = [label for label, _ in asked]
    if table.problem == "regression":
        wanted = [float(label) for label in labels]
        missed = sum((float(answer) - label) ** 2 for answer, label in zip(answers, wanted, strict=True))
        assert missed < 0.7 * sum((statistics.mean(wanted) - label) ** 2 for label in wanted)
    else:
        assert set(answers) <= set(labels)
        right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
        assert right > max(map(labels.count, labels))


def test_a_model_in_prod_answers_for_what_it_has_never_seen(begun: Owner) -> None:
    beetle = "volkswagen 1131 deluxe sedan,4,97,46,1835,20.5,1970-01-01,Europe"
    unknown = "a car that nobody knows,8,,NA,4500,12,1972-01-01,Mars"
    small, large = map(float, begun.follow(f"signalbox invoke prod --model cars --data '{beetle}\n{unknown}'").split())
    assert 20 <= small <= 32
    assert 10 <= large < small
