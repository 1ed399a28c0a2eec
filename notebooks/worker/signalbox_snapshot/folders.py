"""The folder of the home that a restore puts the files into, where the tag snapshot-folder names one."""

import os
import stat

from signalbox_snapshot.errors import SnapshotError

_MODE = 0o755


def within(home: bytes, folder: "str | None") -> bytes:
    """Return the folder of that name in `home`, or `home` itself where none is named."""
    return os.path.join(home, os.fsencode(folder)) if folder else home


def make(home: bytes, folder: "str | None") -> None:
    """Make the folder, which is the home's owner's, unless it is there.

    Raise SnapshotError where something else is in its place: a link is not followed, since it may lead anywhere.
    """
    if not folder:
        return
    full = within(home, folder)
    try:
        os.mkdir(full, _MODE)
    except FileExistsError as error:
        if not stat.S_ISDIR(os.lstat(full).st_mode):
            raise SnapshotError(
                f"what is called {folder} in the home is no folder, and the files have to go there",
                "rename it, and start the instance again",
            ) from error
        return
    if os.geteuid() == 0:
        owner = os.stat(home)
        os.chown(full, owner.st_uid, owner.st_gid)
