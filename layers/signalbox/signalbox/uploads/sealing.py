"""A run that was opened takes what waits, and is sealed."""

from collections.abc import Sequence
from datetime import datetime

from signalbox.project_documents import URL
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules, sets
from signalbox.uploads.model import CLAIMED, Run
from signalbox.uploads.ports import UploadStore
from signalbox.uploads.sets import Lot


def seal(run: Run, owned: OwnedPipeline | None, lots: Sequence[Lot] | None, store: UploadStore, at: datetime) -> Run:
    """Let a run that was opened take what waits, or of `lots` those that fit, and seal it.

    A lot's manifest is taken first: a death between two transactions leaves it with the run, and the rest follows.

    Raises:
        RunConflictError: another start seals it, or what waits waits no more.
    """
    copied = owned is not None and owned.pipeline.takes == URL
    taken = store.taken(run)
    if lots is None:
        room = rules.MOST_UPLOADS - len(taken)
        waiting = rules.of_one_bucket(store.waiting(most=room) if room > 0 else ())
        store.take(run, rules.that_fit_a_copy(taken, waiting) if copied else waiting)
    elif lots:
        fitting = sets.that_fit(lots, taken, rules.MOST_COPIED if copied else None)
        store.take(run, dict.fromkeys(upload for lot in fitting for upload in lot.uploads if upload.run is None))
        run = run._replace(lacks=sets.lacking(fitting))
    # Sealed before the start: the manifest behind a token must not grow when the start is repeated.
    return store.move(run, CLAIMED, at=at)
