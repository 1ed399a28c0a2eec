"""The tree below the home folder, in any order: nothing is followed, and nothing is held in memory but one folder."""

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot.entries import FILE, FOLDER, LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signalbox_snapshot.index import Index

AT_WORK = b".signalbox-restore"
"""The folder at the top where files are restored before they get their names."""
SCRIPT, HALF_SCRIPT = b"recreate-environments.sh", b"recreate-environments.sh.half"
"""The script at the top that makes environments anew, and what it is while it is written."""
_NOT_SAVED = {b"lost+found", b"BACKUP_COMPLETE", b"SYNC_COMPLETE", AT_WORK, SCRIPT, HALF_SCRIPT}
"""What at the top of the volume is the file system's or the worker's own."""
_KINDS = ((stat.S_ISREG, FILE), (stat.S_ISDIR, FOLDER), (stat.S_ISLNK, LINK))
_SPECIAL = (
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


class Seen(NamedTuple):
    """A name below the home folder, its kind and its status; or, where `reason` says something, why it is left out.

    `failed` is whether that is a failure: the file is one to save and could not be looked at.
    """

    path: bytes
    full: bytes
    kind: str
    status: "os.stat_result | None"
    reason: str = ""
    failed: bool = False


def walk(home: bytes, index: "Index", mounts: "Callable[[], set[bytes]] | None" = None) -> "Iterator[Seen]":
    """Yield everything below `home` but what is not saved; folders that wait are in `index`.

    Other file systems are left out and named: those of another device, and those that the kernel lists as mounted.
    What goes away while it is looked at is not there.
    """
    device = os.stat(home).st_dev
    mounted = (mounts or _mounted)()
    index.push(b"")
    while True:
        folder = index.pop()
        if folder is None:
            return
        try:
            with os.scandir(os.path.join(home, folder)) as names:
                for name in names:
                    if folder or name.name not in _NOT_SAVED:
                        seen = _seen(home, folder + b"/" + name.name if folder else name.name, device, mounted)
                        if seen and seen.kind == FOLDER and not seen.reason:
                            index.push(seen.path)
                        if seen:
                            yield seen
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Seen(
                folder, os.path.join(home, folder), FOLDER, None, f"cannot be read: {error.strerror}", failed=True
            )


def mount_points(table: bytes) -> "set[bytes]":
    """Return the folders of `/proc/self/mountinfo` on which something is mounted; blanks are written in octal there."""
    found = set()
    for line in table.splitlines():
        words = line.split(b" ")
        if len(words) > 4:  # noqa: PLR2004 - the fifth word is the place
            found.add(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match.group(1), 8)]), words[4]))
    return found


def _mounted() -> "set[bytes]":
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return mount_points(file.read())
    except OSError:
        return set()


def _seen(home: bytes, path: bytes, device: int, mounted: "set[bytes]") -> "Seen | None":
    full = home + b"/" + path
    try:
        status = os.lstat(full)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Seen(path, full, FILE, None, f"cannot be looked at: {error.strerror}", failed=True)
    kind = next((kind for is_one, kind in _KINDS if is_one(status.st_mode)), "")
    if not kind:
        what = next((what for is_one, what in _SPECIAL if is_one(status.st_mode)), "something unknown")
        return Seen(path, full, kind, status, f"is {what}")
    if status.st_dev != device or (kind == FOLDER and os.path.realpath(full) in mounted):
        return Seen(path, full, kind, status, "another file system is mounted here")
    return Seen(path, full, kind, status)
