"""Which features look as though they were made from the label, so that nobody has them when they ask."""

import math
import statistics
from collections import Counter

from signalbox_operate.new import values
from signalbox_operate.new.model import Answers, Column, OpenQuestionError, Table, Target

_CORRELATED = 0.9999
# Of the rows, so many have the label that their feature's value has most often, and a value has so many rows or more.
_PURE, _ROWS_OF_VALUE = 0.999, 5


def ask(columns: list[Column], table: Table, target: Target, answers: Answers) -> None:
    """Ask about the first feature that gives the label away, and about which nothing was said.

    Raises:
        OpenQuestionError: there is one.
    """
    for column in columns:
        if column.used and column.name not in answers.keep and _tells(column, table, target):
            raise OpenQuestionError(
                "--drop COLUMN or --keep COLUMN",
                f"The column {column.name!r} gives the label {target.label!r} away. Is it known before the answer is "
                "(keep), or made from it (drop)?",
                [f"--drop {column.name}", f"--keep {column.name}"],
            )


def _tells(column: Column, table: Table, target: Target) -> bool:
    pairs = list(zip(table.values(column.name), table.values(target.label), strict=True))
    if target.problem == "regression":
        return column.kind == "number" and _is_line(pairs, table.format.decimal)
    return _is_code(pairs)


def _is_line(pairs: list[tuple[str, str]], decimal: str) -> bool:
    both = [(values.number(one, decimal), values.number(other, decimal)) for one, other in pairs]
    known = [(one, other) for one, other in both if one is not None and other is not None]
    if len({one for one, _ in known}) < 3 or len({other for _, other in known}) < 3:  # noqa: PLR2004  # two make a line
        return False
    found = statistics.correlation([one for one, _ in known], [other for _, other in known])
    return math.fabs(found) >= _CORRELATED


def _is_code(pairs: list[tuple[str, str]]) -> bool:
    counted: dict[str, Counter[str]] = {}
    for one, label in pairs:
        counted.setdefault(one, Counter())[label] += 1
    if len(counted) * _ROWS_OF_VALUE > len(pairs):
        return False
    return sum(max(labels.values()) for labels in counted.values()) >= _PURE * len(pairs)
