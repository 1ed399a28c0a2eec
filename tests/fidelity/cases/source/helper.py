"""A module beside the script, which is found only if the whole source_dir was sent."""

import pathlib

import numpy as np


def rows(folder: str) -> np.ndarray:
    """Return the rows of all files of a channel, the label first."""
    return np.concatenate([np.loadtxt(path, delimiter=",", ndmin=2) for path in sorted(pathlib.Path(folder).iterdir())])
