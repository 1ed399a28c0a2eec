#!/usr/bin/env python3
"""Write the iris data as the container takes them: CSV without header, label first, one file to train and one to test.

The rows are those of scikit-learn's own copy (150 rows, Fisher 1936). The parts are drawn with a seed, and each has the
three kinds in equal number, so the same files come out every time.
"""

import argparse
import csv
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

TEST_ROWS = 45
SEED = 7


def write(folder: Path) -> tuple[Path, Path]:
    """Write `train/iris.csv` and `test/iris.csv` under `folder` and return their paths."""
    iris = load_iris()
    rows = [[iris.target_names[kind], *values] for kind, values in zip(iris.target, iris.data.tolist(), strict=True)]
    parts = train_test_split(rows, test_size=TEST_ROWS, random_state=SEED, stratify=iris.target)
    paths = folder / "train" / "iris.csv", folder / "test" / "iris.csv"
    for path, part in zip(paths, parts, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows(part)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that gets train/iris.csv and test/iris.csv")
    write(parser.parse_args().folder)
