"""The uploads table.

    what                  pk                          sk
    an upload             upload#<bucket>/<key>       <version>                  with `run` once it is taken, and
                                                                                 `by` where the uploader is known
    a waiting upload      waiting#<pipeline>          <recorded_at>#<digest>     gone once it is taken; what no project
                                                                                 claims waits for `unclaimed`
    an upload of a run    run#<run>                   <digest>
    a run                 pipeline#<pipeline>         run#<number, 8 digits>     `status`, `execution`, times, `reason`,
                                                                                 `waits_for`, `has_manifest`, `copied`,
                                                                                 `folder`
    a pipeline            pipelines                   <pipeline>                 once it has had a run
    a mail about a run    execution#<execution>       report                     `status`, `claimed_at`

A mail about a run that is refused before it has an execution is `execution#<run>#<code>`: one for each kind of refusal.

So one query each answers which run took a file (`history`), what became of the run (`find`, `latest`), and what waits.

Items of earlier versions are still read: their times are spelled `2026-11-20T12:00:00.000000+00:00`, which sorts among
those of `moments`; an upload has no `by`; a run without a `folder` has its manifest right under `manifests`; a run
waits for what its `waits_because` says; and a mail that was sent is `told` (see `mails`).
"""

import re
from collections.abc import Iterable, Sequence
from copy import replace
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.table import (
    NEW,
    PRESENT,
    Item,
    Table,
    Value,
    delete_request,
    key,
    put_request,
    unchanged,
    update_request,
)
from signalbox.uploads.model import CLAIMING, MANIFESTS, STARTED, Run, RunConflictError, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# A transaction has 100 items (Amazon DynamoDB API reference, TransactWriteItems): 3 for each upload, 1 for the run.
CHUNK = 33


