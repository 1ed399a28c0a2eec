"""Test the model on the rows that were held out, through the code that it serves with.

The report has the shape of SageMaker's model quality metrics; a metric's standard deviation is that of the metric
itself: of the mean over the rows.
"""

import argparse
import csv
import importlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import table
from job import told


def read_test(folder):
    """Return the labels, and the rows without them as text."""
    pairs = []
    for path in sorted(Path(folder).rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as lines:
            pairs += [(row[0], row[1:]) for row in csv.reader(lines)]
    return [label for label, _ in pairs], [row for _, row in pairs]


def predict(archive, test_rows):
    """Return what the model in the archive answers."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as packed:
            packed.extractall(folder)  # noqa: S202  # this pipeline has made it
        sys.path.insert(0, str(Path(folder) / "code"))  # the model's own copy of the serving code
        serving = importlib.import_module("inference")
        request = Path(folder) / "request.csv"
        with request.open("w", newline="", encoding="utf-8") as lines:
            csv.writer(lines, lineterminator="\n").writerows(test_rows)
        data = serving.input_fn(request.read_text(encoding="utf-8"), "text/csv")
        answer, _ = serving.output_fn(serving.predict_fn(data, serving.model_fn(folder)), "application/json")
    return json.loads(answer)


def measure(labels, predictions):
    """Return the metrics of the problem, and the rows of each label with the predictions that they got."""
    if table.PROBLEM == "regression":
        errors = np.array([float(label) for label in labels]) - np.array(predictions)
        return {"regression_metrics": {"mse": _mean(errors**2), "mae": _mean(np.abs(errors))}}
    right = np.array([label == answer for label, answer in zip(labels, predictions)], dtype=float)
    confusion = {label: {} for label in sorted(set(labels))}
    for label, answer in zip(labels, predictions):
        confusion[label][answer] = confusion[label].get(answer, 0) + 1
    return {f"{table.PROBLEM}_classification_metrics": {"accuracy": _mean(right), "confusion_matrix": confusion}}


def _mean(values):
    spread = float(values.std() / np.sqrt(len(values)))
    return {"value": round(float(values.mean()), 6), "standard_deviation": round(spread, 6)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="/opt/ml/processing/model")
    parser.add_argument("--test", default="/opt/ml/processing/test")
    parser.add_argument("--output", default="/opt/ml/processing/output/evaluation")
    given = parser.parse_args()
    labels, test_rows = read_test(given.test)
    predictions = predict(Path(given.model) / "model.tar.gz", test_rows)
    report = {**measure(labels, predictions), "rows": len(labels)}
    output = Path(given.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / "evaluation.json").write_text(json.dumps(report, indent=1))
    with (output / "predictions.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows(zip(labels, predictions))
    print(json.dumps(report))


if __name__ == "__main__":
    told(main)
