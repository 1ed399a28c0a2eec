"""What a worker has to remember of a million files, in a file of SQLite: nothing of it is held in memory.

The SQL is that of SQLite 3.7, which Amazon Linux 1 has.
"""

import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox_snapshot.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES = (
    "CREATE TABLE waiting (folder BLOB)",
    "CREATE TABLE stored (key TEXT PRIMARY KEY, size INTEGER)",
    "CREATE TABLE packed (digest TEXT PRIMARY KEY, size INTEGER, pack TEXT, start INTEGER)",
    "CREATE TABLE known (path BLOB PRIMARY KEY, state TEXT, secrets TEXT, line TEXT)",
    "CREATE TABLE linked (device INTEGER, inode INTEGER, path BLOB, size INTEGER, first INTEGER, saved INTEGER)",
    "CREATE INDEX links ON linked (device, inode)",
    "CREATE TABLE wanted (path BLOB PRIMARY KEY, kind TEXT, pack TEXT, state TEXT, line TEXT)",
    "CREATE INDEX kinds ON wanted (kind, path)",
    "CREATE INDEX packs ON wanted (pack)",
    "CREATE TABLE environments (path BLOB PRIMARY KEY)",
)


class Packed(NamedTuple):
    """Where a small content is: in a pack, from its byte `start`."""

    pack: str
    start: int


class Known(NamedTuple):
    """A line of an earlier snapshot, the `state` by which its file is seen to be unchanged, its kinds of secrets."""

    state: str
    secrets: str
    line: str


class Wanted(NamedTuple):
    """An entry of the snapshot that is restored, and how it went: `state` is `left`, or `done` for a folder."""

    path: bytes
    state: str
    line: str


