"""The uploads table.

    what                  pk                          sk
    an upload             upload#<bucket>/<key>       <version>                  with `run` once it is taken
    a waiting upload      waiting#<pipeline>          <recorded_at>#<digest>     gone once it is taken
    an upload of a run    run#<run>                   <digest>
    a run                 pipeline#<pipeline>         run#<number, 8 digits>     `status`, `execution`, times, `reason`
    a mail about a run    execution#<execution>       report                     `status`, `claimed_at`

So one query each answers which run took a file (`history`), what became of the run (`find`, `latest`), and what waits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from signalbox.aws import clients
from signalbox.uploads import records, rules
from signalbox.uploads.items import (
    CLAIMING,
    STARTED,
    ReportUnderWayError,
    Run,
    RunConflictError,
    Upload,
    UploadsError,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A transaction has 100 items (Amazon DynamoDB API reference, TransactWriteItems): 3 for each upload, 1 for the run.
CHUNK = 33
_NEW = "attribute_not_exists(pk)"
CLAIMED, TOLD = "claimed", "told"  # of a mail
_REFUSED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class UploadsTable:
    """The uploads of one pipeline and its runs, in DynamoDB."""

    def __init__(self, table: str, pipeline: str, client: "DynamoDBClient | None" = None) -> None:
        self._table = table
        self._pipeline = pipeline
        self._db = client or clients.client("dynamodb")

    def record(self, upload: Upload) -> bool:
        """Write an upload down as waiting, once for each business key; say whether this was the first time.

        Both items are written or none is, so an upload that is known is waiting or taken: the second delivery of its
        event has nothing to repair.
        """
        facts = records.facts_of_upload(upload)
        known = {**records.key_of_upload(upload), **facts, "pipeline": records.value(self._pipeline)}
        try:
            self._db.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self._table, "Item": known, "ConditionExpression": _NEW}},
                    {"Put": {"TableName": self._table, "Item": {**self._waiting_key(upload), **facts}}},
                ]
            )
        except ClientError as error:
            if "ConditionalCheckFailed" in _cancelled(error):
                return False
            raise UploadsError("dynamodb:TransactWriteItems of an upload", str(error)) from error
        return True

    def latest(self) -> Run | None:
        """Return the run with the highest number."""
        found = self._query(f"pipeline#{self._pipeline}", newest_first=True, most=1)
        return next((records.run_of(item) for item in found), None)

    def find(self, run_id: str) -> Run | None:
        """Return the run called `run_id`."""
        return next((run for run in self.runs() if run.id == run_id), None)

    def run_of(self, execution: str) -> Run | None:
        """Return the run with this execution; it is one of the newest, so the first page of the query has it."""
        return next((run for run in self.runs() if run.execution == execution), None)

    def runs(self) -> Iterator[Run]:
        """Return all runs, the newest first."""
        return (records.run_of(item) for item in self._query(f"pipeline#{self._pipeline}", newest_first=True))

    def history(self, bucket: str, key: str) -> list[Upload]:
        """Return every upload recorded under a key, each with the run that took it or None."""
        return [records.upload_of(item) for item in self._query(f"upload#{bucket}/{key}")]

    def open(self, run: Run) -> None:
        """Write down a new run; RunConflictError if its number is taken."""
        item = {
            **self._run_key(run),
            "run": records.value(run.id),
            "pipeline": records.value(run.pipeline),
            "number": records.value(run.number),
            "status": records.value(run.status),
            "created_at": records.value(run.created_at.isoformat()),
            "uploads": records.value(0),
        }
        with _Conflict("dynamodb:PutItem of a run", f"run {run.number} was opened already"):
            self._db.put_item(TableName=self._table, Item=item, ConditionExpression=_NEW)

    def waiting(self, most: int) -> Sequence[Upload]:
        """Return at most `most` waiting uploads, the oldest first."""
        return [records.upload_of(item) for item in self._query(f"waiting#{self._pipeline}", most=most)]

    def take(self, run: Run, uploads: Sequence[Upload]) -> None:
        """Move waiting uploads to the run, `CHUNK` in a transaction.

        A death between two transactions loses nothing: the run is not sealed, so what still waits is taken when it is
        gone on with. Taken twice is impossible: what does not wait any more cancels the transaction.

        Raises:
            RunConflictError: the run is sealed, or one of the uploads does not wait any more.
        """
        for chunk in batched(uploads, CHUNK, strict=False):
            writes: list[Any] = [self._counting(run, len(chunk))]
            for upload in chunk:
                writes += self._taking(run, upload)
            with _Conflict("dynamodb:TransactWriteItems of a run", f"{run.id} cannot take uploads that wait"):
                self._db.transact_write_items(TransactItems=writes)

    def taken(self, run: Run) -> Sequence[Upload]:
        """Return the uploads of the run."""
        return [records.upload_of(item) for item in self._query(f"run#{run.id}")]

    def move(
        self, run: Run, status: str, *, at: datetime, execution: str | None = None, reason: str | None = None
    ) -> Run:
        """Give the run another status if it still has the one in `run`, and return it.

        Raises:
            RunConflictError: it has another status by now.
        """
        facts = {"status": status, f"{status.lower()}_at": at.isoformat(), "execution": execution, "reason": reason}
        self._set(run, {name: text for name, text in facts.items() if text is not None})
        started_at = at if status == STARTED else run.started_at
        return replace(run, status=status, execution=execution or run.execution, started_at=started_at, reason=reason)

    def note(self, run: Run, reason: str) -> None:
        """Write beside the run why it waits."""
        self._set(run, {"waits_because": reason})

    def _set(self, run: Run, facts: Mapping[str, str]) -> None:
        with _Conflict("dynamodb:UpdateItem of a run", f"{run.id} is not {run.status} any more"):
            self._db.update_item(
                TableName=self._table,
                Key=self._run_key(run),
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in facts)}",
                ConditionExpression="#status = :from",
                ExpressionAttributeNames={f"#{name}": name for name in {*facts, "status"}},
                ExpressionAttributeValues={
                    ":from": records.value(run.status),
                    **{f":{name}": records.value(text) for name, text in facts.items()},
                },
            )

    def _counting(self, run: Run, number: int) -> Any:
        """Return the write that counts a run's uploads, and cancels the transaction once the run is sealed."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": self._run_key(run),
                "UpdateExpression": "ADD uploads :number",
                "ConditionExpression": "#status = :claiming",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {":number": records.value(number), ":claiming": records.value(CLAIMING)},
            }
        }

    def _taking(self, run: Run, upload: Upload) -> list[Any]:
        facts = {**records.facts_of_upload(upload), "run": records.value(run.id)}
        return [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": self._waiting_key(upload),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
            {
                "Update": {
                    "TableName": self._table,
                    "Key": records.key_of_upload(upload),
                    "UpdateExpression": "SET #run = :run",
                    "ConditionExpression": "attribute_not_exists(#run)",
                    "ExpressionAttributeNames": {"#run": "run"},
                    "ExpressionAttributeValues": {":run": records.value(run.id)},
                }
            },
            {"Put": {"TableName": self._table, "Item": {**records.key(f"run#{run.id}", upload.digest), **facts}}},
        ]

    def _query(self, pk: str, *, newest_first: bool = False, most: int | None = None) -> Iterator[Mapping[str, Any]]:
        return _items(self._db, self._table, pk, newest_first=newest_first, most=most)

    def _waiting_key(self, upload: Upload) -> dict[str, Any]:
        return records.key(f"waiting#{self._pipeline}", f"{upload.recorded_at}#{upload.digest}")

    def _run_key(self, run: Run) -> dict[str, Any]:
        return records.key(f"pipeline#{self._pipeline}", f"run#{run.number:08d}")