class UploadsTable:
    """The uploads of one pipeline and its runs. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table, pipeline: str) -> None:
        self._table = table
        self._pipeline = pipeline
        self._runs = f"pipeline#{pipeline}"

    def record(self, upload: Upload) -> bool:
        """Write an upload down as waiting, once for each business key; say whether this was the first time.

        Both items are written or none is, so an upload that is known is waiting or taken: the second delivery of its
        event has nothing to repair. It may know what the first did not: who uploaded.
        """
        facts = _facts(upload)
        known = {**_upload_key(upload), **facts, "pipeline": self._pipeline}
        new = self._table.transact(
            {"Put": put_request(self._table.name, known, NEW)},
            {"Put": put_request(self._table.name, {**self._waiting_key(upload), **facts})},
        )
        if not new and upload.by:
            self._add_uploader(upload)
        return new

    def waiting(self, most: int | None = None) -> Sequence[Upload]:
        """Return the waiting uploads, or at most `most` of them, the oldest first."""
        return [_upload(item) for item in self._table.query(f"waiting#{self._pipeline}", most=most)]

    def last_waiting(self) -> Upload | None:
        """Return the waiting upload that was recorded last."""
        found = next(self._table.query(f"waiting#{self._pipeline}", newest_first=True, most=1), None)
        return _upload(found) if found else None

    def hand_over(self, uploads: Iterable[Upload], pipeline: str) -> None:
        """Let waiting uploads wait for another pipeline, `CHUNK` in a transaction, each at its place by time.

        A death between two transactions loses nothing: each upload waits in one place, here or there.

        Raises:
            RunConflictError: one of the uploads does not wait here any more.
        """
        for chunk in batched(uploads, CHUNK, strict=False):
            if not self._table.transact(*(write for one in chunk for write in self._handing(one, pipeline))):
                raise RunConflictError(f"uploads of {self._pipeline} wait there no more")

    def history(self, bucket: str, key: str) -> list[Upload]:
        """Return every upload recorded under a key, each with the run that took it or None."""
        return [_upload(item) for item in self._table.query(f"upload#{bucket}/{key}")]

    def latest(self) -> Run | None:
        """Return the run with the highest number."""
        found = next(self._table.query(self._runs, newest_first=True, most=1), None)
        return _run(found) if found else None

    def newest(self, most: int) -> list[tuple[Run, int]]:
        """Return at most `most` runs, the newest first, each with how many uploads it has taken."""
        items = self._table.query(self._runs, newest_first=True, most=most)
        return [(_run(item), int(item.get("uploads", 0))) for item in items]

    def find(self, run_id: str) -> Run | None:
        """Return the run called `run_id`, which has its number in its name."""
        number = re.fullmatch(r".+-([0-9]{6,8})-[0-9]{8}T[0-9]{6}Z", run_id)
        found = self._table.get(self._runs, f"run#{int(number[1]):08d}") if number else None
        run = _run(found) if found else None
        return run if run is not None and run.id == run_id else None

    def run_of(self, execution: str) -> Run | None:
        """Return the run with this execution; it is one of the newest, so the first page of the query has it."""
        for item in self._table.query(self._runs, newest_first=True):
            if item.get("execution") == execution:
                return _run(item)
        return None

    def open(self, run: Run) -> None:
        """Write down a new run; RunConflictError if its number is taken.

        Its pipeline is written down before, so that whoever has a run is found when no project has it any more.
        """
        self._table.put(key("pipelines", self._pipeline))
        item = {
            **self._run_key(run),
            "run": run.id,
            "pipeline": run.pipeline,
            "number": run.number,
            "status": run.status,
            "created_at": moments.text_of(run.created_at),
            "folder": run.folder,
            "uploads": 0,
        }
        if not self._table.put(item, NEW):
            raise RunConflictError(f"run {run.number} was opened already")

    def take(self, run: Run, uploads: Iterable[Upload]) -> None:
        """Move waiting uploads to the run, `CHUNK` in a transaction.

        A death between two transactions loses nothing: the run is not sealed, so what still waits is taken when it is
        gone on with. Taken twice is impossible: what does not wait any more cancels the transaction.

        Raises:
            RunConflictError: the run is sealed, or one of the uploads does not wait any more.
        """
        for chunk in batched(uploads, CHUNK, strict=False):
            writes = [self._counting(run, len(chunk)), *(write for one in chunk for write in self._taking(run, one))]
            if not self._table.transact(*writes):
                raise RunConflictError(f"{run.id} cannot take uploads that wait")

    def taken(self, run: Run) -> Sequence[Upload]:
        """Return the uploads of the run."""
        return [_upload(item) for item in self._table.query(f"run#{run.id}")]

    def move(
        self, run: Run, status: str, *, at: datetime, execution: str | None = None, reason: str | None = None
    ) -> Run:
        """Give the run another status if it still has the one in `run`, and return it; it waits for nothing then.

        Raises:
            RunConflictError: it has another status by now.
        """
        started_at = at if status == STARTED else run.started_at
        execution = execution or run.execution
        facts = {"status": status, "execution": execution, "reason": reason, "waits_for": None, "waits_because": None}
        changes = {**facts, f"{status.lower()}_at": moments.text_of(at)}
        if self._table.update(self._run_key(run), changes, unchanged({"status": run.status})) is None:
            raise _gave_way(run)
        return replace(run, status=status, execution=execution, started_at=started_at, reason=reason, waits_for=None)

    def note(self, run: Run, waits_for: str) -> None:
        """Write beside the run what it waits for, and how much of its input it has; RunConflictError as in `move`."""
        done: dict[str, Value | None] = {"has_manifest": int(run.has_manifest), "copied": run.copied}
        changes = {"waits_for": waits_for, "folder": run.folder, **done}
        self._table.put(key("pipelines", self._pipeline))  # of a run that a version before projects opened, too
        same = unchanged({"status": run.status})
        if self._table.update(self._run_key(run), changes, same) is None:
            raise _gave_way(run)

    def _add_uploader(self, upload: Upload) -> None:
        """Write who uploaded beside a known upload that lacks it, and where it waits or was taken to.

        If it is taken or handed over in this moment, it goes without.
        """
        name, found = self._table.name, self._table.get(f"upload#{upload.bucket}/{upload.key}", upload.version)
        if found is None or "by" in found:
            return
        known, added = _upload(found), {"by": upload.by}
        waiting = _waiting_key(known, known.pipeline or self._pipeline)
        place = key(f"run#{known.run}", known.digest) if known.run else waiting
        self._table.transact(
            {"Update": update_request(name, _upload_key(known), added, unchanged({"by": None, "run": known.run}))},
            {"Update": update_request(name, place, added, PRESENT)},
        )

    def _counting(self, run: Run, number: int) -> "TransactWriteItemTypeDef":
        """Return the write that counts a run's uploads, and cancels the transaction once the run is sealed."""
        claiming = unchanged({"status": CLAIMING})
        return {"Update": update_request(self._table.name, self._run_key(run), {}, claiming, add={"uploads": number})}

    def _taking(self, run: Run, upload: Upload) -> "tuple[TransactWriteItemTypeDef, ...]":
        name, facts = self._table.name, {**_facts(upload), "run": run.id}
        return (
            {"Delete": delete_request(name, self._waiting_key(upload), PRESENT)},
            {"Update": update_request(name, _upload_key(upload), {"run": run.id}, unchanged({"run": None}))},
            {"Put": put_request(name, {**key(f"run#{run.id}", upload.digest), **facts})},
        )

    def _handing(self, upload: Upload, pipeline: str) -> "tuple[TransactWriteItemTypeDef, ...]":
        name, facts = self._table.name, _facts(upload)
        untaken = unchanged({"run": None})
        return (
            {"Delete": delete_request(name, self._waiting_key(upload), PRESENT)},
            {"Update": update_request(name, _upload_key(upload), {"pipeline": pipeline}, untaken)},
            {"Put": put_request(name, {**_waiting_key(upload, pipeline), **facts})},
        )

    def _waiting_key(self, upload: Upload) -> Item:
        return _waiting_key(upload, self._pipeline)

    def _run_key(self, run: Run) -> Item:
        return key(self._runs, f"run#{run.number:08d}")


