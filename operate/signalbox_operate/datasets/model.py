"""What is put, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.stack import OperateError

TRAIN, TEST = "train", "test"


class DataError(OperateError):
    """Data cannot be used; the message names the file, the line and what to do."""


@dataclass(frozen=True)
class Dataset:
    """The files of one kind, `train` or `test`, each with its name in S3, in the order of the names."""

    kind: str
    files: Sequence[tuple[str, Path]]


@dataclass(frozen=True)
class Looked:
    """What a dataset's files hold: rows, columns, the distinct labels as far as they are few, and remarks."""

    rows: int
    columns: int
    labels: frozenset[str]
