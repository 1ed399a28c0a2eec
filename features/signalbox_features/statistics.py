"""What a stream of values is like, in one pass and bounded memory: moments, quantiles, categories; and how two differ.

Quantiles come from a sample of at most 10,000 values that is drawn the same way each time, so that the same rows in
the same order give the same figures. Up to as many values they are exact.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from signalbox_features.model import FeaturesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SAMPLE = 10_000
BINS = 10
MOST_CATEGORIES = 1_000
_BLOCK = 2_000
_MOMENTS = ("mean", "min", "max")
# Below so many values chance alone moves the index as far as a real drift does.
LEAST_FOR_DRIFT = 100
_MOST_TEXTS = 100
_LEAST_SHARE = 1e-4


class Numbers:
    """Count, mean, standard deviation (of the population) and extremes of numbers, and how many lie in each bin.

    Args:
        edges: the inner edges of the bins.
    """

    def __init__(self, edges: Sequence[float] = ()) -> None:
        self.nulls = 0
        self._edges = edges
        self._bins = [0] * (len(edges) + 1)
        self._count = 0
        self._mean = self._squares = 0.0
        self._min, self._max = math.inf, -math.inf
        self._waiting: list[float] = []

    def add(self, value: float | None) -> None:
        """Count one value."""
        if value is None:
            self.nulls += 1
            return
        self._waiting.append(value)
        if len(self._waiting) == _BLOCK:
            self._fold()

    def _fold(self) -> None:
        """Count the values that wait: many at once take a tenth of the time that each by itself takes."""
        block, self._waiting = self._waiting, []
        if not block:
            return
        mean = math.fsum(block) / len(block)
        squares = math.fsum((value - mean) ** 2 for value in block)
        total, away = self._count + len(block), mean - self._mean
        self._squares += squares + away * away * self._count * len(block) / total
        self._mean += away * len(block) / total
        self._count = total
        self._min, self._max = min(self._min, *block), max(self._max, *block)
        for place, count in Counter(map(partial(bisect_right, self._edges), block)).items():
            self._bins[place] += count

    @property
    def count(self) -> int:
        """Return how many values there were."""
        self._fold()
        return self._count

    def shares(self) -> list[float]:
        """Return the share of the values that lies in each bin; zeros where there is no value."""
        count = self.count
        return [found / count if count else 0.0 for found in self._bins]

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON has them; None where there was no value."""
        known = self.count > 0
        std = math.sqrt(self._squares / self._count) if known else None
        moments = {"mean": self._mean, "min": self._min, "max": self._max} if known else dict.fromkeys(_MOMENTS)
        return {"count": self._count, "nulls": self.nulls, **moments, "std": std}


class Sampled(Numbers):
    """Numbers of which a sample is kept, for their quantiles."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = 0
        self._sample: list[float] = []
        self._chance = random.Random(0)  # noqa: S311  # the same draw each time, no secret

    def add(self, value: float | None) -> None:
        """Count one value, which is in the sample by the chance that every other has."""
        super().add(value)
        if value is None:
            return
        self._seen += 1
        if len(self._sample) < SAMPLE:
            self._sample.append(value)
        else:
            place = int(self._chance.random() * self._seen)
            if place < SAMPLE:
                self._sample[place] = value

    def edges(self) -> list[float]:
        """Return the inner edges of at most `BINS` bins that hold equally many values."""
        ordered = sorted(self._sample)
        if not ordered:
            return []
        found = {ordered[len(ordered) * part // BINS] for part in range(1, BINS)}
        return sorted(edge for edge in found if edge > ordered[0])

    def fitted(self) -> dict[str, Any]:
        """Return the figures, the edges of bins and the share of the sample in each."""
        binned = Numbers(self.edges())
        for value in self._sample:
            binned.add(value)
        more = {"edges": self.edges(), "shares": binned.shares(), "null_share": _share(self)}
        return {"kind": "number", **self.summary(), **more}


class Categories:
    """How often each text comes."""

    def __init__(self, name: str, known: Iterable[str] | None = None) -> None:
        """Count for a feature; where its categories are `known`, others are counted together."""
        self._name = name
        self._known = None if known is None else frozenset(known)
        self.count = self.nulls = self.others = 0
        self.counts: dict[str, int] = dict.fromkeys(sorted(known or ()), 0)

    def add(self, value: str | float | None) -> None:
        """Count one value, as a text.

        Raises:
            FeaturesError: there are too many different ones to be categories.
        """
        if value is None:
            self.nulls += 1
            return
        self.count += 1
        category = str(value)
        if self._known is not None and category not in self._known:
            self.others += 1
            return
        self.counts[category] = self.counts.get(category, 0) + 1
        if len(self.counts) > MOST_CATEGORIES:
            raise FeaturesError(
                f"feature {self._name} has more than {MOST_CATEGORIES:,} different values, too many for categories: "
                "give its categories, or leave its encoding out"
            )

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON has them."""
        found = {"count": self.count, "nulls": self.nulls, "others": self.others}
        return {**found, "categories": dict(sorted(self.counts.items()))}

    def fitted(self) -> dict[str, Any]:
        """Return the figures, and the share of rows without a value."""
        return {"kind": "category", **self.summary(), "null_share": _share(self)}


class Texts(Categories):
    """Texts that are not encoded, as names: the first 100 different ones are counted singly, the others together."""

    def add(self, value: str | float | None) -> None:
        """Count one value."""
        if value is not None and len(self.counts) >= _MOST_TEXTS and str(value) not in self.counts:
            self.count += 1
            self.others += 1
        else:
            super().add(value)


def _share(found: Numbers | Categories) -> float:
    total = found.count + found.nulls
    return found.nulls / total if total else 0.0


def psi(fitted: Mapping[str, Any], shares: Sequence[float] | Mapping[str, int], nulls: int, count: int) -> float | None:
    """Return the population stability index of a run beside what was fitted; None below `LEAST_FOR_DRIFT` rows.

    Rows without a value are a bin of their own, and so are categories that were not fitted.
    """
    total = count + nulls
    if total < LEAST_FOR_DRIFT:
        return None
    known = count / total
    if fitted["kind"] == "number":
        before, now = fitted["shares"], [share * known for share in shares]  # type: ignore[operator]  # shares of bins
    else:
        before, now = _categories(fitted, shares, total)  # type: ignore[arg-type]  # counts by category
    held = 1 - fitted["null_share"]
    pairs = [(share * held, found) for share, found in zip(before, now)] + [(fitted["null_share"], nulls / total)]
    return sum(_moved(max(was, _LEAST_SHARE), max(found, _LEAST_SHARE)) for was, found in pairs)


def _categories(fitted: Mapping[str, Any], counts: Mapping[str, int], total: int) -> tuple[list[float], list[float]]:
    of = fitted["count"] or 1
    names = list(fitted["categories"])
    others = sum(count for name, count in counts.items() if name not in fitted["categories"])
    before = [fitted["categories"][name] / of for name in names] + [fitted["others"] / of]
    return before, [counts.get(name, 0) / total for name in names] + [others / total]


def _moved(was: float, now: float) -> float:
    return (now - was) * math.log(now / was)
