"""Reviews in a dictionary and in DynamoDB, for tests that run with both."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from signalbox.aws.table import Table
from signalbox.reviews.adapters import DynamoReviews
from tests.support.reviews import MemoryStore, World


@contextmanager
def world_stored_in(kind: str) -> Iterator[World]:
    """Give a world whose reviews are kept in "memory" or in "dynamodb"."""
    if kind == "memory":
        yield World(store=MemoryStore())
        return
    with mock_aws():
        yield World(store=DynamoReviews(Table("reviews", _table())))


def _table() -> Any:
    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName="reviews",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return client
