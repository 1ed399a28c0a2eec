"""Finds a snapshot by its whole name, and reads what it says of every file."""

from typing import TYPE_CHECKING

from signalbox_snapshot import keys
from signalbox_snapshot.errors import DamagedError, MissingError, SnapshotError
from signalbox_snapshot.manifest import completion_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox_snapshot.job import Job
    from signalbox_snapshot.manifest import Completion

_NAMED = 5


def completion(job: "Job") -> "Completion":
    """Return the document of the snapshot that is asked for, or of a partial one if that is asked for.

    Raises SnapshotError where there is none of exactly that name, and DamagedError where it is not what was put there.
    """
    if not job.snapshot:
        raise SnapshotError(
            "it has no tag backup-snapshot", "give the instance the tag backup-snapshot with the name of a snapshot"
        )
    for key in (keys.complete, keys.partial) if job.partial else (keys.complete,):
        try:
            return completion_of(job.objects.get(key(job.snapshot)), job.snapshot)
        except MissingError as error:
            if error.code == "NoSuchBucket":
                raise
    raise _missing(job)


def wanted_lines(job: "Job", document: "Completion") -> "Iterator[str]":
    """Yield the lines of the manifest; of a partial snapshot, of the parts that are there."""
    return _of_parts(job, document) if job.partial else lines_of(job.objects, document)


def _of_parts(job: "Job", document: "Completion") -> "Iterator[str]":
    for part in document.parts:
        try:
            yield from lines_of(job.objects, document._replace(parts=(part,)))
        except DamagedError as error:
            job.progress.left(keys.part(job.snapshot, part.digest).encode(), f"{part.lines} entries are lost: {error}")


def _missing(job: "Job") -> SnapshotError:
    begun, complete = False, []
    for listed in job.objects.list("snapshots/" + job.snapshot):
        name, file = listed.key.split("/", 2)[1:]
        begun = begun or name == job.snapshot
        complete += [name] if file == "complete.json" else []
    where = job.objects.address("snapshots/")
    if begun:
        return SnapshotError(
            f"snapshot {job.snapshot} in {where} is not complete",
            "start its instance again to complete it, or take what is there with the tag snapshot-partial = restore",
        )
    others = ": " + ", ".join(sorted(complete)[-_NAMED:]) if complete else ""
    return SnapshotError(
        f"there is no snapshot {job.snapshot} in {where}",
        f"give the tag backup-snapshot the whole name of a complete snapshot{others}",
    )
