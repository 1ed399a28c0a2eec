"""Rows of the abalone table for tests: the UCI file where a copy lies beside the repository, else a seeded likeness."""

import random
from pathlib import Path

_UCI = Path(__file__).resolve().parents[3] / "shared" / "data" / "abalone.data"


def lines(count: int) -> list[str]:
    """Return `count` different rows as the table has them: sex, seven measures, rings."""
    if _UCI.exists():
        return _UCI.read_text().splitlines()[:count]
    return seeded(count)


def seeded(count: int, seed: int = 7) -> list[str]:
    """Return rows of the same columns and ranges, whose rings follow from the measures but for some noise."""
    source = random.Random(seed)  # noqa: S311  # made-up data, not a secret
    return [_row(source) for _ in range(count)]


def _row(source: random.Random) -> str:
    length = source.uniform(0.1, 0.8)
    whole = round(4.5 * length**3 * source.uniform(0.8, 1.2), 4)
    measures = [round(length, 3), round(length * 0.8, 3), round(length * 0.27, 3), whole]
    measures += [round(whole * share, 4) for share in (0.43, 0.22, 0.29)]
    rings = max(1, min(29, round(3 + 12 * length + source.gauss(0, 1.5))))
    sex = "I" if length < 0.4 else source.choice("MF")
    return ",".join(str(value) for value in [sex, *measures, rings])
