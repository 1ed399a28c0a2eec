"""Check the uploaded files, split their rows for training, validation and test, learn the encoding, count the rows.

A row's part follows from the row itself, so the same files give the same parts, and a row that comes again in another
file stays in its part. The encoding is learnt from the training rows alone.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import encoding
else:
    import encoding  # lies beside this file where the job runs

logger = logging.getLogger(__name__)

SUFFIXES = {".csv", ".data"}
# Out of a hundred rows, about this many are for training, and this many more for validation; the rest is for the test.
TRAIN, VALIDATION = 70, 15
PARTS = ("train", "validation", "test")


class DataError(Exception):
    """The uploaded files cannot be used; the message names file and line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def read_rows(folder: Path) -> dict[str, tuple[int, list[str | float]]]:
    """Return label and features of every different row under `folder`, by the row's canonical text.

    Raises:
        DataError: there is no data file, one has no rows, or a row is wrong.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
    if not files:
        others = sorted(path.name for path in folder.rglob("*") if path.is_file())
        raise DataError(
            f"no data file (.csv or .data) among the uploads: {', '.join(others) or 'nothing was uploaded'}"
        )
    rows: dict[str, tuple[int, list[str | float]]] = {}
    for path in files:
        found = 0
        for text, row in _rows_of(path, str(path.relative_to(folder))):
            rows[text] = row
            found += 1
        if not found:
            raise DataError(f"{path.relative_to(folder)}: the data file has no rows")
        logger.info("%s: %d rows", path.relative_to(folder), found)
    return rows


def _rows_of(path: Path, name: str) -> Iterator[tuple[str, tuple[int, list[str | float]]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            for fields in reader:
                if not any(field.strip() for field in fields):
                    continue
                label, features = _row(fields, f"{name}, line {reader.line_num}")
                yield ",".join(str(value) for value in [label, *features]), (label, features)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name}: not a text file of comma-separated values ({error})") from error


def _row(fields: list[str], where: str) -> tuple[int, list[str | float]]:
    columns = [*encoding.COLUMNS, "Rings"]
    if len(fields) != len(columns):
        raise DataError(f"{where}: has {len(fields)} columns, wants {len(columns)}: {', '.join(columns)}")
    try:
        return encoding.read_rings(fields[-1]), encoding.read_features(fields[:-1])
    except encoding.RowError as error:
        raise DataError(f"{where}: {error}") from error


def part_of(text: str) -> str:
    """Return the part that a row belongs to, by a digest of its canonical text."""
    hundredth = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 100
    if hundredth < TRAIN:
        return "train"
    return "validation" if hundredth < TRAIN + VALIDATION else "test"


def split(rows: dict[str, tuple[int, list[str | float]]]) -> dict[str, list[tuple[int, list[str | float]]]]:
    """Return the rows of each part, in the order of their canonical text.

    Raises:
        DataError: a part is empty.
    """
    parts: dict[str, list[tuple[int, list[str | float]]]] = {part: [] for part in PARTS}
    for text in sorted(rows):
        parts[part_of(text)].append(rows[text])
    for part, found in parts.items():
        if not found:
            raise DataError(f"{len(rows)} different rows are too few: none fell to the {part} part; upload more")
    return parts


def write(parts: dict[str, list[tuple[int, list[str | float]]]], folder: Path) -> None:
    """Write the encoded training and validation rows, the test rows as they came, label first, encoding and counts."""
    transform = encoding.fit([features for _, features in parts["train"]])
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
        with (folder / part / f"{part}.csv").open("w", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            for label, features in parts[part]:
                writer.writerow([label, *(features if part == "test" else encoding.encode(features, transform))])
    counts = {part: len(found) for part, found in parts.items()}
    for name, content in (("transform", transform), ("counts", counts)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the job; 0 is success, else the reason is in the message file and on the error output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with the uploaded files")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder that gets train, validation, test, transform, counts"
    )
    parser.add_argument("--message", type=Path, required=True, help="file for the reason of a failure")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        rows = read_rows(given.input)
        parts = split(rows)
    except DataError as error:
        given.message.parent.mkdir(parents=True, exist_ok=True)
        given.message.write_text(str(error), encoding="utf-8")
        logger.error("%s", error)  # noqa: TRY400  # the reason is the message; a traceback would hide it
        return 1
    write(parts, given.output)
    unmeasured = sum(0.0 in features[1:] for _, features in rows.values())
    counts = ", ".join(f"{part} {len(found)}" for part, found in parts.items())
    logger.info("%d different rows (%d with a measure of zero): %s", len(rows), unmeasured, counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
