"""DynamoDB tables with the text keys `pk` and `sk`, whose attributes are texts and whole numbers.

All reads are consistent. A write with a condition says by its answer whether the condition held: that is what decides
between two who do the same at once.

Our own repetition is no rival. Where a write was done and only its answer was lost, the library sends it again, and
then the condition fails because of what was written a moment before. So where the refused write was a repetition, what
stands there is compared with what was to be written: if it is the same, the condition held. A rival's values differ at
least by their moment or their name. DynamoDB itself knows a repeated transaction by its token.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        DeleteTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

type Value = str | int
type Item = dict[str, Value]
type Encoded = dict[str, AttributeValueTypeDef]
_FAILED, _CONFLICT = "ConditionalCheckFailed", "TransactionConflict"
# Why a transaction was cancelled that may well be done a moment later.
_BUSY = {
    _CONFLICT: "another transaction writes the same items",
    "ProvisionedThroughputExceeded": "the table is throttled",
    "ThrottlingError": "the table is throttled",
}


class Condition(NamedTuple):
    """A condition in DynamoDB's words; `values` are by their placeholders, with the colon."""

    expression: str
    values: Mapping[str, Value] = {}
    names: Mapping[str, str] = {}


NEW = Condition("attribute_not_exists(pk)")
PRESENT = Condition("attribute_exists(pk)")


def encoded(item: Mapping[str, Value]) -> "Encoded":
    """Return attributes as DynamoDB writes them."""
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()}


def decoded(item: Mapping[str, Any]) -> Item:
    """Return attributes as they were before `encoded`."""
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}


def key(pk: str, sk: str) -> Item:
    """Return an item's key."""
    return {"pk": pk, "sk": sk}


def unchanged(expected: Mapping[str, Value | None]) -> Condition:
    """Return the condition that every attribute has its expected value; None and "" stand for an absent one."""
    tests: list[str] = []
    values: dict[str, Value] = {}
    for name, value in expected.items():
        if value is None or value == "":
            tests.append(f"attribute_not_exists(#{name})")
        else:
            tests.append(f"#{name} = :{name}")
            values[f":{name}"] = value
    return Condition(" AND ".join(tests), values, {f"#{name}": name for name in expected})


def put_request(table: str, item: Mapping[str, Value], condition: Condition | None = None) -> "PutTypeDef":
    """Return the PutItem request (also a transaction's `Put`) that writes `item`."""
    request: PutTypeDef = {"TableName": table, "Item": encoded(item)}
    return _under(request, condition)


def update_request(
    table: str,
    key: Mapping[str, Value],
    changes: Mapping[str, Value | None],
    condition: Condition | None = None,
    *,
    add: Mapping[str, int] | None = None,
) -> "UpdateTypeDef":
    """Return the UpdateItem request (also a transaction's `Update`) that sets `changes` and adds to counters.

    An attribute whose new value is None or "" is removed.
    """
    clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": []}
    values: dict[str, Value] = {}
    named = {f"#{name}": name for name in changes}
    for name, value in changes.items():
        if value is None or value == "":
            clauses["REMOVE"].append(f"#{name}")
        else:
            clauses["SET"].append(f"#{name} = :new_{name}")
            values[f":new_{name}"] = value
    for name, more in (add or {}).items():
        clauses["ADD"].append(f"#{name} :more_{name}")
        named[f"#{name}"], values[f":more_{name}"] = name, more
    expression = " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses.items() if parts)
    both = (
        Condition(condition.expression, {**values, **condition.values}, {**named, **condition.names})
        if condition
        else Condition("", values, named)
    )
    request: UpdateTypeDef = {"TableName": table, "Key": encoded(key), "UpdateExpression": expression}
    return _under(request, both)


def delete_request(table: str, key: Mapping[str, Value], condition: Condition | None = None) -> "DeleteTypeDef":
    """Return the request of a transaction's `Delete`."""
    request: DeleteTypeDef = {"TableName": table, "Key": encoded(key)}
    return _under(request, condition)


