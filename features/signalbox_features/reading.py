"""Rows of the files of a run, one after the other: what cannot be read of a file is told with its line.

At most a block of rows is held, whatever the file's size: a line or a field that is too long is skipped, not read.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from signalbox_features import optional, sources
from signalbox_features.model import UnreadableFileError
from signalbox_features.sources import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from signalbox_features.model import FeatureDefinition

LONGEST_LINE = 1_000_000  # bytes
_LONGEST_FIELD = 131_072  # characters, the csv module's own limit
_BLOCK, _PARQUET_ROWS = 1024 * 1024, 2_000
_SHOWN = 2_000  # characters of an unreadable line that quarantine keeps


class Found(NamedTuple):
    """A row as it stands in a file: its cells in the order of the definition's columns.

    Where it cannot be read, `problem` says why, `lines` how many lines it covers, and `raw` how they begin.
    """

    source: SourceFile
    line: int
    cells: Sequence[Any]
    problem: str = ""
    lines: int = 1
    raw: str = ""


class _BadLineError(Exception):
    def __init__(self, told: str, raw: bytes) -> None:
        super().__init__(told)
        self.raw = raw[:_SHOWN].decode("utf-8", "replace")


def rows(source: SourceFile, definition: FeatureDefinition) -> Iterator[Found]:
    """Yield the rows of a file; a line of a CSV file counts from 1, with the header's, a row of Parquet from 1.

    Raises:
        UnreadableFileError: the file as a whole cannot be used; no row was yielded before.
    """
    found = sources.kind(source)
    if found == "parquet":
        yield from _parquet(source, definition)
    elif found == "replay":
        yield from _replayed(source, definition)
    elif found == "gzip":
        _check_gzip(source)
        with gzip.open(source.path, "rb") as content:
            yield from _csv(source, definition, content)
    else:
        with source.path.open("rb") as content:
            yield from _csv(source, definition, content)


class _FileLines:
    """The lines of a file for the csv module: each is bounded, and decoded by itself."""

    def __init__(self, content: IO[bytes] | gzip.GzipFile) -> None:
        self._content = content
        self.number = 0
        self.raw = b""

    def __iter__(self) -> _FileLines:
        return self

    def __next__(self) -> str:
        line = self._content.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.raw = self.raw or line[:_SHOWN]
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            self._skip()
            raise _BadLineError(f"the line has more than {LONGEST_LINE:,} bytes: is it CSV?", line)
        if self.number == 1 and line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            told = f"the line is not UTF-8 (byte {error.object[error.start]:#x}): save the file as UTF-8"
            raise _BadLineError(told, line) from None

    def _skip(self) -> None:
        for rest in iter(lambda: self._content.readline(_BLOCK), b""):
            if rest.endswith(b"\n"):
                return


def _csv(source: SourceFile, definition: FeatureDefinition, content: IO[bytes] | gzip.GzipFile) -> Iterator[Found]:
    lines = _FileLines(content)
    reader = csv.reader(lines, delimiter=definition.delimiter, strict=True)
    names = [column.name for column in definition.columns]
    order = _order(reader, names, definition.header)
    while True:
        first, lines.raw = lines.number + 1, b""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (_BadLineError, csv.Error) as error:
            yield _unreadable(source, first, lines, error)
            continue
        if first == 1 and [cell.strip() for cell in cells] == names:
            raise UnreadableFileError("begins with the columns' names, and header is false: set it to true")
        if cells:
            yield _row(source, first, cells, order)


def _order(reader: Iterator[list[str]], names: list[str], header: bool) -> list[int]:  # as in the file
    """Return where each column stands in a row."""
    if not header:
        return list(range(len(names)))
    try:
        found = [cell.strip() for cell in next(reader)]
    except StopIteration:
        raise UnreadableFileError("has no rows: the file is empty") from None
    except (_BadLineError, csv.Error) as error:
        raise UnreadableFileError(f"line 1: {error}: it has to name the columns") from None
    return check_columns(found, names)


def check_columns(found: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return where each of the definition's columns stands among those of a file.

    Raises:
        UnreadableFileError: one is missing, unknown, or there twice.
    """
    missing = [name for name in names if name not in found]
    if missing:
        raise UnreadableFileError(
            f"line 1: column {', '.join(missing)} is missing: the file has {', '.join(found)[:_SHOWN]}; "
            "correct its header, or the columns in features.yaml"
        )
    unknown = [name for name in found if name not in names]
    if unknown:
        raise UnreadableFileError(
            f"line 1: column {', '.join(unknown)[:_SHOWN]} is not in features.yaml: add it to columns there (no "
            "feature has to use it), or take it out of the file"
        )
    if len(found) != len(names):
        raise UnreadableFileError("line 1: a column is named twice: name each once")
    return [list(found).index(name) for name in names]


