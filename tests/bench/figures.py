"""Figures without the machine: medians, ratios of pairs, spreads, and whether a goal is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


class BenchError(Exception):
    """Something cannot be measured; the message says what and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Spread:
    """The middle of some values, and the quarters around it."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of `values`.

        Raises:
            BenchError: there are none.
        """
        if not values:
            raise BenchError("there is nothing to take the median of: nothing was measured")
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(low, middle, high)


@dataclass(frozen=True)
class Ratio:
    """Something beside what bounds it: both medians, and the spread of the ratios of the pairs.

    The two of a pair are measured one right after the other, so that a machine that is slow for a while is slow for
    both. That is why the ratios of the pairs are taken, and not the ratio of the medians.
    """

    own: float
    other: float
    spread: Spread

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "Ratio":
        """Return the ratio of pairs (own, other).

        Raises:
            BenchError: there are none, or one has nothing to be divided by.
        """
        if any(other <= 0 for _, other in pairs):
            raise BenchError("a measurement that others are compared with took no time at all")
        spread = Spread.of([own / other for own, other in pairs])
        return cls(median([own for own, _ in pairs]), median([other for _, other in pairs]), spread)


@dataclass(frozen=True)
class Goal:
    """What was wanted, the worst that was found, and where."""

    what: str
    limit: float
    unit: str
    worst: float
    where: str

    @property
    def met(self) -> bool:
        """Say whether the worst is within the limit."""
        return self.worst <= self.limit

    @property
    def line(self) -> str:
        """Return the goal as a line: met or missed, by what."""
        verdict = "met" if self.met else "missed"
        found = f"{self.worst:.3g}" if self.worst < 1 else f"{self.worst:,.2f}"
        return f"{verdict}: {self.what} ≤ {self.limit:g} {self.unit} (worst: {found} {self.unit}, {self.where})"


def goal(what: str, limit: float, unit: str, found: dict[str, float]) -> Goal:
    """Return the goal with the worst of what was found.

    Raises:
        BenchError: nothing was found.
    """
    if not found:
        raise BenchError(f"{what}: nothing was measured")
    where = max(found, key=found.__getitem__)
    return Goal(what, limit, unit, found[where], where)


def times(ratio: Ratio) -> str:
    """Return the ratio and its middle half: `1.05 × (1.02 to 1.09)`."""
    return f"{ratio.spread.middle:.2f} × ({ratio.spread.low:.2f} to {ratio.spread.high:.2f})"


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds, with more digits where they are few."""
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"  # two digits that mean something
