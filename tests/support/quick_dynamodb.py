"""Short cuts through moto's DynamoDB, for tables keyed by `pk` and `sk` whose values are texts and whole numbers.

moto sorts the whole table for each query, and copies it once for each write of a transaction, in case that is refused.
A journey makes thousands of queries, most of them of keys under which nothing is, and tests fill tables with ten
thousand items. So a query reads what is under its key, and a transaction copies what it writes; each answers what
moto answers. Whatever else is asked goes to moto as before.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.handlers
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

QUERY = "before-call.dynamodb.Query"  # botocore's event, whose answer takes the place of the call
_KEY = "pk = :pk"
_CONDITIONS = {_KEY, f"{_KEY} AND begins_with(sk, :sk)"}
_ASKED = {
    "TableName",
    "KeyConditionExpression",
    "ExpressionAttributeValues",
    "ConsistentRead",
    "ScanIndexForward",
    "Limit",
    "ExclusiveStartKey",
}
_MOST_BYTES = 500_000  # well under the 1 MB after which DynamoDB, and moto, end a page

whole_copies = DynamoDBBackend.transact_write_items  # moto's own way


def answered(params: Mapping[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]] | None:
    """Return the answer to a serialized Query (`params`), as botocore's event takes it; None where it is moto's."""
    request, found = json.loads(params["body"]), None
    known = request.keys() <= _ASKED and request.get("KeyConditionExpression") in _CONDITIONS
    if known and (table := _table(params["url"], request["TableName"])) is not None:
        found = _page(table, request)
    if found is None:
        return None
    return SimpleNamespace(status_code=200), found | {"ResponseMetadata": {"HTTPStatusCode": 200}}


def transacted(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Do the writes of a transaction to a table that has no other items; take their outcome over if there is one."""
    if not all(op.get("TableName") in backend.tables for item in transact_items for op in item.values()):
        whole_copies(backend, transact_items)
        return
    writes = [(op["TableName"], _keys(op)) for item in transact_items for op in item.values()]
    whole = {name: backend.tables[name] for name, _ in writes}
    parts = {name: _part(table, [keys for of, keys in writes if of == name]) for name, table in whole.items()}
    backend.tables.update(parts)
    try:
        whole_copies(backend, transact_items)
    finally:
        backend.tables.update(whole)
    for name, (pk, sk) in writes:
        if (item := parts[name].items[pk].get(sk)) is None:
            whole[name].items[pk].pop(sk, None)
        else:
            whole[name].items[pk][sk] = item


def _table(url: str, name: str) -> Table | None:
    """Return the table of moto that a request to `url` is about; None where it is about none, or not moto's."""
    host = (urlsplit(url).hostname or "").split(".")
    if not botocore_stubber.enabled or host[0] != "dynamodb" or host[2:] != ["amazonaws", "com"]:
        return None
    tables: Mapping[str, Table] = dynamodb_backends[DEFAULT_ACCOUNT_ID][host[1]].tables
    return tables.get(name)


def _page(table: Table, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a page of items; None where it might be larger than DynamoDB answers at once."""
    values, start = request["ExpressionAttributeValues"], request.get("ExclusiveStartKey")
    forward, limit = request.get("ScanIndexForward", True), request.get("Limit")
    under = table.items.get(DynamoType(values[":pk"]), {})
    items = {key.value: item for key, item in under.items()}
    if sum(item.size() for item in items.values()) > _MOST_BYTES:
        return None
    prefix, after = values.get(":sk", {"S": ""})["S"], start["sk"]["S"] if start else None
    texts = _after(sorted(items, reverse=not forward), after, forward)
    matching = [text for text in texts if text.startswith(prefix)][:limit]
    chosen = [items[text].to_json()["Attributes"] for text in matching]
    answer = {"Items": chosen, "Count": len(chosen), "ScannedCount": len(chosen)}
    if len(matching) == limit and matching[-1] != texts[-1]:
        answer["LastEvaluatedKey"] = {name: chosen[-1][name] for name in ("pk", "sk")}
    return answer


def _after(texts: list[str], start: str | None, forward: bool) -> list[str]:
    if start is None:
        return texts
    return [text for text in texts if (text > start if forward else text < start)]


def _keys(op: Mapping[str, Any]) -> tuple[DynamoType, DynamoType]:
    key = op.get("Key") or op["Item"]
    return DynamoType(key["pk"]), DynamoType(key["sk"])


def _part(table: Table, keys: Iterable[tuple[DynamoType, DynamoType]]) -> Table:
    """Return the table with copies of the items under `keys` alone; itself is what moto gets that copies it."""
    part: Any = copy.copy(table)
    part.items = defaultdict(dict)
    for pk, sk, item in _found(table, keys):
        part.items[pk][sk] = copy.deepcopy(item)
    part.__deepcopy__ = lambda _: part
    return part  # type: ignore[no-any-return]  # a copy is of its original's class


def _found(table: Table, keys: Iterable[tuple[DynamoType, DynamoType]]) -> Iterator[tuple[DynamoType, DynamoType, Any]]:
    items: Mapping[DynamoType, Mapping[DynamoType, Any]] = table.items
    return ((pk, sk, items[pk][sk]) for pk, sk in keys if sk in items.get(pk, {}))


DynamoDBBackend.transact_write_items = transacted  # type: ignore[assignment,method-assign]  # for every test of this process
botocore.handlers.BUILTIN_HANDLERS.append((QUERY, answered))
