"""What one answer is worth, by the problem that was stated: nothing is guessed from how the cells look."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from signalbox.evaluation.model import EvaluationError, Row
from signalbox.numerals import number_or_none

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem

# Each problem's metrics, which are means over the rows; the first is the one that models are compared by.
METRICS: "Mapping[Problem, tuple[str, ...]]" = {
    "regression": ("mse", "mae"),
    "binary": ("accuracy",),
    "multiclass": ("accuracy",),
}
LOWER_IS_BETTER = {"mse": True, "mae": True, "accuracy": False}
# From this probability of 1 on, a binary model's answer counts as 1: the more likely of the two.
THRESHOLD = 0.5
_SHOWN = 80
# A class that was written as a float: 1.0, 2., 1.000e+00.
_FLOAT_CLASS = r"[+-]?[0-9]+\.[0-9]*([eE][+-]?[0-9]+)?"


class Judged(NamedTuple):
    """A row's value of each metric; the class and the answered class, "" for a regression.

    `probability` says that the answer was neither 0 nor 1 but between them.
    """

    values: Mapping[str, float]
    label: str = ""
    answer: str = ""
    probability: bool = False


def judge(problem: "Problem", row: Row) -> Judged:
    """Return what the row's answer is worth.

    Raises:
        EvaluationError: the label or the answer is none of the problem's, by its file and line.
    """
    return _number(row) if problem == "regression" else _class(row, binary=problem == "binary")


def _number(row: Row) -> Judged:
    label, answer = number_or_none(row.label), number_or_none(row.prediction)
    if label is None:
        header = ". A header? Test data have none" if row.first else ": correct the row or take it out"
        raise EvaluationError(
            f"{row.place}: the label {row.label[:_SHOWN]!r} is not a finite number, as a regression needs{header}"
        )
    if answer is None:
        raise EvaluationError(
            f"{row.place}: the model answered {row.prediction[:_SHOWN]!r}, which is not a finite number, "
            "as a regression needs: look at the model, or at the problem that was stated"
        )
    error = label - answer
    if not math.isfinite(error * error):
        raise EvaluationError(f"{row.place}: {row.label} and {row.prediction} are too far apart to be measured")
    return Judged({"mse": error * error, "mae": abs(error)})


def _class(row: Row, *, binary: bool) -> Judged:
    label, answer = _plain(row.label), _plain(row.prediction)
    share = number_or_none(row.prediction) if binary and label in ("0", "1") else None
    if share is not None and 0 <= share <= 1:
        answer = "1" if share >= THRESHOLD else "0"
        return Judged({"accuracy": float(label == answer)}, label, answer, probability=0 < share < 1)
    return Judged({"accuracy": float(label == answer)}, label, answer)


def _plain(text: str) -> str:
    """Return a class as its id where it was written as a float: 1.0 is 1, as 01 is not."""
    value = number_or_none(text) if re.fullmatch(_FLOAT_CLASS, text) else None
    return str(int(value)) if value is not None and value.is_integer() else text
