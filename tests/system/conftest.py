"""One cloud and one stack for all scenarios, deployed as a person would; the record of calls is read at the end."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud
from tests.system.world import PARAMETERS, World

_CONTAINERS = Path(__file__).parent / "containers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave projects in the stack after the scenarios of one, then update it; the record of calls proves them all."""
    last = ("test_projects_apart", "test_update", "test_record_of_calls")
    items.sort(key=lambda item: max((last.index(name) + 1 for name in last if name in item.nodeid), default=0))


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder whose folders stand for images: what lies in one is what was pushed."""
    folder = tmp_path_factory.mktemp("containers")
    for source in (ROOT / "projects", _CONTAINERS):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, containers: Path) -> Iterator[LocalCloud]:
    """Start a cloud in which every state change is told twice."""
    folder = tmp_path_factory.mktemp("cloud")
    options = Options(folder=folder, containers=containers, repeat_events=1.0, startup_seconds=20)
    with ProjectCloud(options) as running:
        yield running


@pytest.fixture(scope="session")
def world(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Build and deploy the stack, deploy the project, make iris data."""
    deploy.build(cloud.environment)
    outputs = deploy.deploy(cloud, deploy.parameters(cloud, **PARAMETERS))
    iris = tmp_path_factory.mktemp("iris")
    maker = ROOT / "projects" / "iris" / "data.py"
    subprocess.run([sys.executable, str(maker), str(iris)], check=True)
    ready = World(cloud, outputs, iris)
    ready.signalbox("deploy", "projects/abalone")
    return ready
