"""The files of a dataset: those that are named, and those in folders that are named."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path

from signalbox_operate.datasets.model import DataError, Dataset

# What a file begins with that is no plain text (the formats' own specifications).
_PACKED = {
    b"\x1f\x8b": "is compressed (gzip): unpack it, with gunzip",
    b"PK\x03\x04": "is a zip archive or a workbook: unpack it, or save the sheet as CSV",
    b"BZh": "is compressed (bzip2): unpack it, with bunzip2",
    b"\xfd7zXZ": "is compressed (xz): unpack it, with unxz",
    b"(\xb5/\xfd": "is compressed (zstd): unpack it, with unzstd",
    b"PAR1": "is a Parquet file: write it as CSV",
}
_MARKS = {
    codecs.BOM_UTF16_LE: "is UTF-16: save it as UTF-8",
    codecs.BOM_UTF16_BE: "is UTF-16: save it as UTF-8",
}


def collect(kind: str, given: Sequence[Path]) -> Dataset:
    """Return a dataset of files, and of all files in folders.

    Raises:
        DataError: one is not there, is hidden, empty or packed, or two would have one name.
    """
    found: dict[str, Path] = {}
    for path in given:
        for name, file in _below(path):
            if name in found and found[name] != file:
                raise DataError(f"{found[name]} and {file} would both be {kind}/{name}: name one of them otherwise")
            found[name] = file
    if not found:
        listed = ", ".join(map(str, given))
        raise DataError(f"there is no file in {listed}: hidden files are left out, as an operating system makes them")
    for file in found.values():
        _check(file)
    return Dataset(kind, sorted(found.items()))


def _below(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.exists():
        raise DataError(f"there is no {path}")
    if path.is_dir():
        inside = (file for file in sorted(path.rglob("*")) if file.is_file())
        yield from ((name, file) for file in inside if not _hidden(name := file.relative_to(path).as_posix()))
    elif _hidden(path.name):
        raise DataError(
            f"{path} is hidden, as files are that an operating system makes: SageMaker would train on it too"
        )
    else:
        yield path.name, path


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) or part == "Thumbs.db" for part in name.split("/"))


def _check(file: Path) -> None:
    if not file.stat().st_size:
        raise DataError(f"{file} is empty: leave it out")
    with file.open("rb") as stream:
        start = stream.read(8)
    for mark, told in {**_PACKED, **_MARKS}.items():
        if start.startswith(mark):
            raise DataError(f"{file} {told}")
