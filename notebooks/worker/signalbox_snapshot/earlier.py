"""What earlier backups left in the bucket: contents that need not be put again, files that need not be read again."""

import logging
import time
from typing import TYPE_CHECKING

from signalbox_snapshot import keys
from signalbox_snapshot.entries import FILE, from_line
from signalbox_snapshot.errors import DamagedError, MissingError
from signalbox_snapshot.index import Packed
from signalbox_snapshot.manifest import Part, completion_of, unpacked

if TYPE_CHECKING:
    from signalbox_snapshot.index import Index
    from signalbox_snapshot.objects import Objects

_LOG = logging.getLogger(__name__)
FRESH_DAYS = 30
"""Days for which a content is relied on: an older one is put again, so that none expires before its last snapshot.

A rule that expires contents and packs has to leave them this much longer than snapshots.
"""


def contents(objects: "Objects", index: "Index", now: float) -> None:
    """Note the pieces and packs of the bucket that are young enough at `now` (seconds since 1970)."""
    oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - FRESH_DAYS * 86400))
    for prefix in ("content/", "packs/"):
        for listed in objects.list(prefix):
            if listed.modified[:19] > oldest:
                index.add_stored(listed.key, listed.size)


def entries(objects: "Objects", index: "Index", instance: str) -> None:
    """Note what the last complete snapshot of the instance says of each file, and what those that were cut since say.

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
            if entry.kind == FILE:
                index.add_known(entry.path, line.rstrip("\n"))
            for piece in entry.pieces:
                if piece.pack:
                    index.add_packed(piece.digest, piece.size, Packed(piece.pack, piece.offset))
    except (DamagedError, MissingError) as error:
        _LOG.warning("a part of an earlier snapshot is of no use: %s", error)
