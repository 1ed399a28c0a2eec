"""The rows of a run, checked and with the columns of the steps, a chunk at a time; what cannot be used comes beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from signalbox_features import reading
from signalbox_features.checks import Checks
from signalbox_features.model import RefusedRowError, UnreadableFileError
from signalbox_features.steps import StepRunner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signalbox_features.model import FeatureDefinition, Value
    from signalbox_features.reading import Found
    from signalbox_features.sources import SourceFile

_CHUNK, _LARGEST = 2_000, 2_000_000  # rows, and characters, that wait for a step


class CheckedRow(NamedTuple):
    """A row that fits its types and rules, and has the columns of the steps."""

    found: Found
    row: dict[str, Value]


class RefusedRow(NamedTuple):
    """A row that cannot be used, and why."""

    found: Found
    problems: list[tuple[str, str]]


class RefusedFile(NamedTuple):
    """A file of which nothing can be used, and why."""

    source: SourceFile
    told: str


def read(
    definition: FeatureDefinition, sources: Iterable[SourceFile]
) -> Iterator[CheckedRow | RefusedRow | RefusedFile]:
    """Yield each row of the files, and each file that cannot be read, in their order.

    Raises:
        PandasStepError: a step does not do what a step has to do.
    """
    checks, runner = Checks(definition), StepRunner(definition.steps)
    for source in sources:
        waiting, size = [], 0
        try:
            for found in reading.rows(source, definition):
                one = _checked(found, checks)
                if isinstance(one, RefusedRow) or not definition.steps:
                    yield one
                    continue
                waiting.append(one)
                size += sum(len(cell) for cell in found.cells if isinstance(cell, str))
                if len(waiting) == _CHUNK or size > _LARGEST:
                    yield from _stepped(waiting, runner)
                    waiting, size = [], 0
        except UnreadableFileError as error:
            yield RefusedFile(source, str(error))
        yield from _stepped(waiting, runner)


def _checked(found: Found, checks: Checks) -> CheckedRow | RefusedRow:
    if found.problem:
        return RefusedRow(found, [("line", found.problem)])
    try:
        return CheckedRow(found, checks.typed(found.cells))
    except RefusedRowError as error:
        return RefusedRow(found, error.problems)


def _stepped(waiting: list[CheckedRow], runner: StepRunner) -> Iterator[CheckedRow | RefusedRow]:
    for one, row in zip(waiting, runner.apply([one.row for one in waiting])):
        if isinstance(row, RefusedRowError):
            yield RefusedRow(one.found, row.problems)
        else:
            yield CheckedRow(one.found, row)
