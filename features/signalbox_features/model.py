"""What a compiled `features.yaml` says, and what can be wrong with data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # A typed cell: None where the cell is empty; a time is seconds since 1970.
    Value = str | int | float | None
    FieldPath = tuple[str | int, ...]

STRING, INTEGER, NUMBER, TIME = "string", "integer", "number", "time"
TYPES = (STRING, INTEGER, NUMBER, TIME)
FRACTIONAL, INTEGRAL, TEXT = "Fractional", "Integral", "String"  # the Feature Store's
STORED = {STRING: TEXT, INTEGER: INTEGRAL, NUMBER: FRACTIONAL, TIME: FRACTIONAL}


class FeaturesError(Exception):
    """Features cannot be made; the message says what is wrong and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class DefinitionError(FeaturesError):
    """A definition contradicts itself: each problem is a field's path and what is wrong with it."""

    def __init__(self, problems: Sequence[tuple[FieldPath, str]]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {told}" for path, told in problems))
        self.problems = list(problems)


class UnreadableFileError(FeaturesError):
    """A file cannot be read as a whole; no row of it was used."""


class RefusedRowError(FeaturesError):
    """A row cannot be used: `problems` are pairs of a reason, one of few words, and a sentence."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(told for _, told in problems))
        self.problems = list(problems)


class SourceColumn(NamedTuple):
    """A column of the files, or one that a step adds, and its type: one of `TYPES`."""

    name: str
    type: str


class PandasStep(NamedTuple):
    """A program that gets a chunk of rows as the pandas frame `df`, and leaves it with `columns` more."""

    name: str
    code: str
    columns: tuple[SourceColumn, ...]


class Feature(NamedTuple):
    """How a feature is made: of a column, or by an expression of columns (`derive`).

    `fill` stands where the value is missing, `mean` for the fitted mean. `categories` are given, or fitted.
    """

    name: str
    column: str
    derive: str
    type: str
    scale: str
    encode: str
    categories: tuple[str, ...]
    fill: str | float | None


class Rule(NamedTuple):
    """What the cells of a column have to be."""

    column: str
    not_null: bool
    min: float | None
    max: float | None
    allowed: frozenset[str | float]
    unique: bool


class Identifier(NamedTuple):
    """The feature that identifies a record: a `column`, or where it has none, made as a `type`."""

    name: str
    column: str
    type: str


class EventTime(NamedTuple):
    """The feature with a record's time: a `column`'s, or where it has none, that of the upload; as epoch or iso."""

    name: str
    column: str
    form: str


class FeatureDefinition(NamedTuple):
    """A whole `features.yaml`; `given` is its compiled form."""

    group: str
    header: bool
    delimiter: str
    columns: tuple[SourceColumn, ...]
    steps: tuple[PandasStep, ...]
    identifier: Identifier
    event_time: EventTime
    features: tuple[Feature, ...]
    rules: tuple[Rule, ...]
    least_rows: int
    most_rows: int | None
    max_psi: float | None
    most_rows_refused: float
    most_files_refused: float
    store: str
    ttl: tuple[str, int] | None
    given: Mapping[str, Any]

    def kinds(self) -> dict[str, str]:
        """Return the types of all columns, those of the steps with them."""
        added = [column for step in self.steps for column in step.columns]
        return {column.name: column.type for column in [*self.columns, *added]}
