"""What is predicted: which column is the label, which problem it poses, and when a model is good enough."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import get_args

from signalbox_operate.new import values
from signalbox_operate.new.model import Answers, OpenQuestionError, Problem, Table, TableError, Target

PROBLEMS: tuple[Problem, ...] = get_args(Problem.__value__)
_BINARY = 2
# So few different whole numbers may be classes or amounts; only a person knows.
_FEW_NUMBERS = 20
_MOST_CLASSES, _LEAST_OF_CLASS = 100, 5
_SHOWN = 5


def label_of(table: Table, answers: Answers) -> str:
    """Return the label's column: by its name, or by its place from 1.

    Raises:
        OpenQuestionError: it was not said, or there is no such column.
    """
    given = answers.label
    if given in table.names:
        return given
    if given and given.isdecimal() and 1 <= int(given) <= len(table.names):
        return table.names[int(given) - 1]
    asked = "Which column is to be predicted?" if given is None else f"There is no column {given!r}. Which one is it?"
    raise OpenQuestionError("--label", asked, table.names)


def find(table: Table, label: str, answers: Answers) -> Target:
    """Return what is predicted.

    Raises:
        TableError: the label cannot be learnt.
        OpenQuestionError: it may be classes or amounts.
    """
    known = [cell for cell in table.values(label) if cell.lower() not in values.NO_LABEL]
    counted = Counter(known)
    if not counted:
        raise TableError(f"the label {label!r} has no values: name another column with --label")
    if len(counted) == 1:
        raise TableError(f"the label {label!r} is {known[0]!r} in every row: there is nothing to tell apart")
    decimal = table.format.decimal
    numbers = [found for cell in known if (found := values.number(cell, decimal)) is not None]
    problem, why = _problem(label, counted, numbers, answers.problem)
    if problem == "regression":
        _check_numbers(label, known, numbers, decimal)
        threshold, reason = statistics.pvariance(numbers), "what always answering the mean would have"
        classes: tuple[str, ...] = ()
    else:
        classes = _classes(label, counted, problem)
        (commonest, rows), *_ = counted.most_common(1)
        threshold, reason = rows / len(known), f"what always answering {commonest[:40]!r} would have"
    if answers.threshold is not None:
        threshold, reason = answers.threshold, "as you said"
    return Target(label, problem, why, classes, float(f"{threshold:.4g}"), reason)


def _problem(label: str, counted: Counter[str], numbers: Sequence[float], given: str | None) -> tuple[Problem, str]:
    if given is not None:
        if given not in PROBLEMS:
            raise OpenQuestionError("--problem", f"There is no problem {given!r}.", PROBLEMS)
        return given, "as you said"
    if len(counted) == _BINARY:
        return "binary", f"because it has two values, {' and '.join(sorted(counted))}"
    few = ", ".join(sorted(counted)[:_SHOWN]) + (", …" if len(counted) > _SHOWN else "")
    if len(numbers) * _BINARY < counted.total():
        return "multiclass", f"because it has {len(counted)} different texts, {few}"
    if all(one.is_integer() for one in numbers) and len(set(numbers)) <= _FEW_NUMBERS:
        raise OpenQuestionError(
            "--problem",
            f"The label {label!r} has {len(counted)} different whole numbers ({few}). Are they amounts, of which 3 "
            "is near 4 (regression), or names of classes (multiclass)?",
            ["regression", "multiclass"],
        )
    return "regression", "because its values are numbers"


def _check_numbers(label: str, known: Sequence[str], numbers: Sequence[float], decimal: str) -> None:
    others = [cell for cell in dict.fromkeys(known) if values.number(cell, decimal) is None]
    if others:
        shown = ", ".join(repr(cell[:40]) for cell in others[:3])
        raise TableError(
            f"{len(known) - len(numbers)} values of the label {label!r} are no numbers, such as {shown}: correct "
            "them, empty them, or say --problem multiclass"
        )


def _classes(label: str, counted: Counter[str], problem: Problem) -> tuple[str, ...]:
    if len(counted) > _MOST_CLASSES or counted.total() < _LEAST_OF_CLASS * len(counted):
        raise TableError(
            f"the label {label!r} has {len(counted)} different values in {counted.total()} rows: as classes they are "
            "too many to learn; name another column with --label, or say --problem regression where they are amounts"
        )
    if problem == "binary" and len(counted) != _BINARY:
        raise TableError(f"the label {label!r} has {len(counted)} different values: say --problem multiclass")
    return tuple(sorted(counted))
