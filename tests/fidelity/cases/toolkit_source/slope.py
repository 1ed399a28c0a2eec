"""A script for the toolkit: its arguments are the hyperparameters, its paths the toolkit's variables."""

import argparse
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--scale", type=float)
options = parser.parse_args()
rows = [
    [float(cell) for cell in line.split(",")]
    for path in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()
    for line in path.read_text().splitlines()
]
slope = options.scale * sum(y * x for y, x in rows) / sum(x * x for _, x in rows)
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "slope.txt").write_text(str(slope))
