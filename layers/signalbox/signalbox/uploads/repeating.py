"""A push asks for a run: what was published is run over what waits, or again over the uploads of an earlier run.

The wish is written down before anything else, since a run may be active. It is open until a run is opened for it; that
run begins after the wish, and so has its code. Each change is asked for once, whenever and however often its message
comes; a later commit takes the place of one that no run has had yet.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from signalbox import moments
from signalbox.aws.errors import CallRefusedError
from signalbox.observability import count, logger
from signalbox.project_documents import NOTHING, URL, ProjectPipeline
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules
from signalbox.uploads.model import CLAIMED, NO_UPLOADS, InputGoneError, Run, Upload, Wish
from signalbox.uploads.ports import UploadObjects, UploadStore

_RUNNING = timedelta(days=30)  # more than a run waits and lasts


def write_down(pipeline: str, commit: str, number: int, store: UploadStore, now: datetime) -> None:
    """Write down that a push asks for a run at a commit, unless that was asked for before."""
    new = store.ask_again(commit, now, number)
    about = {"pipeline": pipeline, "commit": commit}
    logger.info("run of a push asked for" if new else "run of a push was asked for before", extra=about)
    if new:
        count("RunOfPushRequested")


def open_next(
    run: Run,
    wish: Wish | None,
    owned: OwnedPipeline | None,
    store: UploadStore,
    objects: UploadObjects,
    *,
    ready: bool | None,
) -> Run | None:
    """Open a pipeline's next run: over what waits, else the one that a push asks for; None where there is neither.

    `ready` says whether something that waits may be taken: a set whose files have not come may not. None says that
    uploads wait for their quiet moment, and a push waits with them.

    What waits is run with what was published, and so fulfils the wish, too. Run and wish are written in one
    transaction: whoever dies before has opened nothing, and whoever comes after finds the run.

    Raises:
        InputGoneError: a push asks for a run, and what it would run over is gone.
        RunConflictError: another start has opened it, or written down another wish.
    """
    if ready is None:
        return None
    if wish is not None:
        run = run._replace(commit=wish.commit)
    if not ready:
        if wish is None:
            return None
        source = store.last_with_uploads()
        if owned is None or (source is None and owned.pipeline.takes != NOTHING):
            # The wish stays open: the first uploads fulfil it, or another deployment does.
            logger.info("run of a push waits for uploads", extra={"pipeline": run.pipeline, "commit": run.commit})
            return None
        run = _again(run, source, owned.pipeline)
        if source is not None and _is_gone(run, store.input_of(run), owned.pipeline, objects):
            raise InputGoneError(source, run.commit)
    store.open(run, wish)
    return run


def _again(run: Run, source: Run | None, pipeline: ProjectPipeline) -> Run:
    """Return a run that takes no uploads, so it is sealed from the start; copies that its source has are there."""
    if source is None or pipeline.takes == NOTHING:
        return run._replace(status=CLAIMED, repeats=NO_UPLOADS)
    # The bucket's rule deletes copies after so long; older ones are made anew, from what is there of their files.
    fresh = run.created_at - source.created_at < moments.KEPT - _RUNNING
    return run._replace(status=CLAIMED, repeats=source.id, copied=source.copied if fresh else 0)


def _is_gone(run: Run, uploads: Sequence[Upload], pipeline: ProjectPipeline, objects: UploadObjects) -> bool:
    """Say whether nothing is left of what a run would repeat, as far as the first files tell.

    Copies are the stack's own and stay. Where nobody may look, the pipeline's own job says what is wrong.
    """
    if pipeline.takes == NOTHING or (pipeline.takes == URL and run.copied):
        return False
    try:
        for one in rules.data_of(uploads)[: rules.MOST_NAMED]:
            if objects.look(one.bucket, one.key) is not None:
                return False
    except CallRefusedError:
        return False
    return True
