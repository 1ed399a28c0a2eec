"""Puts files into the bucket: small ones in packs, larger ones in pieces, none whose content is there already."""

import hashlib
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import keys
from signalbox_snapshot.attributes import Names, entry_of
from signalbox_snapshot.earlier import state, stored
from signalbox_snapshot.entries import FILE, FOLDER, LINK, SAME, Entry, Piece, to_line
from signalbox_snapshot.index import Packed
from signalbox_snapshot.reading import PIECE, TRIES, GoneError, Reader, RestlessError, identity, zeros
from signalbox_snapshot.scanning import secrets_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from signalbox_snapshot.index import Index
    from signalbox_snapshot.manifest import ManifestWriter
    from signalbox_snapshot.objects import Objects
    from signalbox_snapshot.pool import Pool
    from signalbox_snapshot.progress import Progress
    from signalbox_snapshot.walking import Seen

SMALL = 256 * 1024
"""Bytes of the largest file that is packed with others."""
_PACK_FILES = 4000


class Tools(NamedTuple):
    """What saving works with."""

    objects: "Objects"
    notes: "Index"
    writer: "ManifestWriter"
    pool: "Pool"
    progress: "Progress"
    with_secrets: bool


class Saver:
    """Saves what was seen. Lines of the manifest are written when the contents are in the bucket, by any thread."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._names = Names()
        self._lock = threading.Lock()
        self._batch: list[Seen] = []
        self._batched = 0

    def save(self, seen: "Seen") -> None:
        """Save one file, folder or link, or name it as left out."""
        status = seen.status
        if seen.reason or status is None:
            self._tools.progress.left(seen.path, seen.reason, seen.failed)
        elif seen.kind != FILE:
            self._quietly(seen, partial(self._bare, seen, status))
        elif status.st_nlink > 1 and not self._tools.notes.add_link(
            status.st_dev, status.st_ino, seen.path, status.st_size
        ):
            return
        elif not self._unchanged(seen, status):
            self._changed(seen, status.st_size)

    def finish(self) -> None:
        """Save what waits, wait for all, then write the further names of files and the last part of the manifest."""
        self._give_batch()
        self._tools.pool.finish()
        for path, first, size, saved in self._tools.notes.links():
            if saved:
                self._write(Entry(path, SAME, 0, 0, 0, "", "", 0, 0, 0, 0, 0, size, target=first))
            else:
                self._tools.progress.left(path, "is another name of a file that is left out")
        self._tools.writer.put()

    def _bare(self, seen: "Seen", status: "os.stat_result") -> None:
        self._write(entry_of(self._names, seen.path, seen.kind, seen.full, status))

    def _unchanged(self, seen: "Seen", status: "os.stat_result") -> bool:
        """Keep what an earlier snapshot says of a file that has not changed, if all its contents are still there."""
        known = self._tools.notes.known(seen.path)
        if known is None or known.state != state(*identity(status)):
            return False
        secrets = tuple(known.secrets.splitlines())
        if not self._withheld(seen, secrets):
            self._add(seen.path, known.line, status.st_size, secrets)
            self._saved(status)
        return True

    def _changed(self, seen: "Seen", size: int) -> None:
        if size > PIECE:
            self._quietly(seen, partial(self._whole, seen, self._tools.pool.give))
        elif size > SMALL:
            self._tools.pool.give(partial(self._quietly, seen, partial(self._whole, seen, _at_once)))
        else:
            self._batch.append(seen)
            self._batched += size
            if self._batched >= PIECE - SMALL or len(self._batch) >= _PACK_FILES:
                self._give_batch()

    def _give_batch(self) -> None:
        if self._batch:
            self._tools.pool.give(partial(self._pack, self._batch))
        self._batch, self._batched = [], 0

    def _quietly(self, seen: "Seen", task: "Callable[[], None]") -> None:
        """Do a task with a file: read it again where it changes meanwhile, and name it where it cannot be read."""
        for attempt in range(TRIES):
            try:
                task()
            except (GoneError, FileNotFoundError, NotADirectoryError):
                return
            except RestlessError:
                time.sleep(0.05 * attempt)
            except OSError as error:
                self._tools.progress.left(seen.path, f"cannot be read: {error.strerror}", failed=True)
                return
            else:
                return
        self._tools.progress.left(seen.path, "changes all the time")

    def _whole(self, seen: "Seen", run: "Callable[[Callable[[], None]], None]") -> None:
        """Save a file in pieces, each of which `run` puts, now or later; its line is written with the last one."""
        with Reader(seen.full) as reader:
            found = secrets_of(block for _, block in reader.pieces())
            reader.rested()
            if self._withheld(seen, found):
                return
            pieces = _Pieces(self._write_file)
            for start, block in reader.pieces():
                pieces.expect()
                run(partial(self._put_piece, pieces, start, block))
            reader.rested()
            entry = entry_of(self._names, seen.path, FILE, seen.full, reader.status)._replace(secrets=found)
            pieces.close(entry, reader.status)

    def _put_piece(self, pieces: "_Pieces", start: int, block: bytes) -> None:
        digest = hashlib.sha256(block).hexdigest()
        key = keys.piece(digest)
        if self._tools.notes.stored(key) != len(block):
            self._tools.objects.put(key, block, digest)
            self._tools.notes.add_stored(key, len(block))
        pieces.add(Piece(start, len(block), digest, "", 0))

    def _pack(self, batch: "list[Seen]") -> None:
        """Save small files: read them, put what is new of them in one pack, then write their lines."""
        pack = _Pack()
        for seen in batch:
            self._quietly(seen, partial(self._into_pack, pack, seen))
        digest = hashlib.sha256(pack.body).hexdigest() if pack.body else ""
        if pack.body:
            self._tools.objects.put(keys.pack(digest), pack.body, digest)
            self._tools.notes.add_stored(keys.pack(digest), len(pack.body))
        for content, packed in pack.starts.items():
            self._tools.notes.add_packed(content, packed.size, Packed(digest, packed.offset))
        for entry, status in pack.entries:
            pieces = tuple(piece if piece.pack else piece._replace(pack=digest) for piece in entry.pieces)
            self._write_file(entry._replace(pieces=pieces), status)

    def _into_pack(self, pack: "_Pack", seen: "Seen") -> None:
        with Reader(seen.full) as reader:
            status = reader.status
            if status.st_size > SMALL:
                # It has grown since it was seen.
                self._whole(seen, _at_once)
                return
            data = reader.read(0, status.st_size) if status.st_size else b""
            found = secrets_of([data])
            entry = entry_of(self._names, seen.path, FILE, seen.full, status)._replace(secrets=found)
            reader.rested()
        if not self._withheld(seen, found):
            pieces = () if zeros(data) else (self._packed(pack, data),)
            pack.entries.append((entry._replace(pieces=pieces), status))

    def _packed(self, pack: "_Pack", data: bytes) -> Piece:
        digest = hashlib.sha256(data).hexdigest()
        known = self._tools.notes.packed(digest, len(data))
        if known:
            piece = Piece(0, len(data), digest, known.pack, known.start)
            if stored(self._tools.notes, piece):
                return piece
        if digest not in pack.starts:
            pack.starts[digest] = Piece(0, len(data), digest, "", len(pack.body))
            pack.body += data
        return pack.starts[digest]

    def _withheld(self, seen: "Seen", found: "tuple[str, ...]") -> bool:
        withheld = bool(found) and not self._tools.with_secrets
        if withheld:
            self._tools.progress.secret(seen.path, found, withheld=True)
        return withheld

    def _write_file(self, entry: Entry, status: "os.stat_result") -> None:
        self._write(entry)
        self._saved(status)

    def _saved(self, status: "os.stat_result") -> None:
        if status.st_nlink > 1:
            self._tools.notes.link_saved(status.st_dev, status.st_ino)

    def _write(self, entry: Entry) -> None:
        size = None if entry.kind == FOLDER else 0 if entry.kind == LINK else entry.size
        self._add(entry.path, to_line(entry), size, entry.secrets)

    def _add(self, path: bytes, line: str, size: "int | None", secrets: "tuple[str, ...]") -> None:
        """Add a line, and count the file that it is about; a folder, which has no size, is none."""
        with self._lock:
            self._tools.writer.add(line)
        if secrets:
            self._tools.progress.secret(path, secrets, withheld=False)
        if size is not None:
            self._tools.progress.done(size)


class _Pack:
    """Small contents one after the other, where each is, and the entries that have them."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.starts: dict[str, Piece] = {}
        self.entries: list[tuple[Entry, os.stat_result]] = []


class _Pieces:
    """The pieces of one file, put by any number of threads; whoever comes last writes the file's line."""

    def __init__(self, write: "Callable[[Entry, os.stat_result], None]") -> None:
        self._write = write
        self._lock = threading.Lock()
        self._pieces: list[Piece] = []
        self._missing = 0
        self._file: tuple[Entry, os.stat_result] | None = None

    def expect(self) -> None:
        """Note that a piece will come."""
        with self._lock:
            self._missing += 1

    def add(self, piece: Piece) -> None:
        """Add a piece that is in the bucket."""
        with self._lock:
            self._missing -= 1
            self._pieces.append(piece)
        self._perhaps_write()

    def close(self, entry: Entry, status: "os.stat_result") -> None:
        """Say that all pieces are expected, and that the file did not change while they were read."""
        with self._lock:
            self._file = entry, status
        self._perhaps_write()

    def _perhaps_write(self) -> None:
        with self._lock:
            file = self._file
            if self._missing or file is None:
                return
            self._file = None
        entry, status = file
        self._write(entry._replace(pieces=tuple(sorted(self._pieces))), status)


def _at_once(task: "Callable[[], None]") -> None:
    task()
