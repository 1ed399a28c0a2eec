"""The abalone table: a file that is given, else the cached download, else a seeded table of the same columns."""

import random
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from signalbox_local.project import ROOT

# Nash et al. (1994), UCI data set 1, DOI 10.24432/C55C7W, CC BY 4.0.
ADDRESS = "https://archive.ics.uci.edu/ml/machine-learning-databases/abalone/abalone.data"
CACHE = ROOT / ".cache" / "abalone.data"
_ROWS = 2000
_SECONDS = 10


@dataclass(frozen=True)
class Abalone:
    """The table's file, and one sentence that says where it comes from."""

    path: Path
    origin: str


def find(given: Path | None, folder: Path) -> Abalone:
    """Return the best table that can be had; `folder` takes one that has to be made."""
    if given is not None:
        return Abalone(given, f"your file {given}")
    if CACHE.is_file():
        return Abalone(CACHE, "UCI's abalone data, downloaded before (CC BY 4.0)")
    try:
        with urllib.request.urlopen(ADDRESS, timeout=_SECONDS) as answer:  # a constant https address
            content: bytes = answer.read()
    except OSError:
        made = folder / "abalone.csv"
        made.write_text(seeded())
        return Abalone(made, "a seeded table made here, not the real data: UCI could not be reached")
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    CACHE.write_bytes(content)
    return Abalone(CACHE, "UCI's abalone data, downloaded now (CC BY 4.0)")


def seeded(rows: int = _ROWS, seed: int = 1) -> str:
    """Return a made-up table with abalone's columns and ranges: rings grow with the shell, and noise is added.

    The ranges are those of the real table (abalone.names): length 0.075–0.815, rings 1–29.
    """
    draw = random.Random(seed)  # noqa: S311  # repeatable, and no secret
    return "".join(_row(draw) for _ in range(rows))


def _row(draw: random.Random) -> str:
    length = min(max(draw.gauss(0.524, 0.12), 0.075), 0.815)
    diameter, height = length * draw.gauss(0.78, 0.02), length * draw.gauss(0.266, 0.02)
    whole = 5.75 * length**3 * draw.gauss(1.0, 0.08)
    shucked, viscera, shell = (whole * draw.gauss(share, 0.02) for share in (0.43, 0.22, 0.29))
    rings = min(max(round(3 + 24 * shell + draw.gauss(0, 1.8)), 1), 29)
    sex = "I" if draw.random() < (0.8 if length < 0.45 else 0.2) else draw.choice("MF")  # noqa: PLR2004  # a young one
    sizes = (max(value, 0.001) for value in (length, diameter, height, whole, shucked, viscera, shell))
    return ",".join([sex, *(f"{value:.4f}" for value in sizes), str(rings)]) + "\n"
