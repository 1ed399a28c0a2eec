"""The uploads table.

    what                  pk                          sk
    an upload             upload#<bucket>/<key>       <version>                  with `run` once it is taken, `gone`
                                                                                 once that went on without it, `by`
                                                                                 where the uploader is known, `state`
                                                                                 and `detail` where it is set aside
    a waiting upload      waiting#<pipeline>--#<n>    <recorded_at>#<digest>     n: the digest's first digit. Gone once
                                                                                 it is taken; what no project claims
                                                                                 waits for `unclaimed`
    an upload of a run    run#<run>                   <digest>                   `gone#<run>` where it is gone
    a run                 pipeline#<pipeline>         run#<number, 8 digits>     `status`, `execution`, times, `reason`,
                                                                                 `waits_for`, `has_manifest`, `copied`,
                                                                                 `looked`, `folder`; `repeats` and
                                                                                 `commit` where a push asked for it
    a pipeline            pipelines                   <pipeline>                 once it has had a run
    what a push asks for  repeat#<pipeline>           wish                       `commit`, and `run` once one was opened
                                                                                 for it
    a commit              repeat#<pipeline>           commit#<commit>#<number>   once a run at it was asked for
    an unused file        quarantine#<execution>      <digest>                   see `quarantined`
    a mail about a run    execution#<execution>       report                     `status`, `claimed_at`

A mail about a run that is refused before it has an execution is `execution#<run>#<code>`: one for each kind of refusal.

So one query each answers which run took a file (`history`) and what became of the run (`find`, `latest`). What waits is
spread over 16 keys, so that a pipeline takes more uploads a second than one partition writes: `shards` reads them.

Items of earlier versions are still read: all that waits for a pipeline is under `waiting#<pipeline>`; times are spelled
`2026-11-20T12:00:00.000000+00:00`, which sorts among those of `moments`; an upload has no `by`; a run without a
`folder` has its manifest right under `manifests`; a run waits for what its `waits_because` says, and has no `repeats`
and no `commit`; and a mail that was sent is `told` (see `mails`).
"""

