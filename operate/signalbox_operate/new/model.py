"""What is known of a table: what its file says, and what a person answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from signalbox_operate.stack import OperateError

type Problem = Literal["regression", "binary", "multiclass"]
type Kind = Literal["number", "category", "date", "text", "id", "constant", "empty"]
USED: frozenset[Kind] = frozenset(("number", "category", "date"))


class TableError(OperateError):
    """The table cannot become a project; the message says why and what to do."""


class OpenQuestionError(OperateError):
    """Something that the file does not say.

    Attributes:
        option: what answers it on the command line.
        question: the question, as a person is asked it.
        choices: what may be answered, where that is known.
    """

    def __init__(self, option: str, question: str, choices: Sequence[str]) -> None:
        super().__init__(f"{question} Answer with {option}: {', '.join(choices)}")
        self.option, self.question, self.choices = option, question, tuple(choices)


@dataclass(frozen=True)
class Answers:
    """What a person has said about the table; None and () where nothing was said."""

    label: str | None = None
    problem: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    dates: str | None = None
    threshold: float | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """How a file is written; `encoding` is Python's name, `decimal` what stands before the fraction of a number."""

    encoding: str
    delimiter: str
    quote: str
    header: bool
    decimal: str = "."


@dataclass(frozen=True)
class Table:
    """A table as it was read: `rows` are cells without the blanks around them, each as long as `names`.

    `whole` says that they are all rows; else they are spread over the file, which has about `count` rows. `size` is the
    file's, in bytes.
    """

    format: Format
    names: tuple[str, ...]
    rows: list[list[str]]
    size: int
    count: int
    whole: bool

    def values(self, name: str) -> list[str]:
        """Return the cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]


@dataclass(frozen=True)
class Column:
    """A feature: what is made of it and why; `written` is the format of dates."""

    name: str
    kind: Kind
    why: str = ""
    missing: int = 0
    written: str = ""

    @property
    def used(self) -> bool:
        """Say whether the model learns from it."""
        return self.kind in USED


@dataclass(frozen=True)
class Target:
    """What is predicted: the label, its problem and why, its different values, and what a model has to reach."""

    label: str
    problem: Problem
    why: str
    classes: tuple[str, ...]
    threshold: float
    threshold_why: str

    @property
    def metric(self) -> str:
        """Return the metric that is held against the threshold."""
        return "mse" if self.problem == "regression" else "accuracy"


@dataclass(frozen=True)
class Profile:
    """All that is known of a table, and the sentences that say what was decided."""

    table: Table
    target: Target
    columns: tuple[Column, ...]
    sentences: tuple[str, ...]
