"""What SageMaker gives a container: its folders, its hyperparameters, and where to say why it failed.

Folders: SageMaker AI Developer Guide, "How Amazon SageMaker AI provides training information". `SAGEMAKER_BASE_DIR`
stands for `/opt/ml` where it is set, as in AWS's own toolkits: so the same programs run outside a container.
"""

import csv
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FEATURES = 4
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MODEL_FILE = "model.joblib"
FAILURE_LIMIT = 1024  # characters that SageMaker takes over as the job's FailureReason


class ContainerError(Exception):
    """The input cannot be used; the message says which file, line or hyperparameter, and what is wanted."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Folders:
    """The folders of a container, under `base`."""

    base: Path

    @classmethod
    def of_environment(cls) -> "Folders":
        """Return the folders under SAGEMAKER_BASE_DIR, else under /opt/ml."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")))

    @property
    def model(self) -> Path:
        """Where training leaves the model, and serving finds it."""
        return self.base / "model"

    def channel(self, name: str) -> Path:
        """Return the folder of an input channel."""
        return self.base / "input" / "data" / name

    def hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters; all values are text, and none is an empty mapping."""
        path = self.base / "input" / "config" / "hyperparameters.json"
        if not path.exists():
            return {}
        try:
            return {str(name): str(value) for name, value in json.loads(path.read_text()).items()}
        except (ValueError, AttributeError) as error:
            raise ContainerError(f"{path.name} is not a JSON object: {error}") from error

    def fail(self, reason: str) -> None:
        """Leave the reason where SageMaker reads it."""
        path = self.base / "output" / "failure"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reason[:FAILURE_LIMIT])


def read_channel(folder: Path) -> tuple[list[str], list[list[float]]]:
    """Return labels and features of all CSV files (no header, label first) under `folder`.

    Raises:
        ContainerError: there is no file, a file has no rows, or a row is not a label and four numbers.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        raise ContainerError(f"channel {folder.name} has no files: give it CSV, label first")
    labels: list[str] = []
    rows: list[list[float]] = []
    for path in files:
        before = len(rows)
        with path.open(newline="") as lines:
            for number, fields in enumerate(csv.reader(lines), start=1):
                if fields:
                    labels.append(_label(fields[0], f"{path.name}, line {number}"))
                    rows.append(read_row(fields[1:], f"{path.name}, line {number}, after the label"))
        if len(rows) == before:
            raise ContainerError(f"{path.name}: the data file has no rows")
    return labels, rows


def _label(text: str, where: str) -> str:
    if not text.strip():
        raise ContainerError(f"{where}: the label is empty")
    return text.strip()


def read_number(text: str) -> float:
    """Return the finite number that a text is. Python alone also reads `0.4_5`, digits of other scripts, and `nan`.

    Raises:
        ValueError: it is none.
    """
    if not _NUMBER.fullmatch(text.strip()) or math.isinf(float(text)):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def read_row(fields: Sequence[str], where: str) -> list[float]:
    """Return the features of a row.

    Raises:
        ContainerError: they are not four numbers.
    """
    if len(fields) != FEATURES:
        raise ContainerError(f"{where}: {len(fields)} columns, wants {FEATURES} numbers")
    try:
        return [read_number(field) for field in fields]
    except ValueError as error:
        raise ContainerError(f"{where}: {error}") from error
