"""Two models on the same rows: their differences row by row, and what may be said of them.

The interval of a mean difference is Student's for paired observations (NIST/SEMATECH e-Handbook of Statistical Methods,
7.3.1.1 and 1.3.5.2); that of a difference of accuracies is the one of A. Agresti and Y. Min, "Simple improved
confidence intervals for comparing matched proportions", Statistics in Medicine 24 (2005) 729-740. Both hold the true
difference in 95 of 100 test sets. From 30 rows on, the mean of any usual errors is near enough to normal.
"""

import math
from copy import replace
from typing import TYPE_CHECKING

from signalbox.evaluation.judging import LOWER_IS_BETTER, METRICS
from signalbox.evaluation.model import Row
from signalbox.evaluation.scores import Mean, Scores

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.evaluation.documents import Difference, Verdict

LEAST_ROWS = 30
_Z = 1.959964  # of the normal distribution, 2.5 % lie above
_ROUNDING = 1e-12  # relative, of sums of double precision


class Paired:
    """Two models' scores on the same rows; `own` is the new model's."""

    def __init__(self, problem: "Problem") -> None:
        self.own, self.live = Scores(problem), Scores(problem)
        self._differences = {name: Mean() for name in METRICS[problem]}

    def add(self, row: Row, live: str) -> None:
        """Take one more row into account, with the live model's answer to it.

        Raises:
            EvaluationError: the live model's answer is none of the problem's.
        """
        own, other = self.own.add(row), self.live.add(replace(row, prediction=live))
        for name, mean in self._differences.items():
            mean.add(own[name] - other[name])

    def differences(self) -> "dict[str, Difference]":
        """Return each metric of the new model minus the live model's."""
        return {name: self._difference(name, mean) for name, mean in self._differences.items()}

    def _difference(self, name: str, differences: Mean) -> "Difference":
        value = differences.value
        if abs(value) < _ROUNDING * self.own.mean(name):  # what is left over of adding up
            value = 0.0
        if differences.number < LEAST_ROWS:
            return {"value": value, "low": None, "high": None, "verdict": "no clear difference"}
        low, high = interval(differences, share=name == "accuracy")
        return {"value": value, "low": low, "high": high, "verdict": verdict(low, high, LOWER_IS_BETTER[name])}


def verdict(low: float, high: float, lower_is_better: bool) -> "Verdict":
    """Return what an interval of differences says: nothing clear as long as it holds 0."""
    if low <= 0 <= high:
        return "no clear difference"
    return "better" if (high < 0) == lower_is_better else "worse"


def interval(differences: Mean, *, share: bool) -> tuple[float, float]:
    """Return the 95 % interval of a mean of two or more differences; a `share` has rows of -1, 0 and 1 only."""
    number, mean = differences.number, differences.value
    if not share:
        reach = student(number - 1) * differences.metric()["standard_deviation"]
        return mean - reach, mean + reach
    # Half a row more in each of the four cells: both right, both wrong, and either one alone.
    discordant = differences.squares + number * mean**2 + 1
    rows = number + 2
    middle = mean * number / rows
    reach = _Z * math.sqrt(max(discordant / rows - middle**2, 0.0) / rows)
    return middle - reach, middle + reach


def student(freedom: int) -> float:
    """Return Student's 97.5 % quantile, right to three places from 20 degrees of freedom on.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5, the first two terms.
    """
    first = (_Z**3 + _Z) / 4
    second = (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96
    return _Z + first / freedom + second / freedom**2
