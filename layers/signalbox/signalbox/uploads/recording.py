"""Uploads are written down once, and a run is asked for."""

from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime
from typing import NamedTuple

from signalbox.aws.objects import StoredObject
from signalbox.batch import BatchResponse, Consumer, DeadLetterQueue
from signalbox.events import ObjectUploaded, RefusedCallError, UnknownKeyError
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.ports import RunRequests, UploadObjects, UploadStore


class RecordingPorts(NamedTuple):
    """What recording needs from outside."""

    objects: UploadObjects
    store: UploadStore
    requests: RunRequests
    dead_letters: DeadLetterQueue
    clock: Callable[[], datetime]


def record(event: Mapping[str, object], ports: RecordingPorts) -> BatchResponse:
    """Write down the uploads in a batch of messages, then ask for a run once; return the messages that failed.

    Safe to repeat: the store takes each business key once. A death after writing and before asking brings the events
    back, and the second delivery asks, since it asks for uploads that were written down before, too.

    Raises:
        EventError: `event` is not from a queue.
        ServiceBusyError, CallRefusedError: the request could not be sent. The whole batch comes back then.
    """
    consumer, recorded = Consumer(event, _read, ports.dead_letters), False
    for delivery in consumer:
        with delivery as seen:
            recorded |= seen is not None and _record_upload(seen, ports)
    if recorded:
        ports.requests.ask()  # only now: a request covers what is in the store before it
    return consumer.response


def _record_upload(seen: ObjectUploaded, ports: RecordingPorts) -> bool:
    """Write one upload down; say whether a run has to be asked for."""
    seen, stored = _found(seen, ports.objects)
    about = {"bucket": seen.bucket, "key": seen.key, "event_id": seen.event_id}
    refusal = rules.refusal(seen, stored)
    if refusal is not None or stored is None:
        logger.info("upload dropped", extra={**about, "reason": refusal})
        count("UploadDropped")
        return False
    if rules.overwritten(seen, stored):
        logger.info("upload was overwritten before it was seen, its successor is recorded", extra=about)
    upload = rules.upload_of(seen, stored, ports.clock())
    new = ports.store.record(upload)
    logger.info("upload recorded" if new else "upload known already", extra={**about, "version": upload.version})
    count("UploadRecorded" if new else "UploadRepeated")
    return True


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
