"""Check the uploaded files, split their rows for training, validation and test, learn the encoding, count the rows.

Every file that cannot be used is named in a report. Where the run cannot go on because of them, the job ends well all
the same, so that SageMaker keeps the report, and the pipeline fails with what it says.

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
    from . import encoding, quarantine
    from .quarantine import Quarantine

    Row = tuple[int, list[str | float]]
else:
    import encoding  # these two lie beside this file where the job runs
    import quarantine
    from quarantine import Quarantine

logger = logging.getLogger(__name__)

SUFFIXES = {".csv", ".data"}
# Out of a hundred rows, about this many are for training, and this many more for validation; the rest is for the test.
TRAIN, VALIDATION = 70, 15
PARTS = ("train", "validation", "test")


class DataError(Exception):
    """The uploaded rows cannot be used; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def read_files(folder: Path, found: Quarantine) -> dict[str, Row]:
    """Return the rows of all good files under `folder`, by their canonical texts; the others are written to `found`.

    A row is its label and its features.
    """
    rows: dict[str, Row] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            found.ignore(name)
            continue
        read = _rows_of(path, name, found)
        if found.accept(name):
            logger.info("%s: %d different rows", name, len(read))
            rows.update(read)
    return rows


def _rows_of(path: Path, name: str, found: Quarantine) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    reader = csv.reader(quarantine.lines(path, "utf-8-sig"))
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                _read_row(fields, rows, name, reader.line_num, found)
    except quarantine.FileError as error:
        found.add(name, str(error), error.line)
    except csv.Error as error:
        found.add(name, f"is not comma-separated text ({error}): save the file as CSV", reader.line_num)
    if not rows and name not in found:
        found.add(name, "has no rows: upload it with its rows", kind=quarantine.EMPTY)
    return rows


def _read_row(fields: list[str], rows: dict[str, Row], name: str, line: int, found: Quarantine) -> None:
    """Put a row to those of its file, or write down what is wrong with it."""
    columns = [*encoding.COLUMNS, "Rings"]
    if len(fields) != len(columns):
        found.add(name, f"has {len(fields)} columns, wants {len(columns)}: {', '.join(columns)}", line)
        return
    try:
        label, features = encoding.read_rings(fields[-1]), encoding.read_features(fields[:-1])
    except encoding.RowError as error:
        found.add(name, str(error), line)
        return
    rows[",".join(str(value) for value in [label, *features])] = label, features


def part_of(text: str) -> str:
    """Return the part that a row belongs to, by a digest of its canonical text."""
    hundredth = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 100
    if hundredth < TRAIN:
        return "train"
    return "validation" if hundredth < TRAIN + VALIDATION else "test"


def split(rows: dict[str, Row]) -> dict[str, list[Row]]:
    """Return the rows of each part, in the order of their canonical text.

    Raises:
        DataError: a part is empty.
    """
    parts: dict[str, list[Row]] = {part: [] for part in PARTS}
    for text in sorted(rows):
        parts[part_of(text)].append(rows[text])
    for part, found in parts.items():
        if not found:
            raise DataError(f"{len(rows)} different rows are too few: none fell to the {part} part; upload more")
    return parts


def write(parts: dict[str, list[Row]], folder: Path) -> None:
    """Write the encoded training and validation rows, the test rows as they came, label first, encoding and counts.

    Without rows every file is there all the same, and empty: an output has to have one.
    """
    transform = encoding.fit([features for _, features in parts["train"]]) if parts["train"] else {}
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


def prepare(folder: Path, output: Path, share: float) -> str:
    """Read, split and write; return why the run cannot go on, "" where it can. `share` of the files may be bad."""
    found = Quarantine(" or ".join(sorted(SUFFIXES)))
    rows = read_files(folder, found)
    parts: dict[str, list[Row]] = {part: [] for part in PARTS}
    problem = found.problem(share)
    try:
        parts = parts if problem else split(rows)
    except DataError as error:
        problem = str(error)
    write(parts, output)
    found.write(output / "quarantine", problem)
    for sentence in found.sentences():
        logger.warning("%s", sentence)
    unmeasured = sum(0.0 in features[1:] for _, features in rows.values())
    counts = ", ".join(f"{part} {len(chosen)}" for part, chosen in parts.items())
    logger.info("%d different rows (%d with a measure of zero): %s", len(rows), unmeasured, counts)
    return problem


def main(arguments: list[str] | None = None) -> int:
    """Run the job: why the run cannot go on is in the report, in the message file and on the error output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with the uploaded files")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder that gets train, validation, test, transform, counts, quarantine",
    )
    parser.add_argument("--bad-share", type=float, default=0.0, help="share of the files that may be bad, from 0 to 1")
    parser.add_argument("--message", type=Path, required=True, help="file for the reason of a failure")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    problem = prepare(given.input, given.output, given.bad_share)
    if problem:
        given.message.parent.mkdir(parents=True, exist_ok=True)
        given.message.write_text(problem, encoding="utf-8")
        logger.error("%s", problem)
    return 0


if __name__ == "__main__":
    sys.exit(main())
