"""Read the uploaded files, and split their rows into those to learn from and those to test on."""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import pandas as pd
import rows
import table
from job import told


def read_uploads(folder):
    """Return the rows of all files together, label first, each row once, without those that have no label."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise rows.RowsError("nothing was uploaded")
    found = pd.concat([rows.read_file(path) for path in files], ignore_index=True)
    labelled = found[~found[table.LABEL].str.lower().isin(rows.NO_LABEL)]
    print(f"{len(files)} files, {len(found)} rows, {len(found) - len(labelled)} of them without a label")
    return checked(labelled)[[table.LABEL, *rows.FEATURES]].drop_duplicates()


def checked(found):
    """Return rows whose numbers are written with a point, as models and endpoints read them."""
    found = found.copy()
    for name in [*table.NUMBERS, *([table.LABEL] if table.PROBLEM == "regression" else [])]:
        numbers = rows.number(found[name])
        if name == table.LABEL and numbers.isna().any():
            raise rows.RowsError(f"the label {name} is {found[name][numbers.isna()].iloc[0]!r} in a row: no number")
        found[name] = ["" if pd.isna(one) else f"{one:.15g}" for one in numbers]
    classes = sorted(set(found[table.LABEL]))
    if table.PROBLEM == "binary" and len(classes) > 2:
        raise rows.RowsError(f"the label {table.LABEL} has more than two values: {', '.join(classes[:5])}")
    return found


def split(found):
    """Return the rows to learn from, and the rows to test on.

    A row's part follows from the row itself: so one that is uploaded again stays in its part, and a new model is
    tested on rows that no earlier one has learnt from.
    """
    digests = [hashlib.sha256("\x1f".join(row).encode()).hexdigest() for row in found.itertuples(index=False)]
    held_out = pd.Series([int(digest, 16) % 100 < table.TEST_PERCENT for digest in digests], index=found.index)
    train, test = found[~held_out], found[held_out]
    if test.empty or train[table.LABEL].nunique() < 2:
        raise rows.RowsError(f"{len(found)} different rows are too few to learn from and to test on: upload more")
    return train, test


def write(part, path):
    """Write rows as CSV without a header, label first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows(part.itertuples(index=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="/opt/ml/processing/input")
    parser.add_argument("--output", default="/opt/ml/processing/output")
    given = parser.parse_args()
    train, test = split(read_uploads(given.input))
    write(train, Path(given.output) / "train" / "train.csv")
    write(test, Path(given.output) / "test" / "test.csv")
    counts = Path(given.output) / "counts"
    counts.mkdir(parents=True, exist_ok=True)
    (counts / "counts.json").write_text(json.dumps({"train": len(train), "test": len(test)}))
    print(f"{len(train)} rows to learn from, {len(test)} to test on")


if __name__ == "__main__":
    told(main)
