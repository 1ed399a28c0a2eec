"""A restore: the snapshot's files in their places, each verified, and a marker when that is true of all."""

import errno
import logging
import math
import os
import stat
from functools import partial
from typing import TYPE_CHECKING

from signalbox_snapshot.attributes import apply
from signalbox_snapshot.entries import FILE, FOLDER, LINK, SAME, Entry, from_line
from signalbox_snapshot.environments import note
from signalbox_snapshot.errors import DamagedError, IncompleteError, SnapshotError
from signalbox_snapshot.fetching import Fetcher
from signalbox_snapshot.job import RESTORE, mark, marker_text, unmark
from signalbox_snapshot.placing import KeptError, Placer
from signalbox_snapshot.pool import Pool
from signalbox_snapshot.recreation import leave
from signalbox_snapshot.snapshots import completion, wanted_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signalbox_snapshot.job import Job

_LOG = logging.getLogger(__name__)
_BLOCK = 4096
_GB = 1024.0**3
_AT_ONCE = 4000
"""Files of a pack that are restored in one go."""


def restore(job: "Job") -> None:
    """Restore the snapshot; raise IncompleteError where files of it are damaged, and what else ends a restore.

    Files that are newer on the volume are kept and named. Whatever is there already is verified, not fetched again: so
    a restore that was cut goes on where it was.
    """
    unmark(job, RESTORE)
    document = completion(job)
    placer = Placer(job.home, job.notes, job.wishes.over_newer, job.partial)
    needed, names = _load(job, wanted_lines(job, document), placer)
    _fits(job.home, needed - placer.allocated(), names)
    _Restore(job, placer).run()
    placer.clear()
    leave(job)
    counts = job.progress.counts()
    if counts.failed:
        raise IncompleteError(
            f"{counts.failed} files of snapshot {job.snapshot} could not be restored, {counts.files_done} were",
            "see the report in the bucket; restore another, or what is there by the tag snapshot-partial = restore",
        )
    mark(job, RESTORE, marker_text(job, RESTORE))
    _LOG.info("snapshot %s is restored: %d files", job.snapshot, counts.files_done)


def _load(job: "Job", lines: "Iterator[str]", placer: Placer) -> "tuple[int, int]":
    """Note all entries; return the bytes and names that the volume has to have room for."""
    files = size = needed = names = 0
    for line in lines:
        entry = from_line(line)
        pack = entry.pieces[0].pack if entry.pieces else ""
        if not job.notes.want(entry.path, entry.kind, pack, line):
            raise DamagedError(f"the manifest of {job.snapshot} names a file twice", "restore another snapshot")
        note(job.notes, entry.path, entry.kind)
        files += entry.kind != FOLDER
        size += entry.size if entry.kind in {FILE, SAME} else 0
        status = _status(placer.full(entry.path))
        names += status is None
        if entry.kind == FILE and not (status and stat.S_ISREG(status.st_mode) and status.st_size == entry.size):
            needed += sum(-(-piece.size // _BLOCK) * _BLOCK for piece in entry.pieces)
    job.progress.total(files, size)
    return needed, names


def _fits(home: bytes, needed: int, names: int) -> None:
    """Raise SnapshotError where the volume is too small, with numbers."""
    volume = os.statvfs(home)
    free = volume.f_bavail * volume.f_frsize
    if needed > free:
        used = (volume.f_blocks - volume.f_bfree) * volume.f_frsize
        raise SnapshotError(
            f"the snapshot needs {needed / _GB:.1f} GB and the volume has {free / _GB:.1f} GB free",
            f"give the instance a volume of at least {math.ceil((used + needed) * 1.1 / _GB)} GB, and start it again",
        )
    if volume.f_files and names > volume.f_favail:
        raise SnapshotError(
            f"the snapshot has {names} new names and the volume takes {volume.f_favail} more",
            "give the instance a larger volume, and start it again",
        )


class _Restore:
    """Restores the entries that are noted: folders, files, further names of files, links; last, what folders have."""

    def __init__(self, job: "Job", placer: Placer) -> None:
        self._job = job
        self._index = job.notes
        self._placer = placer
        self._pool = Pool()
        self._fetcher = Fetcher(job.objects, placer, self._pool, self._ended)

    def run(self) -> None:
        try:
            for wanted in self._index.wanted(FOLDER):
                entry = from_line(wanted.line)
                self._each(entry, partial(self._placer.folder, entry))
            self._files()
            self._pool.finish()
        finally:
            self._pool.abandon()
        for wanted in self._index.wanted(SAME):
            entry = from_line(wanted.line)
            self._each(entry, partial(self._again, entry))
        for wanted in self._index.wanted(LINK):
            entry = from_line(wanted.line)
            self._each(entry, partial(self._link, entry))
        for wanted in self._index.wanted(FOLDER, "path DESC"):
            if wanted.state == "done":
                apply(from_line(wanted.line), self._placer.full(wanted.path))

    def _files(self) -> None:
        group: list[Entry] = []
        for wanted in self._index.wanted(FILE, "pack"):
            entry = from_line(wanted.line)
            pack = entry.pieces[0].pack if entry.pieces else ""
            if group and (group[0].pieces[0].pack != pack or len(group) >= _AT_ONCE):
                self._pool.give(partial(self._fetcher.packed, group))
                group = []
            if pack:
                group.append(entry)
            else:
                self._fetcher.whole(entry)
        if group:
            self._pool.give(partial(self._fetcher.packed, group))

    def _again(self, entry: Entry) -> None:
        """Give a file a further name, unless it has it."""
        line = self._index.line(entry.target, FILE)
        if line is None or self._index.state(entry.target, FILE) == "left":
            raise KeptError("is another name of a file that was not restored")
        first = self._placer.full(entry.target)
        status = _status(self._placer.full(entry.path))
        if status is None or not os.path.samestat(status, os.lstat(first)):
            modified = from_line(line).modified
            self._placer.place(entry._replace(modified=modified), partial(_name_again, first))

    def _link(self, entry: Entry) -> None:
        full = self._placer.full(entry.path)
        status = _status(full)
        if status is None or not stat.S_ISLNK(status.st_mode) or os.readlink(full) != entry.target:
            self._placer.place(entry, partial(_make_link, entry))
        else:
            apply(entry, full)

    def _each(self, entry: Entry, task: "Callable[[], None]") -> None:
        try:
            task()
        except (KeptError, OSError) as error:
            self._ended(entry, error)
        else:
            self._ended(entry, None)

    def _ended(self, entry: Entry, error: "Exception | None") -> None:
        """Note how an entry went; raise where the volume is full, which no other entry gets round."""
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SnapshotError(
                "the volume is full", "give the instance a larger volume, and start it again"
            ) from error
        if entry.kind == FOLDER or error is not None:
            self._index.went(entry.path, "done" if error is None else "left")
        if error is not None:
            failed = error.failed if isinstance(error, KeptError) else True
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._job.progress.left(entry.path, reason, failed and not self._job.partial)
        elif entry.kind != FOLDER:
            self._job.progress.done(entry.size if entry.kind != LINK else 0)


def _name_again(first: bytes, scratch: bytes) -> None:
    if _status(scratch) is not None:
        os.remove(scratch)
    os.link(first, scratch, follow_symlinks=False)


def _make_link(entry: Entry, scratch: bytes) -> None:
    if _status(scratch) is not None:
        os.remove(scratch)
    os.symlink(entry.target, scratch)
    apply(entry, scratch)


def _status(full: bytes) -> "os.stat_result | None":
    try:
        return os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return None
