"""From a public table's file to a prediction in prod: by the command line, an upload and two approvals, and no more."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_local.process import Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud, program_environment
from tests.pictures import own_data
from tests.support import tables
from tests.support.documents import commands, read
from tests.system.world import PARAMETERS, World

# Long enough for a pipeline of which each job imports pandas and scikit-learn on a busy machine.
_PIPELINE_SECONDS = 300


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
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Deploy a stack of this file's own: its projects stay, and other scenarios ask for the only model there is."""
    folder = tmp_path_factory.mktemp("own-data")
    with ProjectCloud(Options(folder=folder, repeat_events=1.0, startup_seconds=60)) as cloud:
        deploy.build(cloud.environment)
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


def test_a_table_with_categories_dates_and_missing_values_answers_in_prod(owner: Owner) -> None:
    tables.named("cars").write(owner.folder)
    owner.follow("signalbox new cars --from cars.csv --label Miles_per_Gallon")
    owner.hurry("cars")
    owner.follow("signalbox deploy cars")
    owner.follow("signalbox upload cars.csv --project cars")
    owner.approve_twice("cars")
    beetle = "volkswagen 1131 deluxe sedan,4,97,46,1835,20.5,1970-01-01,Europe"
    unknown = "a car that nobody knows,8,,NA,4500,12,1972-01-01,Mars"
    small, large = map(float, owner.follow(f"signalbox invoke prod --model cars --data '{beetle}\n{unknown}'").split())
    assert 20 <= small <= 32
    assert 10 <= large < small
