"""What a snapshot says of one file, folder or link: a line of its manifest."""

import base64
import json
from typing import NamedTuple

from signalbox_snapshot.errors import DamagedError

FILE, FOLDER, LINK, SAME = "file", "folder", "link", "same"
"""The kinds of entries: `link` is a symbolic link, `same` another name of a file (a hard link)."""


class Piece(NamedTuple):
    """`size` bytes of a file from its byte `start`: an object of its own, or, where `pack` has a digest, in a pack.

    Bytes of a file that are in no piece are zeros.
    """

    start: int
    size: int
    digest: str
    pack: str
    offset: int


class Entry(NamedTuple):
    """One name below the home folder; times in nanoseconds since 1970.

    `target` is where a symbolic link points, or the first name of the file for another name of it. `read` is when the
    file was read. `secrets` are the kinds of secrets that were found.
    """

    path: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    user: str
    group: str
    modified: int
    accessed: int
    changed: int
    inode: int
    read: int
    size: int
    xattrs: "tuple[tuple[bytes, bytes], ...]" = ()
    pieces: "tuple[Piece, ...]" = ()
    target: bytes = b""
    secrets: "tuple[str, ...]" = ()


def text(path: bytes) -> str:
    """Return a name as text from which `raw` makes the same bytes: what is no UTF-8 becomes a lone surrogate."""
    return path.decode("utf-8", "surrogateescape")


def raw(name: str) -> bytes:
    """Return the bytes of a name that `text` made."""
    return name.encode("utf-8", "surrogateescape")


def shown(path: bytes) -> str:
    """Return a name for people and for UTF-8 alone: quoted, with escapes, where it has more than plain characters."""
    name = path.decode("utf-8", "backslashreplace")
    return name if name.isprintable() else json.dumps(name)


def to_line(entry: Entry) -> str:
    """Return an entry as a line of a manifest: JSON in ASCII, so that any name survives any reader."""
    given = dict(entry._asdict(), path=text(entry.path), target=text(entry.target))
    given["xattrs"] = [[text(name), base64.b64encode(value).decode()] for name, value in entry.xattrs]
    return json.dumps({name: value for name, value in given.items() if value not in ((), [], "")})


def from_line(line: str) -> Entry:
    """Return the entry of a line; raise DamagedError where it is none, or names something outside the home folder."""
    try:
        given = dict(_NAMELESS, **json.loads(line))
        given["path"], given["target"] = raw(given["path"]), raw(given["target"])
        given["pieces"] = tuple([Piece(*piece) for piece in given["pieces"]])
        given["secrets"] = tuple(given["secrets"])
        if given["xattrs"]:
            given["xattrs"] = tuple([(raw(name), base64.b64decode(value)) for name, value in given["xattrs"]])
        entry = Entry(**given)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"the manifest has a line that is no entry: {error}", _ADVICE) from error
    for path in (entry.path, entry.target) if entry.kind == SAME else (entry.path,):
        between = b"/" + path + b"/"
        if b"//" in between or b"/./" in between or b"/../" in between or b"\0" in path:
            raise DamagedError(f"the manifest names a place outside the home folder: {shown(path)}", _ADVICE)
    return entry


_NAMELESS = {"user": "", "group": "", "target": "", "xattrs": (), "pieces": (), "secrets": ()}
"""What a line leaves out where it is empty."""
_ADVICE = "restore another snapshot: this one was not made by the worker"