def _under[Request: (PutTypeDef, UpdateTypeDef, DeleteTypeDef)](
    request: Request, condition: Condition | None
) -> Request:
    """Return a request with a condition's parameters; DynamoDB refuses empty ones."""
    if condition is not None and condition.expression:
        request["ConditionExpression"] = condition.expression
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"  # see `_own`
    if condition is not None and condition.names:
        request["ExpressionAttributeNames"] = dict(condition.names)
    if condition is not None and condition.values:
        request["ExpressionAttributeValues"] = encoded(condition.values)
    return request


def _own(error: CallRefusedError, written: Mapping[str, Value | None]) -> Item | None:
    """Return the item if an earlier try of the refused write has written it; None if the condition did not hold.

    Raises:
        CallRefusedError: the write was refused for another reason.
    """
    if error.code != "ConditionalCheckFailedException":
        raise error
    item = decoded(error.item) if error.repeated else {}
    same = all(item.get(name, "") == ("" if value is None else value) for name, value in written.items())
    return item if item and same else None


class Table:
    """One table. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, name: str, dynamodb: "DynamoDBClient | None" = None) -> None:
        self.name = name
        self._db: DynamoDBClient = dynamodb or clients.client("dynamodb")

    def get(self, pk: str, sk: str) -> Item | None:
        """Return an item, or None."""
        with translated(f"dynamodb:GetItem of {self.name}"):
            answer = self._db.get_item(TableName=self.name, Key=encoded(key(pk, sk)), ConsistentRead=True)
        return decoded(answer["Item"]) if "Item" in answer else None

    def query(
        self,
        pk: str,
        sk_prefix: str = "",
        *,
        newest_first: bool = False,
        most: int | None = None,
        page: int | None = None,
    ) -> Iterator[Item]:
        """Yield the items under `pk`, in the order of their sort keys, page after page as they are needed.

        A call reads `page` items (None: `most`, and where that is None too, as many as DynamoDB answers at once: 1 MB).
        """
        values = {":pk": pk} | ({":sk": sk_prefix} if sk_prefix else {})
        size = most if page is None else page
        pages = self._db.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :sk)" if sk_prefix else ""),
            ExpressionAttributeValues=encoded(values),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": size} if size is not None else {},
        )
        found = 0
        with translated(f"dynamodb:Query of {pk} in {self.name}"):
            for answer in pages:
                for item in answer["Items"]:
                    yield decoded(item)
                    found += 1
                    if found == most:
                        return

    def put(self, item: Mapping[str, Value], condition: Condition | None = None) -> bool:
        """Write an item; False, and nothing is written, if the condition does not hold."""
        try:
            with translated(f"dynamodb:PutItem of {self.name}"):
                self._db.put_item(**put_request(self.name, item, condition))
        except CallRefusedError as error:
            return _own(error, item) is not None
        return True

    def update(
        self, key: Mapping[str, Value], changes: Mapping[str, Value | None], condition: Condition
    ) -> Item | None:
        """Change an item and return it as it is then; None, and nothing is changed, if the condition does not hold."""
        request = update_request(self.name, key, changes, condition)
        try:
            with translated(f"dynamodb:UpdateItem of {self.name}"):
                answer = self._db.update_item(**request, ReturnValues="ALL_NEW")
        except CallRefusedError as error:
            return _own(error, changes)
        return decoded(answer["Attributes"])

    def transact(self, *writes: "TransactWriteItemTypeDef") -> bool:
        """Do all writes (`{"Put": …}`, `{"Update": …}`, `{"Delete": …}`) or none; False if a condition does not hold.

        A transaction has at most 100 writes (Amazon DynamoDB API reference, TransactWriteItems). Where others write the
        same items in this moment, or the table is throttled, nobody knows yet whether the condition holds: that is a
        ServiceBusyError.
        """
        operation = f"dynamodb:TransactWriteItems of {self.name}"
        try:
            with translated(operation):
                self._db.transact_write_items(TransactItems=writes)
        except CallRefusedError as error:
            if _FAILED in error.reasons:
                return False
            if busy := [reason for reason in error.reasons if reason in _BUSY]:
                raise ServiceBusyError(operation, _BUSY[busy[0]], conflict=busy[0] == _CONFLICT) from error
            raise
        return True
