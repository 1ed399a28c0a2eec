"""A table keeps texts and whole numbers, decides by conditions, and does a transaction's writes all or none."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.dynamodb import created_table

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.table import (
    NEW,
    PRESENT,
    Condition,
    Item,
    Table,
    decoded,
    delete_request,
    encoded,
    key,
    put_request,
    unchanged,
    update_request,
)

NAME = "uploads"
ITEM: Item = {"pk": "run#1", "sk": "a", "status": "Claiming", "uploads": 3}
KEY = key("run#1", "a")
CLAIMING = unchanged({"status": "Claiming"})


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """An empty table in a DynamoDB that remembers."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Table(NAME, created_table(NAME))


def cancelled(*codes: str) -> Exception:
    error = client_error("TransactionCanceledException")
    response: Any = error.response
    response["CancellationReasons"] = [{"Code": code} for code in codes]
    return error


def refusing(operation: str, *errors: Exception) -> Table:
    """Return a table whose DynamoDB refuses an operation, once for each error."""
    client: Any = RecordingClient("dynamodb", {operation: list(errors)})
    return Table(NAME, client)


def test_texts_and_whole_numbers_come_back_as_they_were() -> None:
    assert encoded(ITEM)["uploads"] == {"N": "3"}
    assert encoded(ITEM)["status"] == {"S": "Claiming"}
    assert decoded(encoded(ITEM)) == ITEM


def test_the_requests_are_those_of_dynamodb() -> None:
    asked = {
        "PutItem": put_request(NAME, ITEM, NEW),
        "UpdateItem": update_request(NAME, KEY, {"status": "Claimed"}, CLAIMING),
        "DeleteItem": delete_request(NAME, KEY, PRESENT),
    }
    for operation, request in asked.items():
        check_request("dynamodb", operation, request)


def test_a_put_without_a_condition_has_no_words_of_one() -> None:
    assert put_request(NAME, ITEM) == {"TableName": NAME, "Item": encoded(ITEM)}
    assert put_request(NAME, ITEM, NEW)["ConditionExpression"] == "attribute_not_exists(pk)"


def test_an_update_sets_removes_and_adds_in_one_request() -> None:
    request = update_request(
        NAME, KEY, {"status": "Claimed", "reason": None, "note": "", "at": "now"}, CLAIMING, add={"uploads": 2}
    )
    assert request["UpdateExpression"] == (
        "SET #status = :new_status, #at = :new_at REMOVE #reason, #note ADD #uploads :more_uploads"
    )
    assert request["ConditionExpression"] == "#status = :status"
    assert request["ExpressionAttributeValues"] == encoded(
        {":new_status": "Claimed", ":new_at": "now", ":more_uploads": 2, ":status": "Claiming"}
    )
    assert set(request["ExpressionAttributeNames"]) == {"#status", "#reason", "#note", "#at", "#uploads"}


def test_an_update_may_only_count_or_only_remove() -> None:
    assert update_request(NAME, KEY, {}, add={"uploads": 1})["UpdateExpression"] == "ADD #uploads :more_uploads"
    request = update_request(NAME, KEY, {"reason": None})
    assert request["UpdateExpression"] == "REMOVE #reason"
    assert "ExpressionAttributeValues" not in request


def test_unchanged_holds_values_and_absences() -> None:
    assert unchanged({"status": "Claiming", "run": None, "note": ""}) == Condition(
        "#status = :status AND attribute_not_exists(#run) AND attribute_not_exists(#note)",
        {":status": "Claiming"},
        {"#status": "status", "#run": "run", "#note": "note"},
    )


def test_an_item_is_read_as_it_was_put_and_what_is_not_there_is_none(table: Table) -> None:
    assert table.get("run#1", "a") is None
    assert table.put(ITEM)
    assert table.get("run#1", "a") == ITEM


def test_a_put_whose_condition_does_not_hold_writes_nothing(table: Table) -> None:
    assert table.put(ITEM, NEW)
    assert not table.put({**ITEM, "status": "Started"}, NEW)
    assert table.get("run#1", "a") == ITEM


def test_an_update_returns_the_item_as_it_is_then(table: Table) -> None:
    table.put(ITEM)
    assert table.update(KEY, {"status": "Claimed", "uploads": None}, CLAIMING) == {
        "pk": "run#1",
        "sk": "a",
        "status": "Claimed",
    }


@pytest.mark.parametrize("condition", [CLAIMING, unchanged({"uploads": None}), unchanged({"note": "x"}), NEW])
def test_an_update_whose_condition_does_not_hold_changes_nothing(table: Table, condition: Condition) -> None:
    table.put({**ITEM, "status": "Started"})
    assert table.update(KEY, {"reason": "late"}, condition) is None
    assert table.get("run#1", "a") == {**ITEM, "status": "Started"}


