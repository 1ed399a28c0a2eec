"""Uploads are written down once, and a run is asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from signalbox import batch
from signalbox.events import ObjectUploaded, RefusedCallError
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.ports import Inbox, Objects, RunRequests


class Recorder:
    """Writes down the uploads of one batch of events after another.

    Safe to repeat: the inbox takes each business key once. A death after writing and before asking brings the events
    back, and the second delivery asks, since it asks for uploads that were written down before, too.
    """

    def __init__(
        self,
        *,
        objects: Objects,
        inbox: Inbox,
        requests: RunRequests,
        dead_letters: batch.DeadLetters,
        clock: Callable[[], datetime],
    ) -> None:
        self._objects = objects
        self._inbox = inbox
        self._requests = requests
        self._dead_letters = dead_letters
        self._clock = clock

    def record_batch(self, event: Mapping[str, Any]) -> batch.Failures:
        """Write down the uploads in a batch of messages, then ask for a run once; return the messages that failed.

        Raises:
            UploadsError: the request could not be sent. The whole batch comes back then.
        """
        recorded: list[bool] = []
        consumer = batch.Consumer(_read, lambda seen: recorded.append(self.record(seen)), self._dead_letters)
        failures = consumer.process(event)
        if any(recorded):
            self._requests.ask()  # only now: a request covers what is in the inbox before it
        return failures

    def record(self, seen: ObjectUploaded | None) -> bool:
        """Write one upload down; say whether it is one that a run has to be asked for."""
        if seen is None:
            return False
        about = {"bucket": seen.bucket, "key": seen.key, "event_id": seen.event_id}
        folder = seen.key.endswith("/")
        stored = None if folder else self._objects.look(seen.bucket, seen.key)
        refusal = rules.refusal(seen, stored)
        if refusal is not None or stored is None:
            logger.info("upload dropped", extra={**about, "reason": refusal})
            count("UploadDropped")
            return False
        if rules.overwritten(seen, stored):
            logger.info("upload was overwritten before it was seen, its successor is recorded", extra=about)
        upload = rules.upload_of(seen, stored, self._clock())
        new = self._inbox.record(upload)
        logger.info("upload recorded" if new else "upload known already", extra={**about, "version": upload.version})
        count("UploadRecorded" if new else "UploadRepeated")
        return True


def _read(body: Mapping[str, Any]) -> ObjectUploaded | None:
    """Return the upload in a message, or None for a call that S3 refused: nothing is wrong, and nothing is there."""
    try:
        return ObjectUploaded.read(body)
    except RefusedCallError as error:
        logger.info("upload dropped", extra={"reason": str(error), "event_id": body.get("id")})
        count("UploadDropped")
        return None
