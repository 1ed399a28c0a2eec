"""The uploads of a stack by how they stand, the newest first."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from signalbox.uploads import gone
from signalbox.uploads.model import EMPTY, STARTED, SUCCEEDED, Run, Upload
from signalbox_operate.uploads import GONE, WAITING, Fate, UploadsOfStack

_MOST_RUNS = 1_000  # of a pipeline, the newest


class UploadState(StrEnum):
    """How an upload stands: it waits, is in an active run, in one that succeeded or that did not, or was deleted."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"


def of(wanted: UploadState, uploads: UploadsOfStack, most: int) -> list[Fate]:
    """Return at most `most` uploads in a state, the newest first."""
    found = _waiting(uploads) if wanted is UploadState.WAITING else _taken(wanted, uploads, most)
    return sorted(found, key=lambda fate: fate.upload.recorded_at, reverse=True)[:most]


def _waiting(uploads: UploadsOfStack) -> Iterator[Fate]:
    for each in uploads.waiting():
        yield from (Fate(upload, WAITING, each.reason) for upload in each.uploads)


def _taken(wanted: UploadState, uploads: UploadsOfStack, most: int) -> Iterator[Fate]:
    """Yield the uploads of the newest runs of each pipeline that are in a state: of as many runs as `most` takes."""
    for pipeline in uploads.pipelines():
        found = 0
        for fates in _of_runs(wanted, uploads, pipeline):
            yield from fates
            found += len(fates)
            if found >= most:
                break


def _of_runs(wanted: UploadState, uploads: UploadsOfStack, pipeline: str) -> Iterator[list[Fate]]:
    store = uploads.of(pipeline)
    runs = [run for run, _ in store.newest(_MOST_RUNS)]
    repeated = {run.repeats for run in runs if run.status == SUCCEEDED}
    for run in runs:
        if wanted is UploadState.GONE:
            lost = _own(run, uploads, gone.of(uploads.table, run))
            yield [Fate(upload, GONE, f"{run.id} went on without it") for upload in lost]
        elif _state(run, repeated) is wanted:
            yield [Fate(upload, run.status, run.reason or "") for upload in _own(run, uploads, store.taken(run))]


def _state(run: Run, repeated: set[str | None]) -> UploadState | None:
    """Return how the uploads of a run stand; None where it is about to start, so that they wait, or has none."""
    if run.status == STARTED:
        return UploadState.RUNNING
    if run.open or run.status == EMPTY:
        return None
    return UploadState.DONE if run.status == SUCCEEDED or run.id in repeated else UploadState.FAILED


def _own(run: Run, uploads: UploadsOfStack, taken: Sequence[Upload]) -> Iterator[Upload]:
    """Yield the uploads that still are a run's: what was let wait again is none of it."""
    for one in taken:
        known = uploads.known(one)
        if known is not None and known.run == run.id:
            yield one