def test_a_query_gives_the_items_of_one_key_in_order(table: Table) -> None:
    for number in (2, 1, 3):
        table.put({"pk": "run#1", "sk": f"upload#{number}", "size": number})
    table.put({"pk": "run#1", "sk": "note", "size": 0})
    table.put({"pk": "run#2", "sk": "upload#9", "size": 9})
    assert [item["size"] for item in table.query("run#1")] == [0, 1, 2, 3]
    assert [item["size"] for item in table.query("run#1", "upload#")] == [1, 2, 3]
    assert [item["size"] for item in table.query("run#1", newest_first=True, most=2)] == [3, 2]
    assert list(table.query("run#3")) == []


def test_a_query_reads_no_page_that_nobody_needs() -> None:
    pages = [{"Items": [encoded(ITEM)], "LastEvaluatedKey": encoded(KEY)}, {"Items": [encoded({**ITEM, "sk": "b"})]}]
    client: Any = RecordingClient("dynamodb", {"query": list(pages)})
    found = Table(NAME, client).query("run#1")
    assert next(found)["sk"] == "a"
    assert len(client.calls) == 1
    assert next(found)["sk"] == "b"
    asked = client.requests("Query")
    assert all(request["ConsistentRead"] for request in asked)
    assert asked[1]["ExclusiveStartKey"] == encoded(KEY)


def test_a_transaction_does_all_its_writes(table: Table) -> None:
    table.put(ITEM)
    table.put({"pk": "waiting", "sk": "1"})
    assert table.transact(
        {"Put": put_request(NAME, {"pk": "run#1", "sk": "b"}, NEW)},
        {"Update": update_request(NAME, KEY, {}, CLAIMING, add={"uploads": 1})},
        {"Delete": delete_request(NAME, key("waiting", "1"), PRESENT)},
    )
    assert table.get("run#1", "a") == {**ITEM, "uploads": 4}
    assert table.get("run#1", "b") is not None
    assert table.get("waiting", "1") is None


def test_a_transaction_with_one_condition_that_does_not_hold_writes_nothing(table: Table) -> None:
    table.put(ITEM)
    assert not table.transact(
        {"Put": put_request(NAME, {"pk": "run#1", "sk": "b"}, NEW)},
        {"Delete": delete_request(NAME, key("waiting", "1"), PRESENT)},
    )
    assert table.get("run#1", "b") is None


WRITE: Any = {"Put": put_request(NAME, ITEM, NEW)}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TransactionConflict", "another transaction writes the same items"),
        ("ThrottlingError", "the table is throttled"),
        ("ProvisionedThroughputExceeded", "the table is throttled"),
    ],
)
def test_a_transaction_beside_another_or_under_throttling_is_not_decided_yet(reason: str, words: str) -> None:
    with pytest.raises(ServiceBusyError, match=f"TransactWriteItems of uploads: {words}"):
        refusing("transact_write_items", cancelled("None", reason)).transact(WRITE)
    # Where a condition has failed as well, the transaction would never have been done.
    assert not refusing("transact_write_items", cancelled("TransactionConflict", "ConditionalCheckFailed")).transact(
        WRITE
    )


def test_a_refusal_that_is_about_no_condition_names_the_call() -> None:
    denied = client_error("AccessDeniedException")
    with pytest.raises(CallRefusedError, match="dynamodb:TransactWriteItems of uploads was refused"):
        refusing("transact_write_items", cancelled("ValidationError")).transact(WRITE)
    with pytest.raises(CallRefusedError, match="dynamodb:GetItem of uploads was refused: AccessDenied"):
        refusing("get_item", denied).get("run#1", "a")
    with pytest.raises(CallRefusedError, match="dynamodb:Query of run#1 in uploads was refused"):
        list(refusing("query", denied).query("run#1"))
    with pytest.raises(CallRefusedError, match="dynamodb:PutItem of uploads was refused"):
        refusing("put_item", denied).put(ITEM, NEW)
    with pytest.raises(CallRefusedError, match="dynamodb:UpdateItem of uploads was refused"):
        refusing("update_item", denied).update(KEY, {"status": "x"}, CLAIMING)


def test_a_throttled_call_is_busy() -> None:
    throttled = client_error("ProvisionedThroughputExceededException")
    with pytest.raises(ServiceBusyError, match="dynamodb:PutItem of uploads"):
        refusing("put_item", throttled).put(ITEM)
