"""The text of a table's file: its encoding, and all of a small file, or pieces spread over a large one."""

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.new.model import TableError

# A file of up to so many bytes is read to its end; of a larger one, so many pieces, from all of it.
WHOLE = 4 * 1024 * 1024
PIECES, PIECE = 32, 128 * 1024
# What a file begins with that is no text (the formats' own specifications), and what to do with it.
_OTHERS = {
    b"PK\x03\x04": "is a zip archive or a workbook: unpack it, or save the sheet as CSV",
    b"\x1f\x8b": "is compressed (gzip): unpack it with gunzip",
    b"PAR1": "is a Parquet file: write it as CSV, as with pandas.read_parquet(…).to_csv(…, index=False)",
    b"\xd0\xcf\x11\xe0": "is an old workbook: save the sheet as CSV",
}
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Text:
    """Pieces of a file, each of whole lines; `whole` where the one piece is the file."""

    encoding: str
    pieces: tuple[str, ...]
    size: int
    whole: bool


def read(path: Path) -> Text:
    """Return the text of a file.

    Raises:
        TableError: it cannot be read, is empty, or is no text.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(WHOLE)
        _refuse_others(path, start)
        encoding = _encoding(start)
        if size <= WHOLE or encoding == "utf-16":  # its characters have no fixed places
            return Text(encoding, (_decoded(start, encoding),), size, whole=size <= WHOLE)
        return Text(encoding, tuple(_pieces(path, size, encoding)), size, whole=False)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error


def _refuse_others(path: Path, start: bytes) -> None:
    if not start.strip():
        raise TableError(f"{path} is empty: a table has a row for each example, and a column for each thing known")
    for mark, told in _OTHERS.items():
        if start.startswith(mark):
            raise TableError(f"{path} {told}")
    if b"\0" in start[:PIECE] and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(f"{path} is no text file: a table is wanted as CSV, in UTF-8")


def _encoding(start: bytes) -> str:
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    try:
        # The end of what was read may cut a character in two.
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _decoded(content: bytes, encoding: str) -> str:
    return content.decode(encoding, errors="replace")


def _pieces(path: Path, size: int, encoding: str) -> Iterator[str]:
    """Yield pieces of a large file, spread evenly, cut at line ends."""
    with path.open("rb") as stream:
        for number in range(PIECES):
            stream.seek(number * (size - PIECE) // (PIECES - 1), os.SEEK_SET)
            content = stream.read(PIECE)
            begin = content.find(b"\n") + 1 if number else 0
            yield _decoded(content[begin : content.rfind(b"\n") + 1], encoding)
