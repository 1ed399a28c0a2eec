"""Reads files that may change meanwhile: what is returned is what the file was at one moment."""

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 8 * 1024 * 1024
"""Bytes of a piece of a large file, from a multiple of it: what is appended leaves the first pieces as they were."""
TRIES = 4
"""Times that a file is read before it is said to change all the time."""
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class RestlessError(Exception):
    """A file changed while it was read."""


class GoneError(Exception):
    """A file is no longer there, or is something else by now."""


def identity(status: os.stat_result) -> "tuple[int, int, int, int]":
    """Return by what a file is known to be unchanged."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class Reader:
    """A file that is open for reading; RestlessError says that it has changed since, GoneError that it is gone."""

    def __init__(self, full: bytes) -> None:
        self._full = full
        try:
            self._file = os.open(full, _FLAGS)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR}:
                raise GoneError from error
            raise
        self.status = os.fstat(self._file)
        if not stat.S_ISREG(self.status.st_mode):
            self.close()
            raise GoneError

    def __enter__(self) -> "Reader":  # noqa: PYI034 - Python 3.6 has no Self
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes from `start`; raise RestlessError where the file has fewer."""
        found = []
        while size:
            data = os.pread(self._file, min(size, PIECE), start)
            if not data:
                raise RestlessError
            found.append(data)
            start += len(data)
            size -= len(data)
        return found[0] if len(found) == 1 else b"".join(found)

    def pieces(self) -> "Iterator[tuple[int, bytes]]":
        """Yield the file's pieces and where they start; pieces that have zeros alone are not among them.

        Where the file has holes, the file system is asked where there are data, and the holes are never read.
        """
        size = self.status.st_size
        start = 0
        while start < size:
            data = self._data_from(start)
            if data is None:
                return
            start = data - data % PIECE
            block = self.read(start, min(PIECE, size - start))
            if not zeros(block):
                yield start, block
            start += PIECE

    def rested(self) -> None:
        """Raise RestlessError if the file has changed since it was opened."""
        if identity(os.fstat(self._file)) != identity(self.status):
            raise RestlessError

    def _data_from(self, start: int) -> "int | None":
        """Return where data are, from `start` on; None where there are none any more."""
        if not hasattr(os, "SEEK_DATA"):
            return start
        try:
            return os.lseek(self._file, start, os.SEEK_DATA)
        except OSError as error:
            return None if error.errno == errno.ENXIO else start


def zeros(data: bytes) -> bool:
    """Whether there are zeros alone."""
    return not data[:1].strip(b"\0") and data.count(b"\0") == len(data)
