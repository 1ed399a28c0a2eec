"""Holds a snapshot against its objects, and the tree against the snapshot; changes nothing."""

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import keys
from signalbox_snapshot.attributes import differences
from signalbox_snapshot.entries import FILE, FOLDER, LINK, SAME, Entry, from_line, shown
from signalbox_snapshot.errors import DamagedError, MissingError
from signalbox_snapshot.placing import same_bytes
from signalbox_snapshot.snapshots import completion, wanted_lines
from signalbox_snapshot.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox_snapshot.job import Job

_NAMED = 1000
_KINDS = {FILE: stat.S_ISREG, SAME: stat.S_ISREG, FOLDER: stat.S_ISDIR, LINK: stat.S_ISLNK}


class Verified(NamedTuple):
    """What was found: `named` has at most 1000 reasons, each with its entry; `extra` names are not in the snapshot."""

    equal: bool
    snapshot: str
    entries: int
    damaged: int
    different: int
    extra: int
    named: "list[dict[str, str]]"


def verify(job: "Job", objects: bool = True, tree: bool = True) -> Verified:
    """Return how snapshot, objects and tree compare; raise DamagedError where the manifest itself is damaged."""
    entries = damaged = different = extra = 0
    named: list[dict[str, str]] = []
    for line in wanted_lines(job, completion(job)):
        entry = from_line(line)
        job.notes.want(entry.path, entry.kind, entry.pieces[0].pack if entry.pieces else "", line)
        entries += 1
    for kind in (FOLDER, FILE, SAME, LINK):
        checked = _Contents(job)
        for wanted in job.notes.wanted(kind, "pack"):
            entry = from_line(wanted.line)
            bad = list(checked.problems(entry)) if objects else []
            unlike = _unlike(job.home, entry) if tree else []
            damaged += bool(bad)
            different += bool(unlike)
            named += [{"path": shown(entry.path), "reason": reason} for reason in bad + unlike]
            del named[_NAMED:]
    if tree:
        extra = sum(not job.notes.is_wanted(seen.path) for seen in walk(job.home, job.notes) if not seen.reason)
    return Verified(not (damaged or different), job.snapshot, entries, damaged, different, extra, named)


class _Contents:
    """Reads every piece once more; the pack that was read last is kept, since files come in the order of packs."""

    def __init__(self, job: "Job") -> None:
        self._objects = job.objects
        self._pack = ""
        self._body: bytes | None = None

    def problems(self, entry: Entry) -> "Iterator[str]":
        for piece in entry.pieces:
            try:
                if piece.pack:
                    data = self._packed(piece.pack)[piece.offset : piece.offset + piece.size]
                    if hashlib.sha256(data).hexdigest() != piece.digest:
                        yield f"{self._objects.address(keys.pack(piece.pack))} is not what was put there"
                else:
                    self._objects.verified(keys.piece(piece.digest), piece.digest)
            except (MissingError, DamagedError) as error:
                yield str(error)

    def _packed(self, pack: str) -> bytes:
        if pack != self._pack:
            self._pack, self._body = pack, None
            self._body = self._objects.get(keys.pack(pack))
        if self._body is None:
            raise DamagedError(f"{self._objects.address(keys.pack(pack))} is missing", "")
        return self._body


def _unlike(home: bytes, entry: Entry) -> "list[str]":
    full = os.path.join(home, entry.path)
    try:
        status = os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return ["is not there"]
    if not _KINDS[entry.kind](status.st_mode):
        return [f"is no {entry.kind}"]
    if entry.kind == SAME:
        same = os.path.exists(os.path.join(home, entry.target))
        return (
            [] if same and os.path.samestat(status, os.lstat(os.path.join(home, entry.target))) else ["is a file apart"]
        )
    found = differences(entry, full, status)
    if entry.kind == LINK and os.readlink(full) != entry.target:
        found.append("points elsewhere")
    if entry.kind == FILE and not same_bytes(entry, full):
        found.append("its bytes are others")
    return found
