"""What a program has printed, read in bounded pieces: it may print without end, and what is no text."""

from collections.abc import Iterator
from pathlib import Path

_CHUNK, _WIDTH = 256 * 1024, 64 * 1024
_END = 64 * 1024


class Lines:
    """The lines of a log that grows. A longer one than 64 KB comes in parts, and what is no text as it can be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self.position = 0

    def more(self, *, last: bool = False) -> list[str]:
        """Return some of the lines that are new, and with `last` an unfinished one at the end as well.

        Everything was read once this returns with the same `position` as it had before.
        """
        if not self._path.is_file():
            return []
        with self._path.open("rb") as stream:
            stream.seek(self.position)
            added = stream.read(_CHUNK)
        self.position += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        if len(self._rest) >= _WIDTH or (last and not added and self._rest):
            lines.append(self._rest)
            self._rest = b""
        return [part.decode(errors="replace").rstrip("\r") for line in lines for part in _parts(line)]

    def all(self) -> Iterator[str]:
        """Yield every line up to the end of the log as it is now."""
        before = -1
        while self.position != before:
            before = self.position
            yield from self.more(last=True)


def _parts(line: bytes) -> Iterator[bytes]:
    yield from (line[start : start + _WIDTH] for start in range(0, max(len(line), 1), _WIDTH))


def tail(log: Path, lines: int = 10) -> str:
    """Return the last `lines` lines of a log file; nothing if there is none."""
    return "\n".join(end(log).splitlines()[-lines:])


def end(log: Path) -> str:
    """Return the last 64 KB of a log file; nothing if there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _END))
        return stream.read().decode(errors="replace")