def pipelines(table: Table) -> list[str]:
    """Return the pipelines that have had runs, since they are written down."""
    return [str(item["sk"]) for item in table.query("pipelines")]


def _gave_way(run: Run) -> RunConflictError:
    return RunConflictError(f"{run.id} is not {run.status} any more")


def _waiting_key(upload: Upload, pipeline: str) -> Item:
    return key(f"waiting#{pipeline}", f"{upload.recorded_at}#{upload.digest}")


def _upload_key(upload: Upload) -> Item:
    """Return the key that makes an upload known once."""
    return key(f"upload#{upload.bucket}/{upload.key}", upload.version)


def _facts(upload: Upload) -> dict[str, Value]:
    """Return an upload's attributes but its key and its run."""
    facts: dict[str, Value] = {
        "bucket": upload.bucket,
        "key": upload.key,
        "version": upload.version,
        "size": upload.size,
        "recorded_at": upload.recorded_at,
    }
    return {**facts, "by": upload.by} if upload.by else facts


def _upload(item: Item) -> Upload:
    return Upload(
        bucket=str(item["bucket"]),
        key=str(item["key"]),
        version=str(item["version"]),
        size=int(item["size"]),
        recorded_at=str(item["recorded_at"]),
        run=_text(item, "run"),
        by=_text(item, "by") or "",
        pipeline=_text(item, "pipeline") or "",
    )


def _run(item: Item) -> Run:
    started_at = _text(item, "started_at")
    return Run(
        pipeline=str(item["pipeline"]),
        number=int(item["number"]),
        created_at=moments.moment_of(str(item["created_at"])),
        status=str(item["status"]),
        execution=_text(item, "execution"),
        started_at=moments.moment_of(started_at) if started_at else None,
        reason=_text(item, "reason"),
        waits_for=_text(item, "waits_for") or _text(item, "waits_because"),
        has_manifest=bool(item.get("has_manifest")),
        copied=int(item.get("copied") or 0),
        folder=_text(item, "folder") or MANIFESTS,
    )


def _text(item: Item, name: str) -> str | None:
    return str(item[name]) if item.get(name) else None
