"""A cloud that remembers, and instances in it: as many as a test asks for, each a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.notebook_cloud import State, cloud
from tests.support.notebooks import Instance


@pytest.fixture
def state() -> State:
    """A cloud with a bucket that is named by the instance's tags."""
    return State(buckets={"backups": {}}, tags={"ebs-backup-bucket": "backups", "team": "a", "topic": "b"})


@pytest.fixture
def instance(state: State, tmp_path: Path) -> Iterator[Callable[[str], Instance]]:
    """Make an instance with an empty volume."""
    with cloud(state) as url:
        yield lambda name: Instance(tmp_path / name, url, state)
