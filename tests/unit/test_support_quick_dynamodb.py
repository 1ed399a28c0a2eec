"""The short cuts through moto's DynamoDB answer what moto answers, and leave what it leaves."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend
from tests.support import quick_dynamodb
from tests.support.dynamodb import created_table

NAME = "table"
SORT_KEYS = ("a#1", "a#2", "a#3", "b", "c#1", "ä")
GUARD = "attribute_not_exists(pk)"


@pytest.fixture
def client() -> Iterator[Any]:
    """Reach a table with items under two keys, and nothing under others."""
    with mock_aws():
        client = created_table(NAME)
        for pk, (number, sk) in product(("x", "y"), enumerate(SORT_KEYS)):
            client.put_item(TableName=NAME, Item=item(pk, sk, number=number))
        yield client


def item(pk: str, sk: str, number: int = 0, text: str = "t") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "number": {"N": str(number)}, "text": {"S": text}}


def pages(client: Any, pk: str, prefix: str = "", limit: int | None = None, **more: Any) -> list[Any]:
    """Return what each page of a query says."""
    values = {":pk": {"S": pk}} | ({":sk": {"S": prefix}} if prefix else {})
    found = client.get_paginator("query").paginate(
        TableName=NAME,
        KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :sk)" if prefix else ""),
        ExpressionAttributeValues=values | more.pop("values", {}),
        ConsistentRead=True,
        PaginationConfig={"PageSize": limit} if limit else {},
        **more,
    )
    return [{name: page.get(name) for name in ("Items", "Count", "LastEvaluatedKey")} for page in found]


def outcome(client: Any, *writes: Any) -> list[str]:
    """Return why a transaction was cancelled, write by write."""
    try:
        client.transact_write_items(TransactItems=writes)
    except ClientError as error:
        return [reason["Code"] for reason in error.response["CancellationReasons"]]
    return []


def stored(client: Any) -> list[Any]:
    """Return the items of the table."""
    return sorted(client.scan(TableName=NAME)["Items"], key=lambda one: (one["pk"]["S"], one["sk"]["S"]))


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("forward", [True, False])
def test_a_query_has_the_pages_that_moto_gives(client: Any, limit: int | None, forward: bool) -> None:
    asked = list(product(("x", "z"), ("", "a#", "b", "nothing")))
    quick = [pages(client, *each, limit, ScanIndexForward=forward) for each in asked]
    client.meta.events.unregister(quick_dynamodb.QUERY, quick_dynamodb.answered)
    assert quick == [pages(client, *each, limit, ScanIndexForward=forward) for each in asked]


def test_what_a_query_asks_besides_is_answered_by_moto(client: Any) -> None:
    found = pages(client, "x", FilterExpression="sk = :b", values={":b": {"S": "b"}})
    assert [[one["sk"]["S"] for one in page["Items"]] for page in found] == [["b"]]


def test_more_than_fits_a_page_comes_in_several(client: Any) -> None:
    for number in range(4):
        client.put_item(TableName=NAME, Item=item("x", f"large{number}", text="x" * 350_000))
    found = pages(client, "x")
    assert len(found) > 1
    assert sum(page["Count"] for page in found) == len(SORT_KEYS) + 4


@pytest.mark.parametrize("refused", [False, True])
def test_a_transaction_leaves_what_moto_leaves(client: Any, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"pk": {"S": "x"}, "sk": {"S": "a#1"}}
    change = {"UpdateExpression": "ADD #n :more", "ExpressionAttributeNames": {"#n": "number"}}
    writes = (
        {"Update": {"TableName": NAME, "Key": key, "ExpressionAttributeValues": {":more": {"N": "5"}}, **change}},
        {"Delete": {"TableName": NAME, "Key": key | {"sk": {"S": "a#2"}}}},
        {"Put": {"TableName": NAME, "Item": item("new", "b" if refused else "a"), "ConditionExpression": GUARD}},
        {"Put": {"TableName": NAME, "Item": item("y", "b", 9)}},
    )
    client.put_item(TableName=NAME, Item=item("new", "b"))
    before = stored(client)
    quick = outcome(client, *writes), stored(client)
    for one in quick[1]:
        client.delete_item(TableName=NAME, Key={name: one[name] for name in ("pk", "sk")})
    for one in before:
        client.put_item(TableName=NAME, Item=one)
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", quick_dynamodb.whole_copies)

    assert (outcome(client, *writes), stored(client)) == quick
    assert (quick[1] == before) == refused
