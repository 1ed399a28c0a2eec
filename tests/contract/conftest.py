"""One local cloud and one plain ministack for all contract tests, each a process of its own."""

from collections.abc import Iterator

import pytest

from sagemaker_local.process import LocalCloud, Options
from tests.contract.plain import PLAIN_SECRET, plain_ministack
from tests.contract.world import World
from tests.sagemaker_local.support.jobs import container, program

_SERVE = """
    import time
    def post(body, headers):
        time.sleep(float(os.environ.get("DELAY", "0")))
        kind = headers.get("Content-Type", "text/csv")
        return (500, b"no such thing") if body == b"bad" else (200, body, kind)
"""


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Start a local cloud in which every state change is told twice."""
    containers = container(tmp_path_factory.mktemp("containers"), train="", serve=_SERVE, name="echo")
    container(containers, train="import time\ntime.sleep(60)", serve=_SERVE, name="slow")
    broken = program(tmp_path_factory.mktemp("broken"), "raise SystemExit('no model')") / "own"
    broken.rename(containers / "broken")
    folder = tmp_path_factory.mktemp("cloud")
    with LocalCloud(Options(folder=folder, containers=containers, repeat_events=1.0, startup_seconds=8)) as running:
        yield running


@pytest.fixture(scope="session")
def cloud(local_cloud: LocalCloud) -> World:
    """Return the local cloud as its owner sees it."""
    return World(local_cloud.url, local_cloud.environment["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start a ministack with nothing of ours."""
    with plain_ministack(tmp_path_factory.mktemp("plain")) as address:
        yield World(address, PLAIN_SECRET)
