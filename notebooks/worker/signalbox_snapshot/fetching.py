"""Gets the contents of files from the bucket, verifies every one, and names what is damaged or missing."""

import hashlib
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from signalbox_snapshot import keys
from signalbox_snapshot.attributes import apply
from signalbox_snapshot.entries import Entry, Piece
from signalbox_snapshot.errors import DamagedError, MissingError
from signalbox_snapshot.placing import KeptError

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox_snapshot.objects import Objects
    from signalbox_snapshot.placing import Placer
    from signalbox_snapshot.pool import Pool


class Fetcher:
    """Restores files; `ended` is told how each went: with nothing, or with why it was left out."""

    def __init__(
        self, objects: "Objects", placer: "Placer", pool: "Pool", ended: "Callable[[Entry, Exception | None], None]"
    ) -> None:
        self._objects = objects
        self._placer = placer
        self._pool = pool
        self._ended = ended

    def packed(self, entries: "list[Entry]") -> None:
        """Restore files whose contents are in one pack, of which the part that is needed is got once."""
        missing = [entry for entry in entries if self._is_missing(entry)]
        if not missing:
            return
        pieces = [entry.pieces[0] for entry in missing]
        start = min(piece.offset for piece in pieces)
        end = max(piece.offset + piece.size for piece in pieces)
        try:
            body = self._objects.get(keys.pack(pieces[0].pack), start, end - start)
        except (MissingError, DamagedError) as error:
            for entry in missing:
                self._ended(entry, _or_raised(error))
            return
        for entry, piece in zip(missing, pieces):
            data = body[piece.offset - start : piece.offset - start + piece.size]
            self._try(entry, partial(self._write_packed, entry, piece, data))

    def whole(self, entry: Entry) -> None:
        """Restore a file of pieces that are objects: each is got by any thread, and the last one ends the file."""
        if self._is_missing(entry):
            scratch = self._placer.scratch(entry)
            again = os.path.exists(scratch)
            file = _Parts(os.open(scratch, os.O_RDWR | os.O_CREAT, 0o600), partial(self._last, entry))
            os.ftruncate(file.number, entry.size)
            for piece in entry.pieces:
                file.expect()
                self._pool.give(partial(self._get_piece, file, piece, again))
            file.close()

    def _is_missing(self, entry: Entry) -> bool:
        try:
            there = self._placer.is_there(entry)
        except (KeptError, OSError) as error:
            self._ended(entry, error)
            return False
        if there:
            self._ended(entry, None)
        return not there

    def _get_piece(self, file: "_Parts", piece: Piece, again: bool) -> None:
        failure: Exception | None = None
        try:
            if not (again and _digest(os.pread(file.number, piece.size, piece.start)) == piece.digest):
                _write(file.number, self._objects.verified(keys.piece(piece.digest), piece.digest), piece.start)
        except (MissingError, DamagedError, OSError) as error:
            failure = _or_raised(error)
        file.end(failure)

    def _last(self, entry: Entry, failure: "Exception | None") -> None:
        if failure:
            os.remove(self._placer.scratch(entry))
            self._ended(entry, failure)
        else:
            self._try(entry, partial(self._placer.place, entry, partial(apply, entry)))

    def _write_packed(self, entry: Entry, piece: Piece, data: bytes) -> None:
        if _digest(data) != piece.digest:
            raise DamagedError(f"{self._objects.address(keys.pack(piece.pack))} is not what was put there", "")
        self._placer.place(entry, partial(_make, entry, data))

    def _try(self, entry: Entry, task: "Callable[[], None]") -> None:
        try:
            task()
        except (KeptError, DamagedError, OSError) as error:
            self._ended(entry, error)
        else:
            self._ended(entry, None)


class _Parts:
    """An open file whose parts come from any number of threads; `last` is told when all are there, with a failure."""

    def __init__(self, number: int, last: "Callable[[Exception | None], None]") -> None:
        self.number = number
        self._last = last
        self._lock = threading.Lock()
        self._waiting = 1
        self._failure: Exception | None = None

    def expect(self) -> None:
        """Note that a part will come."""
        with self._lock:
            self._waiting += 1

    def end(self, failure: "Exception | None") -> None:
        """Note that a part came, or why it did not."""
        with self._lock:
            self._waiting -= 1
            self._failure = self._failure or failure
            over = self._waiting == 0
        if over:
            os.close(self.number)
            self._last(self._failure)

    def close(self) -> None:
        """Say that no further parts are expected."""
        self.end(None)


def _make(entry: Entry, data: bytes, scratch: bytes) -> None:
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write(file, data, 0)
    finally:
        os.close(file)
    apply(entry, scratch)


def _write(file: int, data: bytes, start: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, start)
        view, start = view[written:], start + written


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _or_raised(error: Exception) -> Exception:
    """Return an error of one object; raise one of the whole bucket, or of a volume that is full."""
    if isinstance(error, MissingError) and error.code == "NoSuchBucket":
        raise error
    return error
