"""A backup: what has changed since the last snapshot goes into the bucket, and a document says when all is there."""

import json
import logging
from typing import TYPE_CHECKING

from signalbox_snapshot import earlier, keys
from signalbox_snapshot.entries import FILE, LINK
from signalbox_snapshot.environments import note
from signalbox_snapshot.errors import IncompleteError, MissingError, SnapshotError
from signalbox_snapshot.job import BACKUP, mark, marker_text, unmark
from signalbox_snapshot.manifest import Completion, ManifestWriter, Totals, completion_bytes, completion_of
from signalbox_snapshot.pool import Pool
from signalbox_snapshot.progress import Counts
from signalbox_snapshot.recreation import leave
from signalbox_snapshot.saving import Saver, Tools
from signalbox_snapshot.status import moment
from signalbox_snapshot.walking import walk

if TYPE_CHECKING:
    from signalbox_snapshot.job import Job
    from signalbox_snapshot.objects import Objects
    from signalbox_snapshot.settings import Instance, Wishes

_LOG = logging.getLogger(__name__)


def snapshot_of(objects: "Objects", instance: "Instance", wishes: "Wishes", now: float) -> str:
    """Return the name of the snapshot to make: that which the request was given first, whoever took it up.

    Without a request it is that of the first second from `now` that no snapshot has: a clock that was put back, or two
    starts within a second, do not make a new snapshot of an old one.
    """
    if wishes.request is None:
        return _free(objects, instance.name, now)
    name = keys.snapshot_name(instance.name, now)
    key = keys.request(instance.name, BACKUP, wishes.request)
    if objects.put_if_absent(key, json.dumps({"snapshot": name}).encode()):
        return name
    try:
        return str(json.loads(objects.get(key).decode())["snapshot"])
    except (ValueError, TypeError, KeyError) as error:
        raise SnapshotError(f"{objects.address(key)} is damaged", "make a new request") from error


def _free(objects: "Objects", instance: str, now: float) -> str:
    while True:
        name = keys.snapshot_name(instance, now)
        if next(iter(objects.list(keys.of_snapshot(name))), None) is None:
            return name
        now += 1


def back_up(job: "Job", now: float) -> None:
    """Save everything at `now` (seconds since 1970), or take the counts of a request that is complete already.

    Raises IncompleteError where files could not be read (the snapshot is kept, and called partial), and what else ends
    a backup.
    """
    done = _completion(job)
    if done:
        counts = done.totals
        # Whoever completed the snapshot may have died before the script was left.
        _count(job)
        job.progress.restored(
            Counts(counts.files, counts.bytes, counts.files, counts.bytes, counts.left_out, 0, counts.secrets, ())
        )
        leave(job)
        mark(job, BACKUP, marker_text(job, BACKUP))
        return
    unmark(job, BACKUP)
    earlier.contents(job.objects, job.notes, now)
    earlier.entries(job.objects, job.notes, job.instance.name)
    writer = ManifestWriter(job.objects, job.snapshot)
    _save(job, writer)
    _complete(job, writer)


def _completion(job: "Job") -> "Completion | None":
    if job.wishes.request is None:
        return None
    try:
        return completion_of(job.objects.get(keys.complete(job.snapshot)), job.snapshot)
    except MissingError:
        return None


def _save(job: "Job", writer: ManifestWriter) -> None:
    _count(job)
    pool = Pool()
    saver = Saver(Tools(job.objects, job.notes, writer, pool, job.progress, job.wishes.with_secrets))
    try:
        for seen in walk(job.home, job.notes):
            saver.save(seen)
        saver.finish()
    finally:
        pool.abandon()


def _count(job: "Job") -> None:
    """Note how much there is to save, and which environments."""
    files = size = 0
    for seen in walk(job.home, job.notes):
        if seen.kind in {FILE, LINK} and not seen.reason and seen.status is not None:
            files += 1
            size += seen.status.st_size if seen.kind == FILE else 0
        note(job.notes, seen.path, seen.kind)
    job.progress.total(files, size)


def _complete(job: "Job", writer: ManifestWriter) -> None:
    counts = job.progress.counts()
    totals = Totals(
        entries=sum(part.lines for part in writer.parts),
        files=counts.files_done,
        bytes=counts.bytes_done,
        left_out=counts.left_out,
        unreadable=counts.failed,
        secrets=counts.secrets,
    )
    body = completion_bytes(
        Completion(
            job.snapshot, job.instance.name, job.wishes.request, moment(), job.worker, totals, tuple(writer.parts)
        )
    )
    if counts.failed:
        job.objects.put(keys.partial(job.snapshot), body)
        leave(job)
        raise IncompleteError(
            f"{counts.failed} files could not be read: {counts.files_done} are saved in the partial snapshot",
            "see the report in the bucket, mend or remove these files and start the instance again; what was saved is "
            "restored with the tag snapshot-partial = restore",
        )
    job.objects.put(keys.complete(job.snapshot), body)
    text = marker_text(job, BACKUP)
    job.objects.put(keys.marker(job.snapshot), text)
    leave(job)
    mark(job, BACKUP, text)
    _LOG.info("snapshot %s is complete: %d files", job.snapshot, counts.files_done)
