"""What a push asks for, read before git gets it (gitprotocol-pack, "Reference Update Request").

Lines are four digits of a length and as many bytes; `0000` ends them, and the pack of objects follows.
"""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from sagemaker_local.codecommit.repositories import Change

type Receive = Callable[[], Awaitable[Any]]

MOST_REFERENCES = 4_000  # of one push (User Guide, "Quotas")
_DIGITS = 4
_CHUNK = 65_536


class MalformedError(Exception):
    """What came is no push."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


async def body(receive: Receive, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes, unpacked; a client that is gone ends it.

    Raises:
        MalformedError: it is not packed as its header says.
    """
    packed = headers.get("content-encoding", "") in ("gzip", "x-gzip")
    unpack = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        chunk = message.get("body", b"")
        if not packed:
            yield chunk
        else:
            try:
                while chunk:
                    yield unpack.decompress(chunk, _CHUNK)
                    chunk = unpack.unconsumed_tail
            except zlib.error as error:
                raise MalformedError(f"the request is no gzip: {error}") from error
        if not message.get("more_body", False):
            return


async def commands(chunks: AsyncIterator[bytes]) -> tuple[list[Change], bytes]:
    """Return the references that a push asks to change, and all that was read of its body.

    Raises:
        MalformedError: it has no such list, or more references than one push may.
    """
    held, at, found = bytearray(), 0, list[Change]()
    while True:
        while (line := _line(held, at)) is None:
            chunk = await anext(chunks, None)
            if chunk is None:
                raise MalformedError("the push ends before its list of references does")
            held += chunk
        at += max(len(line) + _DIGITS, _DIGITS)
        if not line:
            return found, bytes(held)
        if not line.startswith(b"shallow "):
            found.append(_change(line))
        if len(found) > MOST_REFERENCES:
            raise MalformedError(f"a push has at most {MOST_REFERENCES:,} references")


def _line(held: bytearray, at: int) -> bytes | None:
    """Return the line that begins somewhere, empty for the end of the list; None where it is not there yet."""
    try:
        length = int(held[at : at + _DIGITS], 16) if len(held) >= at + _DIGITS else -1
    except ValueError:
        raise MalformedError("the push has no list of references") from None
    if length in range(1, _DIGITS + 1):
        raise MalformedError("the push has no list of references")
    if length < 0 or len(held) < at + length:
        return None
    return bytes(held[at + _DIGITS : at + length])


def _change(line: bytes) -> Change:
    words = line.partition(b"\0")[0].decode(errors="surrogateescape").rstrip("\n").split(" ", 2)
    if len(words) != len(Change._fields):
        raise MalformedError("a signed push, or what is none, is not taken here")
    return Change(*words)
