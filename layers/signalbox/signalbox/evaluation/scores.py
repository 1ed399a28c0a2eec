"""Measures predictions in one pass, in constant memory for regression and per kind of answer for classification.

A metric is `{"value", "standard_deviation"}`, where the standard deviation is that of the *value* (its standard
error), so that two models measured on different rows can be compared: for a mean over rows (MSE, MAE) the sample
standard deviation of the single errors divided by √n; for accuracy the binomial √(p(1 - p)/n).
"""

import json
import math
from collections import Counter
from collections.abc import Mapping

from signalbox import numerals
from signalbox.evaluation.model import ClassCount, EvaluationError, Metric, Problem, Row

LOWER_IS_BETTER = {"mse": True, "mae": True, "accuracy": False}
_PRIMARY: Mapping[Problem, str] = {"regression": "mse", "classification": "accuracy"}


class Mean:
    """A running mean and its standard error (Welford's method: Technometrics 4, 1962)."""

    def __init__(self) -> None:
        self.number = 0
        self.value = 0.0
        self._squares = 0.0

    def add(self, item: float) -> None:
        """Take one more number into the mean."""
        self.number += 1
        step = item - self.value
        self.value += step / self.number
        self._squares += step * (item - self.value)

    def metric(self) -> Metric:
        """Return the mean and its standard error; of a single number the error is unknown and given as 0."""
        variance = self._squares / (self.number - 1) if self.number > 1 else 0.0
        return {"value": self.value, "standard_deviation": math.sqrt(variance / self.number)}


class Scores:
    """What all rows say together.

    The problem is `regression` as long as every label and every prediction is a number, else `classification`.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._numeric = True
        self._infinite: str | None = None
        self._squared, self._absolute = Mean(), Mean()
        self._pairs: Counter[tuple[str, str]] = Counter()

    def add(self, row: Row) -> None:
        """Take one more row into account."""
        self.rows += 1
        self._pairs[row.label, row.prediction] += 1
        if not self._numeric:
            return
        label, prediction = _number(row.label), _number(row.prediction)
        if label is None or prediction is None:
            self._numeric = False
        elif not math.isfinite(label) or not math.isfinite(prediction):
            self._infinite = self._infinite or row.place
        else:
            self._squared.add((label - prediction) ** 2)
            self._absolute.add(abs(label - prediction))

    @property
    def problem(self) -> Problem:
        """Return `regression` or `classification`."""
        return "regression" if self._numeric else "classification"

    @property
    def primary(self) -> str:
        """Return the metric by which models are compared."""
        return _PRIMARY[self.problem]

    def metrics(self) -> dict[str, Metric]:
        """Return the metrics of the problem.

        Raises:
            EvaluationError: there are no rows, or a number is not finite.
        """
        if self.rows == 0:
            raise EvaluationError(
                "the batch transform wrote no rows: the test data are empty or the model answered nothing; "
                "look at the test data and at the transform's log"
            )
        if not self._numeric:
            return {"accuracy": self._accuracy()}
        if self._infinite is not None:
            raise EvaluationError(f"{self._infinite} has a number that is not finite: correct the data or the model")
        return {"mse": self._squared.metric(), "mae": self._absolute.metric()}

    def classes(self) -> dict[str, ClassCount] | None:
        """Return the counts of each label of a classification, in their order; None for a regression."""
        if self._numeric:
            return None
        counts: dict[str, ClassCount] = {}
        for (label, prediction), number in sorted(self._pairs.items()):
            count = counts.setdefault(label, {"rows": 0, "right": 0})
            count["rows"] += number
            count["right"] += number if label == prediction else 0
        return counts

    def _accuracy(self) -> Metric:
        right = sum(number for (label, prediction), number in self._pairs.items() if label == prediction)
        share = right / self.rows
        return {"value": share, "standard_deviation": math.sqrt(share * (1 - share) / self.rows)}


def _number(text: str) -> float | None:
    try:
        return numerals.number(text)
    except numerals.NotFiniteError:
        return math.nan
    except ValueError:
        return None


def read_metrics(report: str, uri: str) -> dict[str, Metric]:
    """Return the metrics in the report of another evaluation, which `uri` names in a refusal.

    Raises:
        EvaluationError: it is not a JSON object with metrics, each with a value.
    """
    try:
        found = json.loads(report)["metrics"]
        return {name: _metric(metric) for name, metric in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EvaluationError(
            f"{uri}, the report of the live model, cannot be compared with ({error!r}): give it metrics with values, "
            "or take the property 'report' from the live package"
        ) from error


def _metric(found: Mapping[str, float]) -> Metric:
    metric: Metric = {"value": float(found["value"])}
    if "standard_deviation" in found:
        metric["standard_deviation"] = float(found["standard_deviation"])
    return metric


def better(primary: str, own: Mapping[str, Metric], live: Mapping[str, Metric]) -> bool | None:
    """Say whether `own` beats the live model's metrics; None where the live model has no such metric."""
    if primary not in live:
        return None
    difference = own[primary]["value"] - live[primary]["value"]
    return difference < 0 if LOWER_IS_BETTER[primary] else difference > 0
