"""A cloud with a stack for most scenarios, one for those of pushes; the record of calls is read at the end of both."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud
from tests.system.world import PARAMETERS, World

_CONTAINERS = Path(__file__).parent / "containers"
# They bring clouds of their own, so they run beside the scenarios that share one.
_APART = ("test_from_before_projects", "test_notebooks", "test_own_data", "test_own_data_tried", "test_readme")
# They share a cloud of their own, in which a stack is deployed as in the other's: so they run beside them, too.
_PUSHES = (
    "test_builds_apart",
    "test_ci_by_hand",
    "test_hooks",
    "test_promotion",
    "test_pushes",
    "test_record_of_pushes",
)
_LAST = ("test_projects_apart", "test_update", "test_record_of_pushes", "test_record_of_calls")


class _ByCloud(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Give a process all scenarios of one cloud, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        if file in _APART:
            return file
        return "pushes" if file in _PUSHES else "one stack"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _ByCloud:
    """Where scenarios run beside each other (`-n 2`), spread clouds, which `--dist` does not know."""
    return _ByCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave projects in the stack after the scenarios of one, then update it; the record of calls proves them all."""
    items.sort(key=lambda item: _LAST.index(item.path.stem) + 1 if item.path.stem in _LAST else 0)


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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run have together."""
    temporary = tmp_path_factory.getbasetemp()
    return temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary


@pytest.fixture(scope="session")
def build(shared: Path) -> Callable[[LocalCloud], None]:
    """Return what builds the stack for whoever deploys it: once, since all that run at once share what is built."""

    def build_once(cloud: LocalCloud) -> None:
        with (shared / "building").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / "built").exists():
                deploy.build(cloud.environment)
                (shared / "built").touch()

    return build_once


@pytest.fixture(scope="session")
def world(cloud: LocalCloud, build: Callable[[LocalCloud], None], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Build and deploy the stack, deploy the project, make iris data."""
    build(cloud)
    outputs = deploy.deploy(cloud, deploy.parameters(cloud, **PARAMETERS))
    iris = tmp_path_factory.mktemp("iris")
    maker = ROOT / "projects" / "iris" / "data.py"
    subprocess.run([sys.executable, str(maker), str(iris)], check=True)
    ready = World(cloud, outputs, iris)
    ready.signalbox("deploy", "projects/abalone")
    return ready