class ReportsTable:
    """The mails about executions that did not succeed, in the same table: `claimed` before, `told` afterwards."""

    def __init__(self, table: str, client: "DynamoDBClient | None" = None) -> None:
        self._table = table
        self._db = client or clients.client("dynamodb")

    def told(self, execution: str) -> bool:
        """Say whether the mail about an execution was sent."""
        found = _items(self._db, self._table, f"execution#{execution}", newest_first=False, most=1)
        return any(item["status"]["S"] == TOLD for item in found)

    def claim(self, execution: str, now: datetime, lease: timedelta) -> bool:
        """Take the mail about an execution upon oneself; False if it was sent before.

        Whoever claimed it longer ago than `lease` is dead, and its claim is taken over.

        Raises:
            ReportUnderWayError: somebody else has claimed it a moment ago.
        """
        try:
            self._db.put_item(
                TableName=self._table,
                Item=_report(execution, CLAIMED, now),
                ConditionExpression=f"{_NEW} OR (#status = :claimed AND claimed_at < :dead)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":claimed": records.value(CLAIMED),
                    ":dead": records.value(rules.stamp(now - lease)),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise UploadsError("dynamodb:PutItem of a report", str(error)) from error
            if self.told(execution):
                return False
            raise ReportUnderWayError(execution) from error
        return True

    def close(self, execution: str, now: datetime) -> None:
        """Write down that the mail was sent."""
        try:
            self._db.put_item(TableName=self._table, Item=_report(execution, TOLD, now))
        except ClientError as error:
            raise UploadsError("dynamodb:PutItem of a report", str(error)) from error


def _report(execution: str, status: str, now: datetime) -> dict[str, Any]:
    facts = {"status": records.value(status), "claimed_at": records.value(rules.stamp(now))}
    return {**records.key(f"execution#{execution}", "report"), **facts}


def _items(
    client: "DynamoDBClient", table: str, pk: str, *, newest_first: bool, most: int | None
) -> Iterator[Mapping[str, Any]]:
    """Return the items under `pk` in the order of their sort keys, read consistently."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": records.value(pk)},
        ConsistentRead=True,
        ScanIndexForward=not newest_first,
        PaginationConfig={"PageSize": most} if most is not None else {},
    )
    try:
        yield from islice((item for page in pages for item in page["Items"]), most)
    except ClientError as error:
        raise UploadsError(f"dynamodb:Query of {pk}", str(error)) from error


class _Conflict:
    """Turns a refused condition into RunConflictError, and any other refusal into UploadsError."""

    def __init__(self, call: str, what: str) -> None:
        self._call, self._what = call, what

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            if error.response["Error"]["Code"] in _REFUSED:
                raise RunConflictError(self._what) from error
            raise UploadsError(self._call, str(error)) from error


def _cancelled(error: ClientError) -> list[str]:
    """Return the reasons for which a transaction was cancelled, none for another error."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "") for reason in reasons]
