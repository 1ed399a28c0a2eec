"""A cloud that remembers, and instances in it: as many as a test asks for, each a folder."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.notebook_cloud import State, cloud
from tests.support.notebooks import Instance


@pytest.fixture(autouse=True)
def _stopped_as_before() -> Iterator[None]:
    """Let a worker that ran in this process, and ignores SIGTERM since it ended, not hand that on to later programs."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def state() -> State:
    """A cloud with a bucket that is named by the instance's tags."""
    return State(buckets={"backups": {}}, tags={"ebs-backup-bucket": "backups", "team": "a", "topic": "b"})


@pytest.fixture
def instance(state: State, tmp_path: Path) -> Iterator[Callable[[str], Instance]]:
    """Make an instance with an empty volume."""
    with cloud(state) as url:
        yield lambda name: Instance(tmp_path / name, url, state)
