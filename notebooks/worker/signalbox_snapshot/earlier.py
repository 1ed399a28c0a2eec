"""What earlier backups left in the bucket: contents that need not be put again, files that need not be read again."""

import logging
import time
from typing import TYPE_CHECKING

from signalbox_snapshot import keys
from signalbox_snapshot.entries import FILE, from_line
from signalbox_snapshot.errors import DamagedError, MissingError
from signalbox_snapshot.index import Known, Packed
from signalbox_snapshot.manifest import Part, completion_of, unpacked

if TYPE_CHECKING:
    from signalbox_snapshot.entries import Piece
    from signalbox_snapshot.index import Index
    from signalbox_snapshot.objects import Objects

_LOG = logging.getLogger(__name__)
FRESH_DAYS = 30
"""Days for which a content is relied on: an older one is put again, so that none expires before its last snapshot.

A rule that expires contents and packs has to leave them this much longer than snapshots.
"""


_JIFFY = 50 * 1000 * 1000
"""Nanoseconds within which a second change of a file may have the first one's time."""


def contents(objects: "Objects", index: "Index", now: float) -> None:
    """Note the pieces and packs of the bucket that are young enough at `now` (seconds since 1970)."""
    oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - FRESH_DAYS * 86400))
    for prefix in ("content/", "packs/"):
        for listed in objects.list(prefix):
            if listed.modified[:19] > oldest:
                index.add_stored(listed.key, listed.size)


def entries(objects: "Objects", index: "Index", instance: str) -> None:
    """Note what the last complete snapshot of the instance says of each file, and what those that were cut since say.

    `contents` has been noted before: a file is known only if all its contents are in the bucket.
    What cannot be read of them is only lost time: those files are read again.
    """
    parts: dict[str, list[str]] = {}
    complete = ""
    for listed in objects.list(f"snapshots/{instance}_"):
        snapshot, name = listed.key.split("/", 2)[1:]
        parts.setdefault(snapshot, [])
        if name == "complete.json":
            complete = max(complete, snapshot)
        elif name.startswith("manifest/"):
            parts[snapshot].append(name[len("manifest/") :].split(".")[0])
    for snapshot in sorted(name for name in parts if name >= complete):
        for digest in _of_complete(objects, snapshot) if snapshot == complete else parts[snapshot]:
            _note(objects, index, snapshot, digest)


def state(size: int, modified: int, changed: int, inode: int) -> str:
    """Return by what a file is seen to be unchanged."""
    return f"{size} {modified} {changed} {inode}"


def stored(index: "Index", piece: "Piece") -> bool:
    """Whether a piece is in the bucket, and young enough to be relied on."""
    if piece.pack:
        size = index.stored(keys.pack(piece.pack))
        return size is not None and size >= piece.offset + piece.size
    return index.stored(keys.piece(piece.digest)) == piece.size


def _of_complete(objects: "Objects", snapshot: str) -> "list[str]":
    try:
        completion = completion_of(objects.get(keys.complete(snapshot)), snapshot)
    except (DamagedError, MissingError) as error:
        _LOG.warning("an earlier snapshot is of no use: %s", error)
        return []
    return [Part(*part).digest for part in completion.parts]


def _note(objects: "Objects", index: "Index", snapshot: str, digest: str) -> None:
    try:
        for line in unpacked(objects.verified(keys.part(snapshot, digest), digest)):
            entry = from_line(line)
            rested = entry.changed + _JIFFY <= entry.read
            if entry.kind == FILE and rested and all(stored(index, piece) for piece in entry.pieces):
                then = state(entry.size, entry.modified, entry.changed, entry.inode)
                index.add_known(entry.path, Known(then, "\n".join(entry.secrets), line.rstrip("\n")))
            for piece in entry.pieces:
                if piece.pack:
                    index.add_packed(piece.digest, piece.size, Packed(piece.pack, piece.offset))
    except (DamagedError, MissingError) as error:
        _LOG.warning("a part of an earlier snapshot is of no use: %s", error)
