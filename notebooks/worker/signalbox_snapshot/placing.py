"""Puts files, folders and links in their places: never through a link, never over what is newer, never half."""

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from signalbox_snapshot.attributes import apply
from signalbox_snapshot.entries import FOLDER, Entry
from signalbox_snapshot.reading import GoneError, Reader, RestlessError
from signalbox_snapshot.walking import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox_snapshot.index import Index

_ALL_OF_OWNER = 0o700


class KeptError(Exception):
    """What is in a file's place stays; `failed` where the snapshot's file would have to be there."""

    def __init__(self, reason: str, failed: bool = False) -> None:
        super().__init__(reason)
        self.failed = failed


class Placer:
    """Places entries below `home`; what is not whole yet is in a folder of its own, on the same file system."""

    def __init__(self, home: bytes, index: "Index", over_newer: bool, partial: bool) -> None:
        self._home = home
        self._index = index
        self._over_newer = over_newer
        self._partial = partial
        self._ready = b""
        self._folder = os.path.join(home, AT_WORK)
        os.makedirs(self._folder, mode=_ALL_OF_OWNER, exist_ok=True)

    def full(self, path: bytes) -> bytes:
        """Return where an entry belongs."""
        return os.path.join(self._home, path)

    def scratch(self, entry: Entry) -> bytes:
        """Return where an entry is made: the same place for the same entry, so that work that was cut goes on."""
        return os.path.join(self._folder, hashlib.sha256(repr(entry).encode()).hexdigest()[:40].encode())

    def folder(self, entry: Entry) -> None:
        """Make a folder; raise KeptError where something newer is in its place."""
        full = self._below(entry.path)
        status = _status(full)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            self._newer(entry, status)
            os.remove(full)
            status = None
        if status is None:
            os.mkdir(full, _ALL_OF_OWNER)
        elif os.geteuid() != 0 and status.st_mode & _ALL_OF_OWNER != _ALL_OF_OWNER:
            os.chmod(full, stat.S_IMODE(status.st_mode) | _ALL_OF_OWNER)

    def is_there(self, entry: Entry) -> bool:
        """Whether a file has the bytes of `entry` already: then only its attributes are given to it.

        Raises KeptError where something else stays in its place.
        """
        full = self._below(entry.path)
        status = _status(full)
        if status is None:
            return False
        if stat.S_ISDIR(status.st_mode):
            raise KeptError("a folder is in its place", failed=True)
        newer = status.st_mtime_ns > entry.modified and not self._over_newer
        if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size or not same_bytes(entry, full):
            self._newer(entry, status)
            return False
        if newer:
            return True
        if status.st_nlink > 1:
            # It may be another name of a file that the snapshot has apart: it gets a copy of its own.
            return False
        apply(entry, full)
        return True

    def place(self, entry: Entry, make: "Callable[[bytes], None]") -> None:
        """Make an entry apart, then give it its place at once; raise KeptError where something else stays there."""
        full, scratch = self._below(entry.path), self.scratch(entry)
        status = _status(full)
        if status is not None:
            if stat.S_ISDIR(status.st_mode):
                raise KeptError("a folder is in its place", failed=True)
            self._newer(entry, status)
        make(scratch)
        os.rename(scratch, full)

    def clear(self) -> None:
        """Remove what was made apart and is not needed any more."""
        for name in os.listdir(self._folder):
            os.remove(os.path.join(self._folder, name))
        os.rmdir(self._folder)

    def allocated(self) -> int:
        """Return the bytes on the volume of what was made apart by work that was cut."""
        return sum(os.lstat(os.path.join(self._folder, name)).st_blocks * 512 for name in os.listdir(self._folder))

    def _newer(self, entry: Entry, status: os.stat_result) -> None:
        if status.st_mtime_ns > entry.modified and not self._over_newer:
            raise KeptError("is newer on the volume: it is kept")

    def _below(self, path: bytes) -> bytes:
        """Return where `path` belongs; raise KeptError unless every folder above is a folder of the snapshot."""
        parent = os.path.dirname(path)
        if parent and parent != self._ready:
            if self._index.state(parent, FOLDER) != "done" and not (self._partial and self._made(parent)):
                raise KeptError("its folder was not restored", failed=True)
            self._ready = parent
        return self.full(path)

    def _made(self, folder: bytes) -> bool:
        """Make a folder that a partial snapshot does not have; say whether it is a folder."""
        full = self._below(folder)
        status = _status(full)
        if status is None:
            os.mkdir(full, _ALL_OF_OWNER)
        return status is None or stat.S_ISDIR(status.st_mode)


def same_bytes(entry: Entry, full: bytes) -> bool:
    """Whether the file at `full` has the bytes of `entry`, by the digests of its pieces."""
    wanted = iter(entry.pieces)
    try:
        with Reader(full) as reader:
            if reader.status.st_size != entry.size:
                return False
            for start, block in reader.pieces():
                piece = next(wanted, None)
                if piece is None or piece.start != start or piece.digest != hashlib.sha256(block).hexdigest():
                    return False
    except (GoneError, RestlessError, OSError):
        return False
    return next(wanted, None) is None


def _status(full: bytes) -> "os.stat_result | None":
    try:
        return os.lstat(full)
    except FileNotFoundError:
        return None
