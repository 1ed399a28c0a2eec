"""What an evaluation writes down: the types of report.json and golden.json."""

from typing import Literal, NotRequired, TypedDict

from signalbox.contracts.problems import Problem
from signalbox.contracts.training import Lineage, TrainingDone

type Verdict = Literal["better", "worse", "no clear difference"]


class Metric(TypedDict):
    """A metric and its standard error, named as in SageMaker's metrics; other evaluations may leave the error out."""

    value: float
    standard_deviation: NotRequired[float]


class ClassCount(TypedDict):
    """How many rows have one label, and how many of those were predicted right."""

    rows: int
    right: int


class Difference(TypedDict):
    """A metric of this model minus the live model's, over the same rows, and what follows from it.

    `low` and `high` bound the 95 % interval; both are None where the rows are too few for one.
    """

    value: float
    low: float | None
    high: float | None
    verdict: Verdict


class LiveModel(TypedDict):
    """The package that serves the last stage, asked for the same test rows.

    `rows` were answered by both models; `metrics` are the live model's on these rows, `own` the new model's.
    `reason` says why nothing was compared; None where it was. `commit` is the package's, None where it has none.
    """

    package: str
    commit: str | None
    rows: int
    metrics: dict[str, Metric]
    own: dict[str, Metric]
    differences: dict[str, Difference]
    reason: str | None


class Sample(TypedDict):
    """One row as people are shown it."""

    input: str
    expected: str
    predicted: str


class Cost(TypedDict):
    """What a training has cost, or what a month of a stage's endpoint does; `stage` is "" for a training.

    `dollars` are US dollars for `hours` of all its instances; the price of an hour of one, where it was read and when.
    """

    use: Literal["training", "hosting"]
    stage: str
    dollars: float
    hours: float
    instance_type: str
    instance_count: int
    dollars_an_hour: float
    source: str
    read: str


class Report(TypedDict):
    """report.json.

    `verdict` is that of the metric `primary`, None where nothing was compared. `threshold` is the probability from
    which a binary model's answer counts as 1, None where no answer was a probability. `classes` is None for a
    regression; `points` are `[label, prediction]` of rows that are spread over the test data, none for classes. `costs`
    has what is known of them.
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
    verdict: Verdict | None
    threshold: float | None
    samples: list[Sample]
    points: list[list[float]]
    training: TrainingDone | None
    test_data: str
    image: str
    lineage: Lineage
    costs: list[Cost]


class NotTested(TypedDict):
    """Why a package was not tested, as sentences, and what its review goes by.

    `metrics` is the S3 URI that the report's metrics are from, None where there are none, for which `missing` says why;
    `golden` is that of the project's golden requests, of which there are `requests`.
    """

    reasons: list[str]
    metrics: str | None
    missing: str
    golden: str | None
    requests: int


class UntestedReport(TypedDict):
    """report.json of a package that was not tested: its metrics are those that it was registered with.

    `live_commit` is the commit of the package that serves the last stage, None where it is not known.
    """

    model: str
    package: str | None
    commit: str | None
    problem: str
    primary: str
    lower_is_better: bool
    metrics: dict[str, Metric]
    rows: int
    live: None
    live_commit: str | None
    untested: NotTested
    training: TrainingDone | None
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


class AskedRequest(TypedDict):
    """A request of a project's own: its body is a text, or bytes in Base64."""

    content_type: str
    body: NotRequired[str]
    body_base64: NotRequired[str]


class ProjectGolden(TypedDict):
    """golden.json of a package that was not tested: `answers` is where the first answers are kept, an S3 URI."""

    content_type: str
    requests: list[AskedRequest]
    tolerance: float
    answers: str
