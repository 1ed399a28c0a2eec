"""Read the uploaded files, and split their rows into those to learn from and those to test on."""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import files
import pandas as pd
import rows
import table
from job import told
from quarantine import Quarantine


def read_uploads(folder, found=None, share=0.0):
    """Return the rows of all good files together, label first, each row once, without those that have no label.

    The others are written down in `found`, a `Quarantine`; where they are more than a `share` of all, it is an error.
    """
    found = found or Quarantine(table.SUFFIX or "a file without a suffix")
    read = []
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name.startswith(".") or path.suffix.lower() != table.SUFFIX.lower():
            found.ignore(name)
            continue
        frame = files.read(path, name, found)
        if found.accept(name):
            read.append(frame)
    if problem := found.problem(share):
        raise rows.RowsError(problem)
    together = pd.concat(read, ignore_index=True)
    labelled = together[~together[table.LABEL].str.lower().isin(rows.NO_LABEL)]
    print(f"{found.good} files, {len(together)} rows, {len(together) - len(labelled)} of them without a label")
    return checked(labelled)[[table.LABEL, *rows.FEATURES]].drop_duplicates()


def checked(found):
    """Return rows whose numbers are written with a point, as models and endpoints read them."""
    found = found.copy()
    for name in [*table.NUMBERS, *([table.LABEL] if table.PROBLEM == "regression" else [])]:
        found[name] = ["" if pd.isna(one) else f"{one:.15g}" for one in rows.number(found[name])]
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


def prepare(folder, output, share):
    """Read, split and write, and name the files that are not used in a report.

    Where the run cannot go on, the report says why, and there are no rows: the job ends well all the same, so that
    SageMaker keeps the report, and the pipeline fails with what it says.
    """
    found, problem = Quarantine(table.SUFFIX or "a file without a suffix"), ""
    train = test = pd.DataFrame()
    try:
        train, test = split(read_uploads(folder, found, share))
    except rows.RowsError as error:
        problem = str(error)
    write(train, output / "train" / "train.csv")
    write(test, output / "test" / "test.csv")
    (output / "counts").mkdir(parents=True, exist_ok=True)
    (output / "counts" / "counts.json").write_text(json.dumps({"train": len(train), "test": len(test)}))
    found.write(output / "quarantine", problem)
    print(*found.sentences(), problem or f"{len(train)} rows to learn from, {len(test)} to test on", sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="/opt/ml/processing/input")
    parser.add_argument("--output", default="/opt/ml/processing/output")
    parser.add_argument("--bad-share", type=float, default=0.0, help="share of the files that may be bad, from 0 to 1")
    given = parser.parse_args()
    prepare(given.input, Path(given.output), given.bad_share)


if __name__ == "__main__":
    told(main)
