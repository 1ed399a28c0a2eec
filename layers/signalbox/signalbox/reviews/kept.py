"""What is kept of an evaluation report with a review: the types of a JSON text, which old reviews have too."""

from typing import NotRequired, TypedDict

from signalbox.contracts.common import StageServing


class ClassScore(TypedDict):
    """A class of a classification: its test rows, and how many of them the model got right."""

    name: str
    rows: int
    right: int


class KeptMetric(TypedDict):
    """A metric's value, and its standard error where it has one."""

    value: float
    spread: float | None


class KeptDifference(TypedDict):
    """A metric of this model minus the live model's; the interval's bounds are None where there is none."""

    value: float
    low: float | None
    high: float | None
    verdict: str


class KeptLive(TypedDict):
    """The live model's package (an ARN) and its metrics, and how the two compare on the `rows` that both answered.

    `own` are this model's metrics on these rows. What earlier versions kept has only package and metrics, which are of
    other rows.
    """

    package: str
    metrics: dict[str, KeptMetric]
    rows: NotRequired[int]
    own: NotRequired[dict[str, KeptMetric]]
    differences: NotRequired[dict[str, KeptDifference]]
    reason: NotRequired[str]


class KeptSample(TypedDict):
    """One test row with the true label and the model's answer."""

    input: str
    expected: str
    predicted: str


class KeptLineage(TypedDict):
    """Where the model comes from, as texts, "" where it is not known.

    `file_count` is 0 where no file is known. `uploaders` are the first of `uploader_count` people, and of
    `unknown_uploads` files nobody is known; what earlier versions kept has no word of them. `columns` are the features'
    names, none where they are not known.
    `started_by` is who says to have asked for the training of an image, `registered_by` who registered a package: what
    earlier versions kept has neither.
    `report` is the S3 URI of the report, `threshold` what the pipeline held the model against, `cut` the probability
    from which an answer counts as 1. `train_rows` is None where nobody counted them, as in what earlier versions kept.
    `unused` are sentences about the first of `unused_count` files that the run did not use. `features` says what became
    of the run's features, and `features_report` is the S3 URI of their report; what earlier versions kept has neither.
    """

    report: str
    run: str
    files: list[str]
    file_count: int
    uploaders: NotRequired[list[str]]
    uploader_count: NotRequired[int]
    unknown_uploads: NotRequired[int]
    started_by: NotRequired[str]
    unused: NotRequired[list[str]]
    unused_count: NotRequired[int]
    features: NotRequired[str]
    features_report: NotRequired[str]
    registered_by: NotRequired[str]
    train_data: str
    train_rows: NotRequired[int | None]
    test_data: str
    columns: list[str]
    threshold: str
    cut: str
    image: str


class KeptUntested(TypedDict):
    """Why a model was not tested, as sentences, and what its review goes by (see `evaluation.model.NotTested`)."""

    reasons: list[str]
    metrics: str
    missing: str
    golden: str
    requests: int


class KeptReport(TypedDict):
    """What is kept of a report. Earlier versions kept no `points`, classes, `lineage`, `costs` or `serving`.

    `live` is what was live when the model was tested, `serving` what the last stage served when people were asked.
    `live_commit` is the commit of what was live at the test, "" where it is not known; earlier versions kept none.
    `points` are label and prediction of test rows of a regression; `classes` are the biggest of `class_count` classes;
    `costs` are labels and texts. `untested` is None for a model that was tested.
    """

    problem: str
    primary: str
    lower_is_better: bool
    rows: int
    commit: str
    metrics: dict[str, KeptMetric]
    live: KeptLive | None
    live_commit: NotRequired[str]
    serving: NotRequired[StageServing | None]
    samples: list[KeptSample]
    job: str
    seconds: float
    points: NotRequired[list[tuple[float, float]]]
    classes: NotRequired[list[ClassScore]]
    class_count: NotRequired[int]
    lineage: NotRequired[KeptLineage]
    costs: NotRequired[list[tuple[str, str]]]
    untested: NotRequired[KeptUntested | None]