class Index:
    """A database that lives as long as the worker; any number of threads may use it.

    Everything raises SnapshotError where the folder of its file is full, or is no place for it.
    """

    def __init__(self, file: str) -> None:
        if os.path.exists(file):
            os.remove(file)
        self._lock = threading.Lock()
        self._data = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._folder = os.path.dirname(file)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000", "temp_store=FILE"):
            self._execute("PRAGMA " + setting)
        for table in _TABLES:
            self._execute(table)
        # One transaction for all: there is nothing to come back to, since what dies begins a new one.
        self._execute("BEGIN")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._data.close()

    def push(self, folder: bytes) -> None:
        """Note a folder to walk."""
        self._do("INSERT INTO waiting VALUES (?)", folder)

    def pop(self) -> "bytes | None":
        """Return the folder that was noted last, and forget it; None where none waits."""
        row = self._one("SELECT rowid, folder FROM waiting ORDER BY rowid DESC LIMIT 1")
        if row is None:
            return None
        self._do("DELETE FROM waiting WHERE rowid = ?", row[0])
        return bytes(row[1])

    def add_stored(self, key: str, size: int) -> None:
        """Note an object of the bucket."""
        self._do("INSERT OR REPLACE INTO stored VALUES (?, ?)", key, size)

    def stored(self, key: str) -> "int | None":
        """Return the bytes of an object of the bucket; None where there is none."""
        row = self._one("SELECT size FROM stored WHERE key = ?", key)
        return int(row[0]) if row else None

    def add_packed(self, digest: str, size: int, packed: Packed) -> None:
        """Note where a small content is."""
        self._do("INSERT OR REPLACE INTO packed VALUES (?, ?, ?, ?)", digest, size, packed.pack, packed.start)

    def packed(self, digest: str, size: int) -> "Packed | None":
        """Return where a small content is; None where it is in no pack that is known."""
        row = self._one("SELECT pack, start FROM packed WHERE digest = ? AND size = ?", digest, size)
        return Packed(str(row[0]), int(row[1])) if row else None

    def add_known(self, path: bytes, known: Known) -> None:
        """Note what an earlier snapshot says of a file; a later note takes the place of an earlier one."""
        self._do("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", path, known.state, known.secrets, known.line)

    def known(self, path: bytes) -> "Known | None":
        """Return what an earlier snapshot says of a file."""
        row = self._one("SELECT state, secrets, line FROM known WHERE path = ?", path)
        return Known(*row) if row else None

    def add_link(self, device: int, inode: int, path: bytes, size: int) -> bool:
        """Note a name of a file that has more than one; say whether it is the first."""
        first = self._one("SELECT 1 FROM linked WHERE device = ? AND inode = ?", device, inode) is None
        self._do("INSERT INTO linked VALUES (?, ?, ?, ?, ?, 0)", device, inode, path, size, int(first))
        return first

    def link_saved(self, device: int, inode: int) -> None:
        """Note that the file of these names is saved under the first of them."""
        self._do("UPDATE linked SET saved = 1 WHERE device = ? AND inode = ? AND first = 1", device, inode)

    def links(self) -> "Iterator[tuple[bytes, bytes, int, bool]]":
        """Yield each further name of a file, the first one, the file's bytes, and whether it is saved."""
        query = (
            "SELECT l.path, f.path, l.size, f.saved FROM linked l JOIN linked f "
            "ON l.device = f.device AND l.inode = f.inode AND f.first = 1 WHERE l.first = 0"
        )
        return ((bytes(row[0]), bytes(row[1]), int(row[2]), bool(row[3])) for row in self._rows(query))

    def want(self, path: bytes, kind: str, pack: str, line: str) -> bool:
        """Note an entry to restore; say whether its path is new."""
        if self._one("SELECT 1 FROM wanted WHERE path = ?", path):
            return False
        self._do("INSERT INTO wanted VALUES (?, ?, ?, '', ?)", path, kind, pack, line)
        return True

    def wanted(self, kind: str, order: str = "path") -> "Iterator[Wanted]":
        """Yield the entries of a kind in the `order` of a column."""
        query = f"SELECT path, state, line FROM wanted WHERE kind = ? ORDER BY {order}"  # noqa: S608 - our own word
        return (Wanted(bytes(row[0]), str(row[1]), str(row[2])) for row in self._rows(query, kind))

    def state(self, path: bytes, kind: str) -> str:
        """Return how the entry of a path and kind went; `left` where there is none."""
        row = self._one("SELECT state FROM wanted WHERE path = ? AND kind = ?", path, kind)
        return str(row[0]) if row else "left"

    def line(self, path: bytes, kind: str) -> "str | None":
        """Return the line of the entry of a path and kind; None where there is none."""
        row = self._one("SELECT line FROM wanted WHERE path = ? AND kind = ?", path, kind)
        return str(row[0]) if row else None

    def is_wanted(self, path: bytes) -> bool:
        """Whether there is an entry of a path."""
        return self._one("SELECT 1 FROM wanted WHERE path = ?", path) is not None

    def went(self, path: bytes, state: str) -> None:
        """Note how an entry went."""
        self._do("UPDATE wanted SET state = ? WHERE path = ?", state, path)

    def add_environment(self, path: bytes) -> None:
        """Note an environment of conda or a virtualenv."""
        self._do("INSERT OR REPLACE INTO environments VALUES (?)", path)

    def environments(self) -> "list[bytes]":
        """Return the paths of the environments that were noted, in their order."""
        return [bytes(row[0]) for row in self._rows("SELECT path FROM environments ORDER BY path")]

    def _do(self, query: str, *values: object) -> None:
        with self._lock:
            self._execute(query, *values)

    def _one(self, query: str, *values: object) -> "tuple[Any, ...] | None":
        with self._lock:
            found: tuple[Any, ...] | None = self._execute(query, *values).fetchone()
            return found

    def _rows(self, query: str, *values: object) -> "Iterator[tuple[Any, ...]]":
        """Yield rows a thousand at a time, so that others may write in between."""
        with self._lock:
            cursor = self._execute(query, *values)
        while True:
            with self._lock:
                rows = cursor.fetchmany(1000)
            if not rows:
                return
            yield from rows

    def _execute(self, query: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._data.execute(query, values)
        except sqlite3.OperationalError as error:
            raise SnapshotError(
                f"the worker cannot keep its notes in {self._folder}: {error}",
                "make room there, or name another folder with --work, and start the instance again",
            ) from error
