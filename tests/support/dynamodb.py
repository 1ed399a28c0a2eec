"""An empty table in a DynamoDB that remembers, keyed as every table of the stack is."""

from typing import Any

import boto3

import tests.support.quick_dynamodb  # noqa: F401  # its short cuts are of all such tables


def created_table(name: str) -> Any:
    """Create a table keyed by `pk` and `sk`, inside `mock_aws`, and return the client that reaches it."""
    keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
    client = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
    )
    return client
