"""What is put, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.stack import OperateError

TRAIN, TEST = "train", "test"


def kind_of(channel: str) -> str:
    """Return the kind of a further channel's data, which is their folder among the model's."""
    return f"channels/{channel}"


class DataError(OperateError):
    """Data cannot be used; the message names the file, the line and what to do."""


@dataclass(frozen=True)
class Dataset:
    """The files of one kind (`train`, `test`, `channels/<name>`) with their names in S3, in the order of the names."""

    kind: str
    files: Sequence[tuple[str, Path]]


@dataclass(frozen=True)
class Looked:
    """What a dataset's files hold: rows, columns, the distinct labels as far as they are few, and remarks."""

    rows: int
    columns: int
    labels: frozenset[str]
