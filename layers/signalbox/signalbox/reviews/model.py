"""What a review is: one question to a person, kept as one item, decided once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, NotRequired, Self, TypedDict, cast

from signalbox import moments
from signalbox.contracts.common import StageServing
from signalbox.contracts.reviews import DecisionWord, ReviewDecision, ReviewKind

Status = Literal["open", "approved", "rejected", "expired", "superseded", "overturned"]
Answer = Literal["", "sent", "closed"]
type Texts = Mapping[str, str | tuple[str, ...]]
_LISTS = ("approvers", "mailed", "guesses")
DECIDED: tuple[Status, ...] = ("approved", "rejected")
REASON_LIMIT = 1000
WORD_TRIES = 5  # wrong words of one approver, after which their link approves no more


class ReviewError(Exception):
    """A review cannot be requested, found or decided as asked; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class DecisionNotPassedOnError(Exception):
    """A decision is kept, but the registry or the waiting task did not take it; whoever sends it again repeats that."""

    def __init__(self, package: str, error: Exception) -> None:
        super().__init__(f"the decision on {package} is kept, but was not passed on; send it again: {error}")


class Review(NamedTuple):
    """One review. All values are texts (absent: empty), as they are stored.

    `guesses` has an approver's address once for each wrong word that came by their link.
    `answer` is how the waiting task was answered: "sent", or "closed" where it waited no more. `registered_at` and
    `answered_at` mark the second and third step of a decision as done; a step without its mark is repeated.
    """

    id: str
    kind: ReviewKind
    stage: str
    model: str
    package: str
    execution_arn: str
    token: str
    evidence: str
    approvers: tuple[str, ...]
    created_at: str
    expires_at: str
    status: Status = "open"
    mailed: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    by: str = ""
    at: str = ""
    reason: str = ""
    origin: str = ""
    source_ip: str = ""
    user_agent: str = ""
    registered_at: str = ""
    answered_at: str = ""
    answer: Answer = ""
    superseded_by: str = ""
    overturned_from: str = ""
    overturned_by: str = ""
    overturned_at: str = ""

    def status_at(self, now: datetime) -> Status:
        """Return the status a person sees: an open review past its end counts as expired, closed or not yet."""
        if self.status == "open" and moments.text_of(now) >= self.expires_at:
            return "expired"
        return self.status

    def tries_left(self, approver: str) -> int:
        """Return how many more words an approver may try."""
        return max(0, WORD_TRIES - self.guesses.count(approver))

    @property
    def unfinished(self) -> bool:
        """Say whether a decision still has to be passed on to the registry or to the waiting machine."""
        return self.status in DECIDED and not self.answered_at

    @property
    def unregistered(self) -> bool:
        """Say whether the registry still has to hear of what was decided here, or of the expiry."""
        decided_here = self.status == "expired" or (self.status in DECIDED and self.origin != "registry")
        return self.kind == "package" and decided_here and not self.registered_at

    def decision(self) -> ReviewDecision:
        """Return what the waiting machine is told: an overturned decision is a rejection, no decision is an expiry."""
        by, at = self.by, self.at
        if self.status == "overturned":  # whatever was decided before, this execution is to stop
            by, at = self.overturned_by, self.overturned_at
        return {"review": self.id, "decision": self._word, "by": by, "at": at, "reason": self.reason}

    @property
    def _word(self) -> DecisionWord:
        match self.status:
            case "approved":
                return "approved"
            case "rejected" | "overturned":
                return "rejected"
            case _:
                return "expired"

    def texts(self) -> dict[str, str]:
        """Return the fields as texts, without the empty ones."""
        return {name: value for name, value in texts(self._asdict()).items() if value}

    @classmethod
    def of(cls, values: Mapping[str, str | int]) -> Self:
        """Return the review whose `texts` are in `values`; names that it does not know are left out."""
        read: dict[str, str | tuple[str, ...]] = {"stage": "", "approvers": (), "evidence": ""}
        for name in cls._fields & values.keys():
            value = str(values[name])
            read[name] = tuple(value.split(",")) if name in _LISTS else value
        return cls(**cast("dict[str, str]", read))  # type: ignore[arg-type]  # the stored texts are what texts() wrote


def texts(values: Texts) -> dict[str, str]:
    """Return `values` with tuples of addresses joined by commas, which no address of ours has."""
    return {name: ",".join(value) if isinstance(value, tuple) else value for name, value in values.items()}


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
    `report` is the S3 URI of the report, `threshold` what the pipeline held the model against, `cut` the probability
    from which an answer counts as 1. `train_rows` is None where nobody counted them, as in what earlier versions kept.
    """

    report: str
    run: str
    files: list[str]
    file_count: int
    uploaders: NotRequired[list[str]]
    uploader_count: NotRequired[int]
    unknown_uploads: NotRequired[int]
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
