"""Whose a waiting upload is can change: a project is deployed, changed or removed while it waits.

An upload waits with whoever claims its key now, until a run takes it. What its pipeline's project claims no more goes
to what nobody claims (`release`), and from there to the pipeline of whoever claims it (`distribute`). Where a project
is removed, that is all that waits for it: it is seen among what nobody claims, and runs once a project claims it.
"""

from collections.abc import Callable, Sequence
from itertools import batched, groupby
from operator import itemgetter
from typing import NamedTuple

from signalbox import projects
from signalbox.observability import count, logger
from signalbox.project_documents import NOTHING, Project
from signalbox.uploads import remaining, rules
from signalbox.uploads.model import UNCLAIMED, RunPostponedError, Upload
from signalbox.uploads.ports import RunRequests, UploadStore
from signalbox.uploads.remaining import MillisecondsLeft

_first = itemgetter(0)


class ClaimingPorts(NamedTuple):
    """What claiming needs from outside; `store_of` returns the uploads of a pipeline by its name.

    `left` is how many milliseconds the function has left.
    """

    store_of: Callable[[str], UploadStore]
    requests: RunRequests
    left: MillisecondsLeft


def release(pipeline: str, known: Sequence[Project], ports: ClaimingPorts) -> None:
    """Give back what waits for a pipeline and is not its own by the present documents, as far as a run may take it.

    The request to look at it goes out first, and in the pipeline's own group: so it exists whatever dies here, and is
    handled only after this message, or its repetition, has moved everything. What waits beyond the uploads of one run
    is looked at before the run that takes it: all of it may be more than a function reads in its minute.

    Raises:
        RunPostponedError: in the place of what was given back a run would take uploads that were not looked at; or the
            function's time is nearly over.
        RunConflictError: another start moves the same uploads.
    """
    store = ports.store_of(pipeline)
    waiting = store.waiting(most=rules.MOST_UPLOADS)
    strays = [upload for upload in waiting if _pipeline(known, upload) != pipeline]
    if not strays:
        return
    ports.requests.ask_for_claims(pipeline)
    for uploads in batched(strays, remaining.AT_ONCE, strict=False):
        remaining.check(ports.left, "uploads of others are given back")
        store.hand_over(uploads, UNCLAIMED)
        logger.info("uploads given back", extra={"pipeline": pipeline, "uploads": len(uploads)})
        count("UploadReleased", len(uploads))
    if len(waiting) == rules.MOST_UPLOADS:
        raise RunPostponedError(f"{len(strays)} uploads are another pipeline's, and there may be more of them")


def distribute(known: Sequence[Project], ports: ClaimingPorts) -> None:
    """Let what nobody claimed wait for the pipelines that claim it now, and ask for runs of all that have uploads.

    All, and not only of those that get some: where an earlier try has died after it had moved uploads, or where a
    request was lost among the dead letters, this one makes up for it. A run is the pipeline's own business: whoever
    records an upload meanwhile asks for one by himself.

    Raises:
        RunConflictError: another sweep moves the same uploads.
        RunPostponedError: the function's time is nearly over.
    """
    store = ports.store_of(UNCLAIMED)
    claimed = [(_pipeline(known, upload), upload) for upload in store.waiting()]
    claimed = [one for one in claimed if one[0] != UNCLAIMED]
    if len(claimed) > rules.MOST_UPLOADS:
        ports.requests.ask_for_claims()  # for the rest: a sweep has a minute
    for pipeline, found in groupby(sorted(claimed[: rules.MOST_UPLOADS], key=_first), key=_first):
        for uploads in batched((upload for _, upload in found), remaining.AT_ONCE, strict=False):
            remaining.check(ports.left, "uploads are claimed")
            # First, as in `release`: if this dies then, the pipeline may be no project's when it is repeated, and what
            # waits for it has to be given back. The request is handled when these few have long been moved.
            ports.requests.ask(pipeline)
            store.hand_over(uploads, pipeline)
            logger.info("uploads claimed", extra={"pipeline": pipeline, "uploads": len(uploads)})
            count("UploadClaimed", len(uploads))
    for project in known:
        for each in project.pipelines.values():
            remaining.check(ports.left, "pipelines are asked for runs")
            if each.takes != NOTHING and ports.store_of(each.name).waiting(most=1):
                ports.requests.ask(each.name)


def _pipeline(known: Sequence[Project], upload: Upload) -> str:
    found = projects.claim(known, upload.key)
    return found.pipeline.name if found else UNCLAIMED
