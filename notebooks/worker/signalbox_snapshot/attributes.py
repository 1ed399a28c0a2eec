"""Modes, owners, times and extended attributes: read from files, and given to files."""

import contextlib
import errno
import grp
import os
import pwd
import stat
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from signalbox_snapshot.entries import LINK, Entry

if TYPE_CHECKING:
    from signalbox_snapshot.entries import Piece

_ALSO = {"ec2-user": "sagemaker-user"}
"""Who owns a person's files on an instance, and who does in a space of Studio."""
_UNSUPPORTED = {errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENODATA}


class Names:
    """Names of users and groups, each asked for once."""

    def __init__(self) -> None:
        self._users: dict[int, str] = {}
        self._groups: dict[int, str] = {}

    def user(self, number: int) -> str:
        """Return a user's name, or nothing for a number without one."""
        if number not in self._users:
            try:
                self._users[number] = pwd.getpwuid(number).pw_name
            except KeyError:
                self._users[number] = ""
        return self._users[number]

    def group(self, number: int) -> str:
        """Return a group's name, or nothing for a number without one."""
        if number not in self._groups:
            try:
                self._groups[number] = grp.getgrgid(number).gr_name
            except KeyError:
                self._groups[number] = ""
        return self._groups[number]


def entry_of(
    names: Names, path: bytes, kind: str, full: bytes, status: os.stat_result, pieces: "tuple[Piece, ...]" = ()
) -> Entry:
    """Return the entry of the file at `full`, whose name below the home is `path`; raise OSError where it is gone."""
    return Entry(
        path=path,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        user=names.user(status.st_uid),
        group=names.group(status.st_gid),
        modified=status.st_mtime_ns,
        accessed=status.st_atime_ns,
        changed=status.st_ctime_ns,
        inode=status.st_ino,
        read=int(time.time() * 1e9),
        size=status.st_size,
        xattrs=_xattrs(full),
        pieces=pieces,
        target=os.readlink(full) if kind == LINK else b"",
    )


def apply(entry: Entry, full: bytes) -> None:
    """Give the file at `full` what `entry` says: owner (where the worker is root), attributes, mode, times.

    Attributes come before the mode: whoever is not root writes none to a file that is read-only.
    """
    if os.geteuid() == 0:
        os.chown(full, user_number(entry.user, entry.uid), group_number(entry.group, entry.gid), follow_symlinks=False)
    for name, value in entry.xattrs:
        _set_xattr(full, name, value)
    if entry.kind != LINK:
        os.chmod(full, entry.mode)
    os.utime(full, ns=(entry.accessed, entry.modified), follow_symlinks=False)


def differences(entry: Entry, full: bytes, status: os.stat_result) -> "list[str]":
    """Return in what the file at `full` is not as `entry` says, but for its bytes; its status is `status`."""
    found = []
    if entry.kind != LINK and stat.S_IMODE(status.st_mode) != entry.mode:
        found.append(f"its mode is {stat.S_IMODE(status.st_mode):o}, not {entry.mode:o}")
    if status.st_mtime_ns != entry.modified:
        found.append("its time of change is another")
    if dict(entry.xattrs).items() - dict(_xattrs(full)).items():
        found.append("its extended attributes are others")
    if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (
        user_number(entry.user, entry.uid),
        group_number(entry.group, entry.gid),
    ):
        found.append("its owner is another")
    return found


@lru_cache(maxsize=1000)
def user_number(name: str, number: int) -> int:
    """Return the user of a name here: ec2-user has another number on Amazon Linux 1, and another name in a space."""
    for known in (name, _ALSO.get(name)):
        with contextlib.suppress(KeyError):
            if known:
                return pwd.getpwnam(known).pw_uid
    return number


@lru_cache(maxsize=1000)
def group_number(name: str, number: int) -> int:
    """Return the group of a name here."""
    with contextlib.suppress(KeyError):
        return grp.getgrnam(name).gr_gid
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_ALSO.get(name, "")).pw_gid
    return number


def _xattrs(full: bytes) -> "tuple[tuple[bytes, bytes], ...]":
    if not hasattr(os, "listxattr"):
        return ()
    try:
        names = sorted(os.listxattr(full, follow_symlinks=False))
        return tuple((os.fsencode(name), os.getxattr(full, name, follow_symlinks=False)) for name in names)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return ()
        raise


def _set_xattr(full: bytes, name: bytes, value: bytes) -> None:
    """Set an attribute where this file system and this user may: one of SELinux belongs to the system, not the file."""
    try:
        os.setxattr(full, name, value, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
