"""One review that is open, in a world of fakes."""

import pytest
from tests.support.reviews import MemoryStore, World

from signalbox.reviews.model import Review


@pytest.fixture
def store() -> MemoryStore:
    """Return the table."""
    return MemoryStore()


@pytest.fixture
def world(store: MemoryStore) -> World:
    """Return everything around the table."""
    return World(store=store)


@pytest.fixture
def review(world: World) -> Review:
    """Ask for a review."""
    return world.request()
