"""Measures predictions in one pass, in constant memory for regression and per kind of answer for classes.

A metric is `{"value", "standard_deviation"}`, where the standard deviation is that of the *value* (its standard
error), which says how far the metric may be off by the choice of the rows: for a mean over rows (MSE, MAE) the sample
standard deviation of the single errors divided by √n; for accuracy the binomial √(p(1 - p)/n).
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from signalbox.evaluation.judging import METRICS, THRESHOLD, Judged, judge
from signalbox.evaluation.model import EvaluationError, Row

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.evaluation.documents import ClassCount, Metric

_BINARY, _IDS = 2, {"0", "1"}


class Mean:
    """A running mean and its standard error (Welford's method: Technometrics 4, 1962)."""

    def __init__(self) -> None:
        self.number = 0
        self.value = 0.0
        self.squares = 0.0  # of the distances from the mean

    def add(self, item: float) -> None:
        """Take one more number into the mean."""
        self.number += 1
        step = item - self.value
        self.value += step / self.number
        self.squares += step * (item - self.value)

    def metric(self) -> "Metric":
        """Return the mean and its standard error; of a single number the error is unknown and given as 0."""
        variance = self.squares / (self.number - 1) if self.number > 1 else 0.0
        return {"value": self.value, "standard_deviation": math.sqrt(variance / self.number)}


class Scores:
    """What all rows say together about one model."""

    def __init__(self, problem: "Problem") -> None:
        self.problem: Final = problem
        self.rows = 0
        self._means = {name: Mean() for name in METRICS[problem]}
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._classes: set[str] = set()
        self._probabilities = False

    @property
    def primary(self) -> str:
        """Return the metric by which models are compared."""
        return METRICS[self.problem][0]

    @property
    def threshold(self) -> float | None:
        """Return the probability from which an answer counts as 1; None where no answer was a probability."""
        return THRESHOLD if self._probabilities else None

    def add(self, row: Row) -> Mapping[str, float]:
        """Take one more row into account, and return its value of each metric.

        Raises:
            EvaluationError: the label or the answer is none of the problem's, by its file and line.
        """
        judged = judge(self.problem, row)
        if self.problem != "regression":
            self._count(judged, row)
        for name, mean in self._means.items():
            mean.add(judged.values[name])
        self.rows += 1
        return judged.values

    def _count(self, judged: Judged, row: Row) -> None:
        self._pairs[judged.label, judged.answer] += 1
        self._probabilities |= judged.probability
        self._classes |= {judged.label, judged.answer}
        if self.problem == "binary" and len(self._classes) > _BINARY:
            raise EvaluationError(
                f"{row.place}: with the label {row.label[:80]!r} and the answer {row.prediction[:80]!r} there are more "
                f"than two classes ({_listed(self._classes)}): a binary model answers one of two labels, or the "
                "probability of 1 where they are 0 and 1"
            )

    def mean(self, name: str) -> float:
        """Return a metric's value so far."""
        return self._means[name].value

    def metrics(self) -> "dict[str, Metric]":
        """Return the metrics of the problem.

        Raises:
            EvaluationError: there are no rows, or no answer is one of the labels.
        """
        if self.rows == 0:
            raise EvaluationError(
                "the batch transform wrote no rows: the test data are empty or the model answered nothing; "
                "look at the test data and at the transform's log"
            )
        if self.problem == "regression":
            return {name: mean.metric() for name, mean in self._means.items()}
        self._check_answers()
        share = self._means["accuracy"].value
        return {"accuracy": {"value": share, "standard_deviation": math.sqrt(share * (1 - share) / self.rows)}}

    def classes(self) -> "dict[str, ClassCount] | None":
        """Return the counts of each label, in their order; None for a regression."""
        if self.problem == "regression":
            return None
        counts: dict[str, ClassCount] = {}
        for (label, answer), number in sorted(self._pairs.items()):
            count = counts.setdefault(label, {"rows": 0, "right": 0})
            count["rows"] += number
            count["right"] += number if label == answer else 0
        return counts

    def _check_answers(self) -> None:
        labels, answers = {label for label, _ in self._pairs}, {answer for _, answer in self._pairs}
        if not labels & answers and not labels | answers <= _IDS:
            raise EvaluationError(
                f"no answer of the model is a label of the test data: it answered {_listed(answers)}, and the labels "
                f"are {_listed(labels)}. It has to answer the label itself, not a probability or another name"
            )


def _listed(texts: set[str]) -> str:
    """Return a few of the texts, as they are read in a refusal."""
    few = ", ".join(repr(text[:40]) for text in sorted(texts)[:3])
    return f"{few}, …" if len(texts) > 3 else few  # noqa: PLR2004  # the few above
