"""Reviews in a dictionary and in DynamoDB, for tests that run with both."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto import mock_aws

from signalbox.aws.table import Table
from signalbox.reviews.adapters import DynamoReviews
from tests.support.dynamodb import created_table
from tests.support.reviews import MemoryStore, World


@contextmanager
def world_stored_in(kind: str) -> Iterator[World]:
    """Give a world whose reviews are kept in "memory" or in "dynamodb"."""
    if kind == "memory":
        yield World(store=MemoryStore())
        return
    with mock_aws():
        yield World(store=DynamoReviews(Table("reviews", created_table("reviews"))))
