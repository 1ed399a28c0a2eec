"""How far a worker is: counted by any number of threads, and every file that is left out by name in a file."""

import gzip
import json
import logging
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot.entries import shown, text
from signalbox_snapshot.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOG = logging.getLogger(__name__)
_SHOWN = 100
"""Files that are named in the status document."""


class Counts(NamedTuple):
    """Files and bytes: of all, once that is known, and done; `failed` are those of `left_out` that should not be.

    `environments` are those of conda and virtualenvs that the script in the home folder is about.
    """

    files: "int | None"
    bytes: "int | None"
    files_done: int
    bytes_done: int
    left_out: int
    failed: int
    secrets: int
    named: "tuple[dict[str, str], ...]"
    environments: int = 0


class Progress:
    """Counts; writes what is left out to the file `report`, as compressed lines of JSON."""

    def __init__(self, report: str) -> None:
        self.report = report
        self._counts = Counts(None, None, 0, 0, 0, 0, 0, ())
        self._lock = threading.Lock()
        self._file = gzip.open(report, "wt", encoding="ascii")  # noqa: SIM115 - closed at the end
        self._closed = False
        self._content: bytes | None = None

    def counts(self) -> Counts:
        """Return how far it is."""
        with self._lock:
            return self._counts

    def total(self, files: int, size: int) -> None:
        """Note how much there is to do."""
        with self._lock:
            self._counts = self._counts._replace(files=files, bytes=size)

    def done(self, size: int) -> None:
        """Note that a file is done."""
        with self._lock:
            now = self._counts
            self._counts = now._replace(files_done=now.files_done + 1, bytes_done=now.bytes_done + size)

    def left(self, path: bytes, reason: str, failed: bool = False) -> None:
        """Note that a file is left out; `failed` where that makes the work incomplete."""
        with self._lock:
            now = self._counts
            if now.left_out < _SHOWN:
                now = now._replace(named=(*now.named, {"path": shown(path), "reason": reason}))
            self._counts = now._replace(left_out=now.left_out + 1, failed=now.failed + int(failed))
            self._line(path, reason, failed)
        _LOG.info("left out: %s: %s", shown(path), reason)

    def secret(self, path: bytes, kinds: "Iterable[str]", withheld: bool) -> None:
        """Note a file with secrets, of which only the kinds are told."""
        what = "has what looks like a secret: " + ", ".join(kinds)
        with self._lock:
            self._counts = self._counts._replace(secrets=self._counts.secrets + 1)
            if not withheld:
                self._line(path, what, failed=False)
        if withheld:
            self.left(path, what)

    def environments(self, number: int) -> None:
        """Note how many environments there are."""
        with self._lock:
            self._counts = self._counts._replace(environments=number)

    def restored(self, counts: Counts) -> None:
        """Take the counts of work that was done before."""
        with self._lock:
            self._counts = counts

    def close(self) -> "bytes | None":
        """Return the report, compressed; None where nobody has anything to read in it.

        Raises SnapshotError where it could not be written, once: then there is none, and that can be told.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                try:
                    self._file.close()
                    self._content = self._read()
                except OSError as error:
                    raise self._unwritten(error) from error
            return self._content

    def _read(self) -> "bytes | None":
        with gzip.open(self.report, "rb") as file:
            if not file.read(1):
                return None
        with open(self.report, "rb") as file:
            return file.read()

    def _line(self, path: bytes, reason: str, failed: bool) -> None:
        try:
            json.dump({"path": text(path), "reason": reason, "failed": failed}, self._file)
            self._file.write(os.linesep)
        except OSError as error:
            self._closed = True
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> SnapshotError:
        return SnapshotError(
            f"the report of what is left out cannot be written: {error.strerror}",
            f"make room in {os.path.dirname(self.report)}, and start the instance again",
        )
