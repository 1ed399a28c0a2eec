"""What people see of a worker without opening the instance: an object, tags, and an object more at the end."""

import json
import logging
import platform
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import keys
from signalbox_snapshot.errors import RefusedError, SnapshotError

if TYPE_CHECKING:
    from signalbox_snapshot.objects import Objects
    from signalbox_snapshot.progress import Counts, Progress
    from signalbox_snapshot.settings import Instance
    from signalbox_snapshot.tagging import Tags
    from signalbox_snapshot.transport import Transport

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 12
_SECONDS = 5.0
_SECONDS_OF_TAGS = 30.0
RUNNING, COMPLETE, FAILED = "running", "complete", "failed"


class Work(NamedTuple):
    """What is done: `snapshot` is empty until it is known; `worker` is the digest of the worker's file."""

    operation: str
    instance: "Instance"
    request: "str | None"
    snapshot: str
    started: str
    worker: str


class Ending(NamedTuple):
    """How it ended: `reason` and `advice` are for a failure."""

    state: str
    reason: "str | None" = None
    advice: "str | None" = None

    def about(self, kind: str) -> "Ending":
        """Return it in words on that kind of place: sentences on a failure say `the instance`, which may be a space."""
        given = (text and text.replace("the instance", "the " + kind) for text in (self.reason, self.advice))
        return Ending(self.state, *given)


def moment() -> str:
    """Return the time in UTC as the documents have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def document(work: Work, ending: Ending, counts: "Counts", transports: "tuple[Transport, ...]") -> "dict[str, object]":
    """Return the status document."""
    now = moment()
    return {
        "operation": work.operation,
        "instance": work.instance.name,
        "arn": work.instance.arn,
        "request": work.request,
        "snapshot": work.snapshot,
        "state": ending.state,
        "started": work.started,
        "updated": now,
        "ended": None if ending.state == RUNNING else now,
        "files": {"total": counts.files, "done": counts.files_done, "left_out": counts.left_out},
        "bytes": {
            "total": counts.bytes,
            "done": counts.bytes_done,
            "moved": sum(transport.moved for transport in transports),
        },
        "calls": sum(transport.calls for transport in transports),
        "left_out": list(counts.named),
        "secrets": counts.secrets,
        "environments": counts.environments,
        "reason": ending.reason,
        "advice": ending.advice,
        "python": platform.python_version(),
        "worker": work.worker,
    }


def tag_of(ending: Ending, counts: "Counts") -> str:
    """Return the value of the tag `snapshot-status`."""
    if ending.state == FAILED:
        return f"failed: {ending.reason}"[:200]
    if ending.state == RUNNING:
        return f"running {counts.files_done} of {counts.files_done if counts.files is None else counts.files} files"
    left = f" - {counts.left_out} left out" if counts.left_out else ""
    return f"complete {counts.files_done} files{left}"


class Reporter:
    """Tells how far the work is every few seconds, from a thread, and how it ended.

    What cannot be told while the work goes on is told a little later; the end is told or raises. The last of the
    transports is the one that tells.
    """

    def __init__(self, work: Work, progress: "Progress", tags: "Tags", transports: "tuple[Transport, ...]") -> None:
        self._work = work
        self._progress = progress
        self._tags = tags
        self._transports = transports
        self._objects: Objects | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def request(self, request: "str | None") -> None:
        """Note the request that is carried out."""
        self._work = self._work._replace(request=request)

    def begin(self, objects: "Objects", snapshot: str) -> None:
        """Begin to tell, now that it is known where."""
        self._objects = objects
        self._work = self._work._replace(snapshot=snapshot)
        self._thread.start()

    def end(self, ending: Ending, log: bytes, again: bool) -> None:
        """Tell the end: the report, the log, the status, the tags, and last the object whose event is the end's.

        What was told in an earlier life is told `again` by the status and the tags alone.
        """
        self._over.set()
        if self._thread.ident is not None:
            # Its last word is not to come after the end's.
            self._thread.join()
        self._transports[-1].attempts = _ATTEMPTS
        if self._objects is not None:
            self._put_end(self._objects, ending, log, again)
        tags = {"snapshot-status": tag_of(ending, self._progress.counts())}
        if ending.state == COMPLETE and self._work.operation == "backup":
            tags["snapshot-name"] = self._work.snapshot
        try:
            self._tags.write(tags)
        except RefusedError as error:
            # A role as AWS's sample asks for may only read tags: the objects tell the end.
            _LOG.warning("the tags could not be written: %s", error)
        if self._objects is not None and self._work.snapshot and not again:
            work, body = self._work, self._document(ending)
            key = keys.result(ending.state, work.instance.name, work.operation, work.snapshot)
            self._objects.put(key, body)

    def _put_end(self, objects: "Objects", ending: Ending, log: bytes, again: bool) -> None:
        work, report = self._work, self._report()
        named = (work.instance.name, work.operation, work.snapshot)
        if work.snapshot and not again:
            objects.put(keys.log(*named), log)
            if report is not None:
                objects.put(keys.report(*named), report)
        objects.put(keys.status(work.instance.name, work.operation), self._document(ending))

    def _report(self) -> "bytes | None":
        try:
            return self._progress.close()
        except SnapshotError as error:
            # The work has failed for another reason, which is told.
            _LOG.warning("%s", error)
            return None

    def _document(self, ending: Ending) -> bytes:
        return json.dumps(document(self._work, ending, self._progress.counts(), self._transports), indent=1).encode()

    def _loop(self) -> None:
        tagged = 0.0
        while True:
            try:
                if self._objects is not None:
                    key = keys.status(self._work.instance.name, self._work.operation)
                    self._objects.put(key, self._document(Ending(RUNNING)))
                if time.monotonic() - tagged >= _SECONDS_OF_TAGS:
                    self._tags.write({"snapshot-status": tag_of(Ending(RUNNING), self._progress.counts())})
                    tagged = time.monotonic()
            except SnapshotError as error:
                _LOG.warning("the status could not be told: %s", error)
            if self._over.wait(_SECONDS):
                return
