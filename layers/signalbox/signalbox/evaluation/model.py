"""What an evaluation reads and writes down, and why it may refuse to."""

import csv
import io
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from signalbox.contracts import Lineage, TrainingDone

type Problem = Literal["regression", "classification"]


class EvaluationError(Exception):
    """The predictions cannot be measured or compared; the message says where and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Row:
    """One prediction: the label, the prediction, and the features as the model got them (a CSV line)."""

    label: str
    prediction: str
    features: tuple[str, ...]
    place: str

    @property
    def body(self) -> str:
        """Return the features as one line of CSV, as a request to the model."""
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(self.features)
        return text.getvalue()


class Metric(TypedDict):
    """A metric and its standard error, named as in SageMaker's metrics; other evaluations may leave the error out."""

    value: float
    standard_deviation: NotRequired[float]


class ClassCount(TypedDict):
    """How many rows have one label, and how many of those were predicted right."""

    rows: int
    right: int


class LiveModel(TypedDict):
    """The package that serves the last stage, and the metrics of its own report."""

    package: str
    metrics: dict[str, Metric]


class Sample(TypedDict):
    """One row as people are shown it."""

    input: str
    expected: str
    predicted: str


class Report(TypedDict):
    """report.json.

    `better` is None where there is nothing to compare with. `classes` is None for a regression; `points` are
    `[label, prediction]` of rows that are spread over the test data, none for a classification.
    """

    model: str
    package: str | None
    commit: str | None
    created_at: str
    problem: Problem
    primary: str
    lower_is_better: bool
    metrics: dict[str, Metric]
    classes: dict[str, ClassCount] | None
    rows: int
    live: LiveModel | None
    better: bool | None
    samples: list[Sample]
    points: list[list[float]]
    training: TrainingDone | None
    test_data: str
    image: str
    lineage: Lineage


class GoldenRequest(TypedDict):
    """A request, and the batch transform's answer to it."""

    body: str
    expected: str


class GoldenRequests(TypedDict):
    """golden.json: what an endpoint is asked before it counts as released, and how far its numbers may be off."""

    content_type: str
    problem: Problem
    requests: list[GoldenRequest]
    tolerance: float
