"""Uploads are written down once, and a run is asked for."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from copy import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from signalbox import projects
from signalbox.aws.objects import StoredObject
from signalbox.batch import BatchResponse, Consumer, DeadLetterQueue
from signalbox.events import ObjectUploaded, RefusedCallError
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.model import UNCLAIMED, UnknownKeyError
from signalbox.uploads.ports import ProjectReader, RunRequests, UploadObjects, UploadStore

# So many uploads are few questions to the parameter store, which answers 40 a second by default: 200 functions at work,
# which record 5,000 uploads a second, ask it 7 times a second.
_FRESH = timedelta(seconds=60)

_AT_ONCE = 10  # a batch's messages (template.yaml, BatchSize), and as many connections as a client keeps


class RecordingPorts(NamedTuple):
    """What recording needs from outside; `store_of` returns the uploads of a pipeline by its name."""

    objects: UploadObjects
    projects: ProjectReader
    store_of: Callable[[str], UploadStore]
    requests: RunRequests
    dead_letters: DeadLetterQueue
    clock: Callable[[], datetime]


def record(event: Mapping[str, object], ports: RecordingPorts) -> BatchResponse:
    """Write down the uploads in a batch of messages, then ask once for a run of each pipeline that takes some.

    The messages are handled beside each other, since almost all of their time is waiting for S3 and the table, and a
    queue that is no FIFO queue has no order to keep.

    Safe to repeat: the store takes each business key once. A death after writing and before asking brings the events
    back, and the second delivery asks, since it asks for uploads that were written down before, too. What no project
    claims is written down all the same, and it is asked to look at that again: a project that was deployed between our
    look and our writing has sent its own request before that, but ours is handled after it, and sees both.

    Returns the messages that failed.

    Raises:
        EventError: `event` is not from a queue.
        ServiceBusyError, CallRefusedError: the request could not be sent. The whole batch comes back then.
    """
    consumer = Consumer(event, _read, ports.dead_letters)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(partial(_record_upload, ports=ports, began=ports.clock()), consumer)
        waiting = {pipeline for pipeline in found if pipeline}
    for pipeline in sorted(waiting):  # only now: a request covers what is in the store before it
        ports.requests.ask_for_claims() if pipeline == UNCLAIMED else ports.requests.ask(pipeline)
    return consumer.response


def _record_upload(
    delivery: AbstractContextManager[ObjectUploaded | None], ports: RecordingPorts, began: datetime
) -> str | None:
    """Write the upload of a message down; return the pipeline that it waits for, None where it is dropped or fails."""
    with delivery as told:
        if told is None:
            return None
        seen, stored = _found(told, ports.objects)
        about = {"bucket": seen.bucket, "key": seen.key, "event_id": seen.event_id}
        pipeline, names_files = _claimed(seen.key, ports.projects, began)
        refusal = rules.refusal(seen, stored, names_files=names_files) or (
            "its project wants no such ending" if pipeline is None else None
        )
        if refusal is not None or stored is None or pipeline is None:
            logger.info("upload dropped", extra={**about, "reason": refusal})
            count("UploadDropped")
            return None
        if rules.overwritten(seen, stored):
            logger.info("upload was overwritten before it was seen, its successor is recorded", extra=about)
        upload = rules.upload_of(seen, stored, ports.clock())
        new = ports.store_of(pipeline).record(upload)
        about |= {"version": upload.version, "pipeline": pipeline}
        logger.info("upload recorded" if new else "upload known already", extra=about)
        count("UploadRecorded" if new else "UploadRepeated")
        return pipeline
    return None  # it failed, and is in the batch's response


def _claimed(key: str, reader: ProjectReader, began: datetime) -> tuple[str | None, bool]:
    """Return the pipeline that an upload is for, `UNCLAIMED` where no project has its place, None if it is not wanted.

    And whether it names the files of a set.

    Nothing is called unclaimed or unwanted by documents that are older than the batch: who has just deployed a project
    and then uploads to it would not see why. An upload that is given to a pipeline by old documents is looked at again
    before its run (`claiming.release`).
    """
    found = projects.claim(reader.read_after(began - _FRESH), key)
    if found is None:
        known = reader.read_after(began)
        found = projects.claim(known, key)
        if found is None:
            return (None if projects.covering(known, key) else UNCLAIMED), False
    return found.pipeline.name, found.uploads.completes(key)


def _found(seen: ObjectUploaded, objects: UploadObjects) -> tuple[ObjectUploaded, StoredObject | None]:
    """Return the upload under the key that its event means, and what is there now.

    The key counts as it is written, unless nothing is there, or another content than the event's, and what the key may
    mean else has it.

    Raises:
        UnknownKeyError: the key may be read in several ways, and nothing is there under any.
    """
    if rules.is_folder(seen.key):
        return seen, None
    first: tuple[ObjectUploaded, StoredObject] | None = None
    for key in (seen.key, *seen.other_keys):
        stored = objects.look(seen.bucket, key)
        if stored is not None:
            found = replace(seen, key=key), stored
            if not rules.overwritten(seen, stored):
                return found
            first = first or found
    if first is None and seen.other_keys:
        raise UnknownKeyError(seen.bucket, (seen.key, *seen.other_keys))
    return first or (seen, None)


def _read(body: Mapping[str, object]) -> ObjectUploaded | None:
    """Return the upload in a message, or None for a call that S3 refused: nothing is wrong, and nothing is there."""
    try:
        return ObjectUploaded.read(body)
    except RefusedCallError as error:
        logger.info("upload dropped", extra={"reason": str(error), "event_id": body.get("id")})
        count("UploadDropped")
        return None