import re
from collections.abc import Iterable, Sequence
from copy import replace
from datetime import datetime
from itertools import batched, islice
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.table import (
    NEW,
    PRESENT,
    Table,
    delete_request,
    key,
    put_request,
    unchanged,
    update_request,
)
from signalbox.uploads import gone, items, lifetimes, shards, uploaders
from signalbox.uploads.model import CLAIMING, EMPTY, STARTED, SUCCEEDED, Run, RunConflictError, Upload, Wish

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from signalbox.aws.table import Value

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
        facts = items.facts_of(upload)
        known = {**items.upload_key(upload), **facts, "pipeline": self._pipeline}
        new = self._table.transact(
            {"Put": put_request(self._table.name, known, NEW)},
            {"Put": put_request(self._table.name, {**items.waiting_key(upload, self._pipeline), **facts})},
        )
        if not new and upload.by:
            uploaders.add(self._table, upload, self._pipeline)
        return new

    def waiting(self, most: int | None = None) -> Sequence[Upload]:
        """Return the waiting uploads, or at most `most` of them, the oldest first."""
        found = shards.by_time(self._table, self._pipeline, shards.page_of(most))
        return [items.waiting_in(item) for item in islice(found, most)]

    def last_waiting(self) -> Upload | None:
        """Return the waiting upload that was recorded last."""
        found = next(shards.by_time(self._table, self._pipeline, page=1, newest_first=True), None)
        return items.waiting_in(found) if found else None

    def hand_over(self, uploads: Iterable[Upload], pipeline: str) -> None:
        """Let waiting uploads wait for another pipeline, `CHUNK` in a transaction, each at its place by time.

        A death between two transactions loses nothing: each upload waits in one place, here or there.

        Raises:
            RunConflictError: one of the uploads does not wait here any more.
        """
        for chunk in batched(uploads, CHUNK, strict=False):
            if not self._table.transact(*(write for one in chunk for write in self._handing(one, pipeline))):
                raise RunConflictError(f"uploads of {self._pipeline} wait there no more")

    def set_aside(self, upload: Upload, state: str, detail: str, at: datetime) -> None:
        """Let a waiting upload wait no more, in no run: `state` and `detail` say what became of it.

        Where it waits no more already, nothing is changed: whoever was first has it.
        """
        name = self._table.name
        facts: dict[str, Value | None] = {"state": state, "detail": detail, "expires": moments.expiry(at)}
        self._table.transact(
            {"Delete": delete_request(name, items.waiting_key(upload, self._pipeline), PRESENT)},
            {"Update": update_request(name, items.upload_key(upload), facts, unchanged({"run": None}))},
        )

    def history(self, bucket: str, key: str) -> list[Upload]:
        """Return every upload recorded under a key, each with the run that took it or None."""
        return [items.upload_in(item) for item in self._table.query(f"upload#{bucket}/{key}")]

    def latest(self) -> Run | None:
        """Return the run with the highest number."""
        found = next(self._table.query(self._runs, newest_first=True, most=1), None)
        return items.run_in(found) if found else None

    def newest(self, most: int) -> list[tuple[Run, int]]:
        """Return at most `most` runs, the newest first, each with how many uploads it has taken."""
        found = self._table.query(self._runs, newest_first=True, most=most)
        return [(items.run_in(item), int(item.get("uploads", 0))) for item in found]

    def find(self, run_id: str) -> Run | None:
        """Return the run called `run_id`, which has its number in its name."""
        number = re.fullmatch(r".+-([0-9]{6,8})-[0-9]{8}T[0-9]{6}Z", run_id)
        found = self._table.get(self._runs, f"run#{int(number[1]):08d}") if number else None
        run = items.run_in(found) if found else None
        return run if run is not None and run.id == run_id else None

    def run_of(self, execution: str) -> Run | None:
        """Return the run with this execution; it is one of the newest, so the first page of the query has it."""
        for item in self._table.query(self._runs, newest_first=True):
            if item.get("execution") == execution:
                return items.run_in(item)
        return None

    def last_with_uploads(self) -> Run | None:
        """Return the last run with uploads of its own that succeeded; where none did, the last one with uploads."""
        last = None
        for item in self._table.query(self._runs, newest_first=True):
            if item.get("uploads") and item["status"] == SUCCEEDED:
                return items.run_in(item)
            if item.get("uploads") and last is None:
                last = items.run_in(item)
        return last

    def wish(self) -> Wish | None:
        """Return what the last push has asked for."""
        found = next(self._table.query(f"repeat#{self._pipeline}", "wish", most=1), None)
        return items.wish_in(found) if found else None

    def ask_again(self, commit: str, at: datetime, number: int = 1) -> bool:
        """Write down that a run at a commit is asked for, once for each change; say whether this was the first time.

        `number` counts the changes of the pipeline: a force push may lead back to a commit. It takes the place of an
        earlier wish, fulfilled or not.
        """
        name, asked = self._table.name, {"commit": commit, "asked_at": moments.text_of(at)}
        return self._table.transact(
            {"Put": put_request(name, {**items.commit_key(self._pipeline, commit, number), **asked}, NEW)},
            {"Put": put_request(name, {**items.wish_key(self._pipeline), **asked, "number": number})},
            *lifetimes.outdated(self._table, self._pipeline, commit, number, at),
        )

    def open(self, run: Run, wish: Wish | None = None) -> None:
        """Write down a new run, and with it that it fulfils a wish, or nothing.

        Its pipeline is written down before, so that whoever has a run is found when no project has it any more.

        Raises:
            RunConflictError: its number is taken, or the wish is not as it was.
        """
        self._table.put(key("pipelines", self._pipeline))
        name, put = self._table.name, put_request(self._table.name, items.new_run(run), NEW)
        if wish is None:
            opened = self._table.put(items.new_run(run), NEW)
        else:
            same = unchanged({"commit": wish.commit, "run": wish.run})
            fulfilled = update_request(name, items.wish_key(self._pipeline), {"run": run.id}, same)
            opened = self._table.transact({"Put": put}, {"Update": fulfilled})
        if not opened:
            raise RunConflictError(f"run {run.number} was opened already, or another commit is to be run")

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

    def leave_out(self, run: Run, uploads: Iterable[Upload], at: datetime) -> None:
        """Mark uploads of an unsealed run as gone, `CHUNK` in a transaction; the run has them no more.

        Raises:
            RunConflictError: the run is sealed, or one of the uploads is not its own any more.
        """
        for chunk in batched(uploads, CHUNK, strict=False):
            lost = (write for one in chunk for write in gone.writes(self._table.name, run, one, at))
            writes = [self._counting(run, -len(chunk)), *lost]
            if not self._table.transact(*writes):
                raise RunConflictError(f"{run.id} cannot leave out uploads")

    def taken(self, run: Run) -> Sequence[Upload]:
        """Return the uploads of the run."""
        return [items.upload_in(item) for item in self._table.query(f"run#{run.id}")]

    def input_of(self, run: Run) -> Sequence[Upload]:
        """Return the uploads that the run is over: its own, or those of the run that it repeats."""
        return [items.upload_in(item) for item in self._table.query(f"run#{run.source}")]

    def move(
        self, run: Run, status: str, *, at: datetime, execution: str | None = None, reason: str | None = None
    ) -> Run:
        """Give the run another status if it still has the one in `run`, and return it; it waits for nothing then.

        Raises:
            RunConflictError: it has another status by now.
        """
        started_at = at if status == STARTED else run.started_at
        execution = execution or run.execution
        facts: dict[str, Value | None] = {
            "status": status,
            "execution": execution,
            "reason": reason,
            f"{status.lower()}_at": moments.text_of(at),
        }
        if status == EMPTY:  # of the others, `lifetimes` knows how long they are needed
            facts["expires"] = moments.expiry(at)
        changes = {**items.progress_of(run), **facts, "waits_for": None, "waits_because": None}
        if self._table.update(items.run_key(run), changes, unchanged({"status": run.status})) is None:
            raise _gave_way(run)
        return replace(run, status=status, execution=execution, started_at=started_at, reason=reason, waits_for=None)

    def note(self, run: Run, waits_for: str) -> None:
        """Write beside the run what it waits for, and how much of its input it has; RunConflictError as in `move`."""
        changes: dict[str, Value | None] = {"waits_for": waits_for, **items.progress_of(run)}
        self._table.put(key("pipelines", self._pipeline))  # of a run that a version before projects opened, too
        same = unchanged({"status": run.status})
        if self._table.update(items.run_key(run), changes, same) is None:
            raise _gave_way(run)

    def _counting(self, run: Run, number: int) -> "TransactWriteItemTypeDef":
        """Return the write that counts a run's uploads, and cancels the transaction once the run is sealed."""
        claiming = unchanged({"status": CLAIMING})
        return {"Update": update_request(self._table.name, items.run_key(run), {}, claiming, add={"uploads": number})}

    def _taking(self, run: Run, upload: Upload) -> "tuple[TransactWriteItemTypeDef, ...]":
        name, facts = self._table.name, {**items.facts_of(upload), "run": run.id}
        return (
            {"Delete": delete_request(name, items.waiting_key(upload, self._pipeline), PRESENT)},
            {"Update": update_request(name, items.upload_key(upload), {"run": run.id}, unchanged({"run": None}))},
            {"Put": put_request(name, {**key(f"run#{run.id}", upload.digest), **facts})},
        )

    def _handing(self, upload: Upload, pipeline: str) -> "tuple[TransactWriteItemTypeDef, ...]":
        name, facts = self._table.name, items.facts_of(upload)
        untaken = unchanged({"run": None})
        return (
            {"Delete": delete_request(name, items.waiting_key(upload, self._pipeline), PRESENT)},
            {"Update": update_request(name, items.upload_key(upload), {"pipeline": pipeline}, untaken)},
            {"Put": put_request(name, {**items.waiting_key(replace(upload, spread=True), pipeline), **facts})},
        )


def pipelines(table: Table) -> list[str]:
    """Return the pipelines that have had runs, since they are written down."""
    return [str(item["sk"]) for item in table.query("pipelines")]


def _gave_way(run: Run) -> RunConflictError:
    return RunConflictError(f"{run.id} is not {run.status} any more")
