"""What the mlops machine is asked for, the model that a run tests, and the run's names and places."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from signalbox.aws.model import ModelContainer, ModelPackage

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.contracts.training import TrainingNames, Untested

CONTENT_TYPE = "text/csv"
# SageMaker sends up to 6 MB in one request of a batch transform unless it is told otherwise (API reference,
# CreateTransformJob), and the nginx of AWS's own sample containers takes 5 (`client_max_body_size 5m`).
PAYLOAD_MB = 4
# What AWS's examples call the channel of the rows to learn from.
_ROWS = ("train", "training")


class InvalidRequestError(Exception):
    """The machine was started with an input that cannot be trained; the message names the field and the way out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class ImageRequest(NamedTuple):
    """The input with an image: train this image; what is None is left to the defaults.

    `isolated` says whether its containers are cut off from every network; `started_by` is who says to have asked for
    it, "" where nobody is named.
    """

    image: str
    commit: str
    problem: "Problem"
    model: str
    group: str
    train_data: str | None
    test_data: str | None
    hyperparameters: Mapping[str, str]
    max_payload_mb: int | None = None
    isolated: bool = True
    started_by: str = ""


class PackageRequest(NamedTuple):
    """The input with a package: this version of a model package group is trained already."""

    package: str
    model: str
    group: str
    max_payload_mb: int | None = None
    isolated: bool = True


class TrainingRun(NamedTuple):
    """The names and places of what one execution makes: the same execution, the same run.

    `training_output`, `predictions` and `evidence` are S3 prefixes, `kept` is where the tested model's data are kept,
    `answers` where the first answers of a model are that is not tested.
    """

    execution: str
    names: "TrainingNames"
    training_output: str
    predictions: str
    evidence: str
    kept: str
    answers: str
    client_token: str

    @property
    def model_data(self) -> str:
        """Return where the training job puts its model.

        SageMaker "creates subfolders for the artifacts" (CreateTrainingJob API reference, OutputDataConfig): the job's
        name and `output/`, and in them, with GZIP as its compression, `model.tar.gz`.
        """
        return f"{self.training_output}/{self.names['training']}/output/model.tar.gz"


class Candidate(NamedTuple):
    """The model that a run tests.

    `package` is None for an image, which the run trains and registers. There are no channels of training data (S3
    prefixes by their names) and no hyperparameters for a package, which was trained elsewhere, and which somebody
    registered. `max_payload_mb` is the largest request, in MB, that the model is sent in the batch transform;
    `isolated` says whether its containers are cut off from every network. `registered` is the package as the registry
    has it, None for an image. `untested` says why a package is not tested, None where it is: only then it has a problem
    and test data. `project` is None for a model without a document. `started_by` is that of its request.
    """

    model: str
    group: str
    package: str | None
    commit: str | None
    containers: tuple[ModelContainer, ...]
    problem: "Problem | None"
    test_data: str | None
    channels: Mapping[str, str] = {}
    isolated: bool = True
    registered: ModelPackage | None = None
    hyperparameters: Mapping[str, str] = {}
    max_payload_mb: int = PAYLOAD_MB
    content_type: str = CONTENT_TYPE
    untested: "Untested | None" = None
    project: str | None = None
    started_by: str = ""

    @property
    def train_data(self) -> str | None:
        """Return the S3 prefix of the rows that the model learns from: of its channel for them, else of its first."""
        rows = next((self.channels[name] for name in _ROWS if name in self.channels), None)
        return rows or next(iter(self.channels.values()), None)

    @property
    def image(self) -> str:
        """Return the image of the first container, which an image has alone."""
        return self.containers[0].image

    @property
    def model_data(self) -> str:
        """Return the S3 URI of the first container's data, "" where it has none."""
        return self.containers[0].model_data or ""
