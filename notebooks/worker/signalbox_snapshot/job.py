"""What a backup and a restore work with, and the markers that they leave in the home folder as AWS's sample does."""

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import keys
from signalbox_snapshot.errors import MissingError, SnapshotError
from signalbox_snapshot.progress import Counts
from signalbox_snapshot.status import COMPLETE

if TYPE_CHECKING:
    from signalbox_snapshot.index import Index
    from signalbox_snapshot.objects import Objects
    from signalbox_snapshot.progress import Progress
    from signalbox_snapshot.settings import Instance, Wishes

BACKUP, RESTORE = "backup", "restore"
_MARKERS = {BACKUP: "BACKUP_COMPLETE", RESTORE: "SYNC_COMPLETE"}


class Job(NamedTuple):
    """One backup or restore of the home folder `home`; `partial` takes a snapshot that lacks files, or parts of it."""

    instance: "Instance"
    wishes: "Wishes"
    objects: "Objects"
    notes: "Index"
    progress: "Progress"
    home: bytes
    snapshot: str
    worker: str
    partial: bool = False


def already_done(job: Job, operation: str) -> bool:
    """Whether the request was carried out, and told, before; then its counts are told again, and nothing is done."""
    if job.wishes.request is None:
        return False
    try:
        given = json.loads(job.objects.get(keys.result(COMPLETE, job.instance.name, operation, job.snapshot)).decode())
        if given["request"] != job.wishes.request:
            return False
        files, size, left = given["files"], given["bytes"], tuple(given["left_out"])
        job.progress.restored(
            Counts(
                files["total"],
                size["total"],
                files["done"],
                size["done"],
                files["left_out"],
                0,
                given["secrets"],
                left,
                given.get("environments", 0),
            )
        )
    except (MissingError, ValueError, TypeError, KeyError):
        return False
    return True


def marker_text(job: Job, operation: str) -> bytes:
    """Return what the marker says: the sample's lines, and how many files were left out."""
    left = job.progress.counts().left_out
    lines = [f"Created {job.objects.address('snapshots/' + job.snapshot + '/')}"] if operation == BACKUP else []
    lines.append(f"Completed at {time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime())}")
    lines += [f"Files left out: {left} (see the report in the bucket)"] if left else []
    return "".join(line + "\n" for line in lines).encode()


def mark(job: Job, operation: str, text: bytes) -> None:
    """Leave the marker; raise SnapshotError where the volume takes none."""
    try:
        with open(os.path.join(job.home, _MARKERS[operation].encode()), "wb") as file:
            file.write(text)
    except OSError as error:
        raise SnapshotError(
            f"the work is done, and its marker could not be written: {error.strerror}",
            "make room on the volume, and start the instance again",
        ) from error


def unmark(job: Job, operation: str) -> None:
    """Take the marker of earlier work away: it would be taken for this one's."""
    try:
        os.remove(os.path.join(job.home, _MARKERS[operation].encode()))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SnapshotError(
            f"the marker of earlier work cannot be removed: {error.strerror}", f"remove {_MARKERS[operation]} by hand"
        ) from error