def _row(source: SourceFile, line: int, cells: list[str], order: list[int]) -> Found:
    if len(cells) != len(order):
        told = f"the row has {len(cells)} cells, and there are {len(order)} columns"
        return Found(source, line, cells, told)
    return Found(source, line, [cells[place] for place in order])


def _unreadable(source: SourceFile, first: int, lines: _FileLines, error: Exception) -> Found:
    covered = max(lines.number - first + 1, 1)
    told = str(error)
    if isinstance(error, csv.Error):
        until = f" up to line {lines.number}" if covered > 1 else ""
        told = f"the row cannot be read{until} ({error}): is a quote opened and not closed?"
    return Found(source, first, (), told, covered, getattr(error, "raw", lines.raw.decode("utf-8", "replace")))


def _check_gzip(source: SourceFile) -> None:
    """See that all of a gzip can be unpacked, before a row of it is used."""
    try:
        with gzip.open(source.path, "rb") as content:
            sources.refuse_no_text(content.read(4096))
            while content.read(_BLOCK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"is a broken gzip ({error}): upload it again") from error


def _parquet(source: SourceFile, definition: FeatureDefinition) -> Iterator[Found]:
    parquet = optional.load("pyarrow.parquet", f"{source.name} is Parquet, which")
    names = [column.name for column in definition.columns]
    number = 0
    try:
        file = parquet.ParquetFile(str(source.path))
        check_columns([field.name for field in file.schema_arrow], names)
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=names):
            columns = [batch.column(batch.schema.get_field_index(name)).to_pylist() for name in names]
            for cells in zip(*columns):
                number += 1
                yield Found(source, number, cells)
    except (OSError, ValueError) as error:  # pyarrow's own are of these
        if number:
            yield Found(source, number + 1, (), f"the rest of the file cannot be read ({error}): upload it again")
            return
        raise UnreadableFileError(f"is no Parquet file that can be read ({error}): upload it again") from error


def _replayed(source: SourceFile, definition: FeatureDefinition) -> Iterator[Found]:
    """Yield rows that come back from quarantine: each with the name, version, time and line that it had."""
    with source.path.open("rb") as content:
        for number, text in enumerate(iter(lambda: content.readline(LONGEST_LINE), b""), start=1):
            if text.strip():
                yield _back(source, definition, number, text)


def _back(source: SourceFile, definition: FeatureDefinition, number: int, text: bytes) -> Found:
    try:
        kept = json.loads(text)
        first = SourceFile(source.path, str(kept["file"]), str(kept["version"]), float(kept["uploaded"]))
        line, cells = int(kept["line"]), kept["row"]
    except (ValueError, KeyError, TypeError):
        return Found(
            source, number, (), "the line is none of a quarantine file", raw=text[:_SHOWN].decode("utf-8", "replace")
        )
    if not isinstance(cells, list) or len(cells) != len(definition.columns):
        told = (
            f"the row has to be a list of {len(definition.columns)} cells: correct it, or the file that it comes from"
        )
        return Found(first, line, cells if isinstance(cells, list) else (), told)
    return Found(first, line, cells)
