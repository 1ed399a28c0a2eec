"""The train journey: a run is planned, evaluated, registered."""

from typing import Literal, NotRequired, TypedDict

from signalbox.aws.model import Compression, DataType
from signalbox.contracts.common import AwsRequest
from signalbox.contracts.problems import Problem
from signalbox.contracts.uploads import RunUploaders


class TrainingQuestion(TypedDict):
    """Asked of `plan_training`: the execution's name and ARN, and its input as it came."""

    execution: str
    execution_arn: str
    input: object


class TrainingRequests(TypedDict):
    """The requests of one run: CreateTrainingJob (None for a package), CreateModel, CreateTransformJob.

    `transform` is None for a package that is not tested. `group` is CreateModelPackageGroup (None for a package, which
    has one).
    """

    training: AwsRequest | None
    model: AwsRequest
    transform: AwsRequest | None
    group: AwsRequest | None


class TrainingNames(TypedDict):
    """The names of the run's jobs and model, for looking at them and for stopping them."""

    training: str
    model: str
    transform: str


class Lineage(TypedDict, total=False):
    """Where a model comes from, as far as is known: what is not known is not there.

    `run` is the run of the pipeline, `files` are the first keys of the `file_count` uploads that it took. `uploaders`
    are the first names of those who uploaded them, with how many there are and how many files have none. `columns` are
    the names of the features. `threshold` is what the run held the model against, in its own words. `train_data` is
    the S3 prefix that an image was trained on, `train_rows` how many rows the model was trained on. `started_by` is who
    says to have asked for the training of an image. `unused` are sentences about the first of the `unused_count` files
    that the run did not use. `features` says what became of the run's features, and `features_report` is the S3 URI of
    their report's page.
    """

    run: str
    files: list[str]
    file_count: int
    uploaders: RunUploaders
    columns: list[str]
    threshold: str
    train_data: str
    train_rows: int
    started_by: str
    unused: list[str]
    unused_count: int
    features: str
    features_report: str


class Fleet(TypedDict):
    """The instances that a job or an endpoint runs on."""

    instance_type: str
    instance_count: int


class Trained(TypedDict):
    """The training job of a package, its seconds, and its instances, None where they have no one price."""

    job: str
    seconds: float
    fleet: Fleet | None


class Untested(TypedDict):
    """Why a package is not tested on held-out rows, as sentences about it, and what its review goes by instead.

    `statistics` is the S3 URI of the metrics that it was registered with, `golden` that of its project's golden
    requests, each None where there is none. `takes` and `answers` are the content types that it states, `first` is
    where its first answers to these requests will be kept, an S3 URI.
    """

    reasons: list[str]
    statistics: str | None
    golden: str | None
    takes: list[str]
    answers: list[str]
    first: str


class EvaluationPlan(TypedDict):
    """What the evaluation needs of a run; `predictions` and `evidence` are S3 prefixes, `test_data` is one too.

    `package` and `registered_by` are None and "" for an image, which is registered after its evaluation; `train_data`
    is None for a package, which was trained elsewhere. `columns` is how many a row of the test data has, the label
    included. `fleet` are the instances of the run's own training job, None for a package, and `trained` is what trained
    a package, None for an image, and where that cannot be seen. Runs that 0.1.0 planned have no `problem`, `columns`,
    `fleet`, `trained` or `lineage`. A package with `untested` has no `problem`, `columns` and `test_data` either.
    """

    model: str
    group: str
    package: str | None
    commit: str | None
    image: str
    model_data: str
    content_type: str
    train_data: str | None
    problem: NotRequired[Problem]
    columns: NotRequired[int]
    test_data: str
    untested: NotRequired[Untested | None]
    registered_by: str
    predictions: str
    evidence: str
    client_token: str
    fleet: NotRequired[Fleet | None]
    trained: NotRequired[Trained | None]
    lineage: NotRequired[Lineage]


class ContainerContent(TypedDict):
    """What one container of a model is, by content.

    `source` is where its data were copied from, `source_etag` what they were there. `image` is the image's path by
    digest. `model_data` is the S3 URI of a copy that no job may write, `version` and `etag` are those that S3 gave to
    it (`version` is None in a bucket without versions). Of a prefix, which `data_type` says, both etags are the digest
    of a listing (see `aws.objects.digest`). A container without data has "" for all of these.
    """

    image: str
    source: str
    source_etag: str
    model_data: str
    version: str | None
    etag: str
    environment: dict[str, str]
    data_type: NotRequired[DataType]
    compression: NotRequired[Compression]


class ModelContent(ContainerContent):
    """What a model is, by content, so that what people approve can be compared with what is about to serve.

    The fields are those of its first container; `behind` are the others, of a pipeline of containers. `specification`
    is the package's additional inference specification of this content, None where the package's own is it.
    """

    specification: str | None
    behind: NotRequired[list[ContainerContent]]


class PinningPlan(TypedDict):
    """Where the model's data are kept, an S3 URI, and the `specification` of its content."""

    target: str
    specification: str | None


class PinQuestion(TypedDict):
    """Asked of `pin_model`: the plan, and the CreateModel request whose model is to be pinned."""

    plan: PinningPlan
    model: AwsRequest


class Pinned(TypedDict):
    """Answered by `pin_model`: the model by content, and the CreateModel request that makes exactly it."""

    content: ModelContent
    model: AwsRequest


class TrainingPlan(TypedDict):
    """Answered by `plan_training`: every name, place and request of one run of the mlops machine.

    `training_seconds` is how long a training may take, its wait for spot instances included.
    """

    entry: Literal["image", "package"]
    model: str
    package: str | None
    names: TrainingNames
    requests: TrainingRequests
    pinning: PinningPlan
    evaluation: EvaluationPlan
    training_seconds: int


class TrainingDone(TypedDict):
    """The training job that ended well, and how many seconds it took."""

    job: str
    seconds: float


class EvaluationQuestion(TypedDict):
    """Asked of `evaluate_model`; `training` is None where a package was trained elsewhere."""

    plan: EvaluationPlan
    content: ModelContent
    training: TrainingDone | None
    execution_arn: str


class Evaluated(TypedDict):
    """Answered by `evaluate_model`: the report's S3 URI, and the request that keeps the evidence in the registry.

    `record` is CreateModelPackage for an image, UpdateModelPackage for a package.
    """

    report: str
    record: AwsRequest
