"""Test the model on the held-out rows, through the code that the model itself brings for serving.

The report has the shape of SageMaker's model quality metrics. A metric's standard deviation is that of the metric
itself: the deviation of the single errors, divided by the square root of their number.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)


class EvaluationError(Exception):
    """The model cannot be tested; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def read_test(folder: Path) -> tuple[np.ndarray, list[str]]:
    """Return the labels, and the rows without them, of the CSV files (label first) under `folder`.

    Raises:
        EvaluationError: there are no rows.
    """
    files = sorted(folder.rglob("*.csv"))
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise EvaluationError("the test data has no rows")
    pairs = [line.partition(",") for line in lines]
    return np.array([float(label) for label, _, _ in pairs]), [features for _, _, features in pairs]


def predict(archive: Path, rows: list[str]) -> np.ndarray:
    """Return what the archived model answers to `rows`.

    Raises:
        EvaluationError: it answers with another number of rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as packed:
            _extract(packed, folder)
        # In front of this script's own folder: the model is asked through its own copy of the serving code.
        sys.path.insert(0, str(Path(folder) / "code"))
        serving = importlib.import_module("inference")
        data = serving.input_fn("\n".join(rows), "text/csv")
        answer, _ = serving.output_fn(serving.predict_fn(data, serving.model_fn(folder)), "text/csv")
    predictions = np.array([float(line) for line in answer.split()])
    if len(predictions) != len(rows):
        raise EvaluationError(f"the model answered {len(predictions)} rows of {len(rows)}")
    return predictions


def _extract(packed: tarfile.TarFile, folder: str) -> None:
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
    else:  # Python 3.8 without its last fixes; the archive is this pipeline's own
        packed.extractall(folder)  # noqa: S202  # see above


def metrics(labels: np.ndarray, predictions: np.ndarray) -> dict[str, dict[str, float]]:
    """Return each metric's value and standard deviation, to six places."""
    errors = {"mse": (labels - predictions) ** 2, "mae": np.abs(labels - predictions)}
    return {
        name: {
            "value": round(float(values.mean()), 6),
            "standard_deviation": round(float(values.std() / np.sqrt(len(values))), 6),
        }
        for name, values in errors.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the job; 0 is success, else the reason is in the message file and on the error output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.tar.gz")
    parser.add_argument("--test", type=Path, required=True, help="folder with the test rows")
    parser.add_argument("--output", type=Path, required=True, help="folder that gets evaluation.json")
    parser.add_argument("--message", type=Path, required=True, help="file for the reason of a failure")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        labels, rows = read_test(given.test)
        found = metrics(labels, predict(given.model / "model.tar.gz", rows))
    except (EvaluationError, OSError, ValueError, tarfile.TarError) as error:
        given.message.parent.mkdir(parents=True, exist_ok=True)
        given.message.write_text(str(error), encoding="utf-8")
        logger.error("%s", error)  # noqa: TRY400  # the reason is the message; a traceback would hide it
        return 1
    given.output.mkdir(parents=True, exist_ok=True)
    report = {"regression_metrics": found, "rows": len(rows)}
    (given.output / "evaluation.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    mse = found["mse"]
    logger.info("%d rows: MSE %s, standard deviation %s", len(rows), mse["value"], mse["standard_deviation"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
