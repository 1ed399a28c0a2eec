"""What a trial has found: metrics in SageMaker's JSON, and predictions beside their labels where a job wrote them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signalbox import numerals

_PREDICTIONS = "predictions.csv"
_MOST_BYTES = 20_000_000
_PAIR = 2


@dataclass(frozen=True)
class Results:
    """`metrics` are name, value and standard deviation (None where it is unknown); `pairs` label and prediction."""

    metrics: tuple[tuple[str, float, float | None], ...]
    pairs: tuple[tuple[str, str], ...]
    report: str = ""

    @property
    def numbers(self) -> list[tuple[float, float]]:
        """Return label and prediction as numbers; none where one of them is a text."""
        found = [(numerals.number_or_none(label), numerals.number_or_none(answer)) for label, answer in self.pairs]
        known = [(label, answer) for label, answer in found if label is not None and answer is not None]
        return known if len(known) == len(found) else []

    @property
    def regression(self) -> bool:
        """Say whether the predictions are amounts: by the metrics, which a regression has others of."""
        return any(name in {"mse", "mae", "rmse", "r2"} for name, _, _ in self.metrics) and bool(self.numbers)


def read(steps: Sequence[Mapping[str, Any]], sagemaker: Any, s3: Any) -> Results:
    """Return what the processing jobs of an execution have written."""
    metrics: tuple[tuple[str, float, float | None], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    report = ""
    for name, text in _texts(steps, sagemaker, s3):
        if name.endswith(".json") and (found := _metrics(text)):
            metrics, report = found, text
        elif name.rpartition("/")[2] == _PREDICTIONS:
            pairs = tuple((row[0], row[1]) for row in csv.reader(io.StringIO(text)) if len(row) == _PAIR)
    return Results(metrics, pairs, report)


def _texts(steps: Sequence[Mapping[str, Any]], sagemaker: Any, s3: Any) -> Iterator[tuple[str, str]]:
    """Yield the small files of JSON and CSV that processing jobs have written, by their keys."""
    for step in steps:
        arn = (step.get("Metadata") or {}).get("ProcessingJob", {}).get("Arn")
        if arn is None:
            continue
        job = sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
        for output in job.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            bucket, _, prefix = output["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
            for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
                if item["Key"].endswith((".json", _PREDICTIONS)) and item["Size"] <= _MOST_BYTES:
                    yield item["Key"], s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()


def _metrics(text: str) -> tuple[tuple[str, float, float | None], ...]:
    """Return the metrics in a report of SageMaker's model quality; none where it is another JSON."""
    try:
        report = json.loads(text)
    except ValueError:
        return ()
    groups = report.items() if isinstance(report, dict) else ()
    return tuple(
        (name, float(one["value"]), _number(one.get("standard_deviation")))
        for group, metrics in groups
        if group.endswith("_metrics") and isinstance(metrics, dict)
        for name, one in metrics.items()
        if isinstance(one, dict) and _number(one.get("value")) is not None
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
