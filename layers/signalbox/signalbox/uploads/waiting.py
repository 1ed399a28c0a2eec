"""What waits: uploads that no execution has yet, because no run took them, or their run could not start so far."""

from collections.abc import Sequence
from datetime import datetime

from signalbox import moments
from signalbox.uploads.model import STARTED, Upload
from signalbox.uploads.ports import UploadStore


def unstarted(store: UploadStore, most: int | None = None) -> Sequence[Upload]:
    """Return uploads without an execution, the oldest first: those of a run that has not started, then those of none.

    At most `most` of the latter are read.
    """
    run = store.latest()
    taken = store.taken(run) if run is not None and run.open and run.status != STARTED else ()
    return sorted([*taken, *store.waiting(most)], key=_recorded)


def seconds_waiting(store: UploadStore, now: datetime) -> float:
    """Return for how long the oldest upload has had no execution; 0 where none waits."""
    waiting = unstarted(store, most=1)
    return max((now - _recorded(waiting[0])).total_seconds(), 0.0) if waiting else 0.0


def _recorded(upload: Upload) -> datetime:
    return moments.moment_of(upload.recorded_at)
