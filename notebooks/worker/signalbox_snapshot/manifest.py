"""The manifest: lines of entries in parts that are compressed, and the document that says all parts are there."""

import gzip
import hashlib
import io
import json
import time
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import keys
from signalbox_snapshot.errors import DamagedError, MissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signalbox_snapshot.objects import Objects

_PART_LINES = 50000
_PART_BYTES = 8 * 1024 * 1024
_PART_SECONDS = 60.0
_ADVICE = "restore another snapshot"


class Part(NamedTuple):
    """A part of a manifest: the SHA-256 of its compressed bytes, and its lines."""

    digest: str
    lines: int


class Totals(NamedTuple):
    """What a snapshot holds, and what was left out of it; `unreadable` are those of the left out that are a failure."""

    entries: int
    files: int
    bytes: int
    left_out: int
    unreadable: int
    secrets: int


class Completion(NamedTuple):
    """The document that is written last: a snapshot is the parts that it names."""

    snapshot: str
    instance: str
    request: "str | None"
    created: str
    worker: str
    totals: Totals
    parts: "tuple[Part, ...]"


class ManifestWriter:
    """Writes parts as lines come. A line stands in a part that is in the bucket only after its contents are there too.

    So whatever part is found of a backup that was cut can be relied on by the next.
    """

    def __init__(self, objects: "Objects", snapshot: str, clock: "Callable[[], float]" = time.monotonic) -> None:
        self.parts: list[Part] = []
        self._objects = objects
        self._snapshot = snapshot
        self._clock = clock
        self._file: gzip.GzipFile | None = None

    def add(self, line: str) -> None:
        """Add a line; put the part where it is large or old enough."""
        file = self._file or self._begun()
        file.write(line.encode("ascii") + b"\n")
        self._lines += 1
        if self._lines >= _PART_LINES or self._buffer.tell() >= _PART_BYTES or self._clock() >= self._until:
            self.put()

    def put(self) -> None:
        """Put what was added since the last part."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        body, lines = self._buffer.getvalue(), self._lines
        digest = hashlib.sha256(body).hexdigest()
        self._objects.put(keys.part(self._snapshot, digest), body, digest)
        self.parts.append(Part(digest, lines))

    def _begun(self) -> gzip.GzipFile:
        self._buffer = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._buffer, mode="wb", compresslevel=6, mtime=0)
        self._lines = 0
        self._until = self._clock() + _PART_SECONDS
        return self._file


def completion_bytes(completion: Completion) -> bytes:
    """Return the document with its own digest, so that damage to it is seen."""
    given = dict(completion._asdict(), totals=completion.totals._asdict(), format=1)
    given["parts"] = [part._asdict() for part in completion.parts]
    return json.dumps(dict(given, digest=_digest(given)), indent=1, sort_keys=True).encode()


def completion_of(body: bytes, snapshot: str) -> Completion:
    """Return what the document of `snapshot` says; raise DamagedError where it is damaged or another's."""
    try:
        given = json.loads(body.decode())
        digest, form = given.pop("digest"), given.pop("format")
        if digest != _digest(dict(given, format=form)) or given["snapshot"] != snapshot:
            raise ValueError("it is not what was put there")  # noqa: TRY301 - one answer to all that may be wrong
        given["totals"] = Totals(**given["totals"])
        given["parts"] = tuple(Part(**part) for part in given["parts"])
        return Completion(**given)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"the document of snapshot {snapshot} is damaged: {error}", _ADVICE) from error


def lines_of(objects: "Objects", completion: Completion) -> "Iterator[str]":
    """Yield the lines of all parts; raise DamagedError where one is missing, damaged or another's."""
    for part in completion.parts:
        key = keys.part(completion.snapshot, part.digest)
        try:
            body = objects.verified(key, part.digest)
        except MissingError as error:
            raise DamagedError(f"{objects.address(key)}, a part of the manifest, is missing", _ADVICE) from error
        yield from unpacked(body)


def unpacked(body: bytes) -> "Iterator[str]":
    """Yield the lines of a part, one in memory at a time."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        for line in file:
            yield line.decode("ascii")


def _digest(given: "dict[str, object]") -> str:
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
