"""The files of a run: which version of which object each is, and when it was uploaded."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox_features.model import FeaturesError, UnreadableFileError
from signalbox_features.values import WrongTypeError, moment

if TYPE_CHECKING:
    from pathlib import Path

REPLAYED = "quarantine.jsonl"
_BLOCK = 1024 * 1024
_PATTERN = 'wants {"files": [{"file": ..., "name": ..., "version": ..., "uploaded": ...}]}'


class SourceFile(NamedTuple):
    """A file: its path here, and the object's name, version and time of upload (seconds since 1970)."""

    path: Path
    name: str
    version: str
    uploaded: float


def manifest_in(place: Path) -> Path:
    """Return the only file of a folder, since where a job finds a run's manifest it has the run's name; else the file.

    Raises:
        FeaturesError: the folder has none, or several.
    """
    if not place.is_dir():
        return place
    found = sorted(path for path in place.iterdir() if path.is_file())
    if len(found) != 1:
        raise FeaturesError(f"{place} has {len(found)} files, and has to have one, the manifest of the run's files")
    return found[0]


def of_manifest(manifest: Path, folder: Path) -> list[SourceFile]:
    """Return the files that a manifest names, each once, in its order.

    The manifest is JSON: `file` is the path within `folder`, `name` the object's name (else the file), `version` the
    object's version, `uploaded` its time as ISO 8601.

    Raises:
        FeaturesError: it is no such manifest, or names a file that is not there.
    """
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        found = [_entry(entry, folder) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FeaturesError(f"{manifest} is no manifest of files ({error!r}): {_PATTERN}") from error
    for source in found:
        if not source.path.is_file():
            raise FeaturesError(f"{manifest} names {source.name}, and there is no {source.path}")
    return once(found)


def _entry(entry: Any, folder: Path) -> SourceFile:
    uploaded = moment(entry["uploaded"])
    if uploaded is None or not isinstance(entry["version"], str):
        raise WrongTypeError(entry, "a version and the time of the upload")
    return SourceFile(folder / entry["file"], entry.get("name", entry["file"]), entry["version"], uploaded)


def of_paths(paths: list[Path]) -> list[SourceFile]:
    """Return files of this machine: the version is a digest of the content, the time that of the last change.

    Raises:
        FeaturesError: a file is not there.
    """
    for path in paths:
        if not path.is_file():
            raise FeaturesError(f"there is no file {path}: name the files, CSV or Parquet")
    return once([SourceFile(path, path.name, digest_of(path), path.stat().st_mtime) for path in paths])


def once(sources: list[SourceFile]) -> list[SourceFile]:
    """Return each version of an object once: a second time would be the same rows again."""
    return list({(source.name, source.version): source for source in sources}.values())


def digest_of(path: Path) -> str:
    """Return the content of a file in 32 characters."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        for block in iter(lambda: content.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()[:32]


def kind(source: SourceFile) -> str:
    """Return what a file is by its first bytes: `parquet`, `gzip`, `replay` or `csv`.

    Raises:
        UnreadableFileError: it is something else, or not there.
    """
    if source.path.name.endswith(REPLAYED):
        return "replay"
    try:
        with source.path.open("rb") as content:
            head = content.read(4096)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}") from error
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"PK\x03\x04"):
        raise UnreadableFileError("is a zip archive: unpack it, and upload the files in it")
    refuse_no_text(head)
    return "csv"


def refuse_no_text(head: bytes) -> None:
    """See that the first bytes of a file can be those of CSV.

    Raises:
        UnreadableFileError: the file is empty, in UTF-16, or no text.
    """
    if not head.strip():
        raise UnreadableFileError("has no rows: the file is empty")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFileError("is UTF-16: save it as UTF-8")
    if b"\0" in head:
        raise UnreadableFileError("is no text (it has bytes of zero): upload CSV, CSV in gzip, or Parquet")
