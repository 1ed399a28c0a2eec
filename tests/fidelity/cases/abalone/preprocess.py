"""The example's preparation, written anew: scaled numbers, one-hot sex, three files without header, label first."""

import argparse
import pathlib

import numpy as np
import pandas as pd

NAMES = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]

parser = argparse.ArgumentParser()
parser.add_argument("--input-data", required=True)
bucket_and_key = parser.parse_args().input_data.removeprefix("s3://").split("/", 1)
base = pathlib.Path("/opt/ml/processing")
table = pd.read_csv(base / "input" / bucket_and_key[1].rsplit("/", 1)[-1], header=None, names=NAMES)
numbers = table[NAMES[1:-1]]
scaled = (numbers - numbers.mean()) / numbers.std()
rows = pd.concat([table["rings"], scaled, pd.get_dummies(table["sex"], dtype=float)], axis=1).to_numpy()
np.random.default_rng(0).shuffle(rows)
train, validation, test = np.split(rows, [int(0.7 * len(rows)), int(0.85 * len(rows))])
for name, part in (("train", train), ("validation", validation), ("test", test)):
    folder = base / name
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / f"{name}.csv", part, delimiter=",")
