"""What a run is over is settled before it is sealed: it takes what waits, and leaves out what was deleted meanwhile.

Not later: the manifest behind a token must stay as it is. What is deleted after the run is sealed is its job's business
(on AWS, from memory, the download of a ManifestFile fails at a key that is not there; the local cloud's does).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import batched

from signalbox.aws.errors import CallRefusedError
from signalbox.observability import count, logger
from signalbox.project_documents import URL
from signalbox.projects import OwnedPipeline
from signalbox.uploads import remaining, rules, sets
from signalbox.uploads.model import Run, RunPostponedError, Upload
from signalbox.uploads.ports import UploadObjects, UploadStore
from signalbox.uploads.remaining import MillisecondsLeft
from signalbox.uploads.sets import Lot

_THREADS = 16  # more would wait for one another's connections to S3
_BATCH = 20 * _THREADS  # some seconds, where S3 takes a tenth of one for each


def take(
    run: Run, owned: OwnedPipeline | None, lots: Sequence[Lot] | None, store: UploadStore, left: MillisecondsLeft
) -> Run:
    """Let a run take what waits, or of `lots` those that fit; once it looks for what it took, it takes no more.

    A lot's manifest is taken first: a death between two transactions leaves it with the run, and the rest follows.

    Returns the run with what it lacks.

    Raises:
        RunPostponedError: the function's time is nearly over.
        RunConflictError: another start works on the run, or what waits waits no more.
    """
    if run.looked:
        return run
    copied, taken = owned is not None and owned.pipeline.takes == URL, store.taken(run)
    if lots is None:
        room = rules.MOST_UPLOADS - len(taken)
        waiting = rules.of_one_bucket(store.waiting(most=room) if room > 0 else ())
        uploads = rules.that_fit_a_copy(taken, waiting) if copied else waiting
    else:
        fitting = sets.that_fit(lots, taken, rules.MOST_COPIED if copied else None)
        uploads = list(dict.fromkeys(upload for lot in fitting for upload in lot.uploads if upload.run is None))
        run = run._replace(lacks=sets.lacking(fitting)) if lots else run
    for each in batched(uploads, remaining.AT_ONCE, strict=False):
        remaining.check(left, "it takes its uploads")
        store.take(run, each)
    return run


def leave_out_deleted(
    run: Run, store: UploadStore, objects: UploadObjects, clock: Callable[[], datetime], left: MillisecondsLeft
) -> Run:
    """Ask S3 for each upload of a run, and mark what it does not have any more; return the run with how far that came.

    One HEAD for each key. Safe to repeat: what is marked is the run's no more, and the rest is asked for again, from
    where the run's item says on.

    Raises:
        RunPostponedError: the function's time is nearly over; the run's item says how far it came.
        RunConflictError: another start works on the run.
    """
    uploads = [one for one in store.taken(run) if one.digest > run.looked]
    for batch in batched(uploads, _BATCH, strict=False):
        if left() < remaining.ENOUGH:
            doing = "its files are being looked for"
            store.note(run, doing)
            raise RunPostponedError(doing)
        lost = _lost(batch, objects)
        if lost:
            store.leave_out(run, lost, clock())
            logger.info("uploads gone", extra={"run": run.id, "uploads": len(lost)})
            count("UploadGone", len(lost))
        run = run._replace(looked=batch[-1].digest)
    return run


def _lost(uploads: Sequence[Upload], objects: UploadObjects) -> list[Upload]:
    """Return the uploads under whose keys there is nothing.

    Where nobody may look, the pipeline's own job says what is wrong.
    """
    places = list(dict.fromkeys((one.bucket, one.key) for one in uploads))
    try:
        if len(places) <= _THREADS:  # threads would cost more than they save
            there = [objects.look(*place) for place in places]
        else:
            with ThreadPoolExecutor(_THREADS) as pool:
                there = list(pool.map(lambda place: objects.look(*place), places))
    except CallRefusedError:
        return []
    lost = {place for place, stored in zip(places, there, strict=True) if stored is None}
    return [one for one in uploads if (one.bucket, one.key) in lost]
