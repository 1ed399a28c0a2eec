"""Reads the input of the mlops machine, and decides what its run will train and test."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from signalbox import names
from signalbox.aws.model import KEPT, ModelContainer
from signalbox.contracts.problems import PROBLEMS
from signalbox.reading import Fields, shown
from signalbox.training import held_out
from signalbox.training.limits import PAYLOAD, check_hyperparameters, check_image, check_metadata
from signalbox.training.model import (
    CONTENT_TYPE,
    PAYLOAD_MB,
    Candidate,
    ImageRequest,
    InvalidRequestError,
    PackageRequest,
    TrainingRun,
)

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem
    from signalbox.contracts.training import TrainingQuestion
    from signalbox.model_documents import ModelDocument, ModelTraining

# Step Functions adds this field by itself when another execution starts the machine.
_ASSOCIATION = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
_ISOLATION = "network_isolation"
_IMAGE_FIELDS = (
    "image",
    "commit",
    "problem",
    "model",
    "train_data",
    "test_data",
    "content_type",
    "hyperparameters",
    "max_payload_mb",
    "started_by",
    _ISOLATION,
)
# An ARN: the path of a user may have any sign of ASCII (IAM API reference, User), and 2,048 are the most (STS, Arn).
_PERSON = r"[\x20-\x7e]{1,2048}"
_IMAGE = (
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/"
    r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
)
# In lower case, as SageMaker writes the ARN of a package group: the roles and the registry's events name it so.
_MODEL = r"[a-z0-9](-?[a-z0-9])*"
_COMMIT = r"[\w./-]{1,128}"
_URI = r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/[^?*#\x00-\x1f\x7f-\x9f\u2028\u2029]{1,900}"
_CLIENT_TOKEN_LIMIT = 36  # botocore's `sagemaker` model: ClientToken of CreateModelPackage


def model_named(prefix: str, machine_input: object) -> str | None:
    """Return the model that an input is about; None where it names none, which `read` then refuses."""
    given = machine_input if isinstance(machine_input, dict) else {}
    package, model, image = (str(given.get(field) or "") for field in ("package", "model", "image"))
    try:
        if package:
            return names.model_of_group(prefix, names.group_of_package(package))
    except ValueError:
        return None
    return model or (_repository(image) if image else None)


def read(prefix: str, machine_input: object, training: "ModelTraining | None" = None) -> ImageRequest | PackageRequest:
    """Return what the machine's input asks for; what it leaves out of a training is as the model's document says.

    Raises:
        InvalidRequestError: it asks for neither an image nor a package, or a field is missing, unknown or wrong.
    """
    if not isinstance(machine_input, dict):
        raise InvalidRequestError(
            f"the input is {type(machine_input).__name__}, not an object: "
            'start the machine with {"image": …, "commit": …} or {"package": …}'
        )
    given = {key: value for key, value in machine_input.items() if key != _ASSOCIATION}
    fields = Fields(given, InvalidRequestError)
    kinds = [kind for kind in ("image", "package") if kind in fields]
    given_by_document = not kinds and "model" in fields and training is not None and training.image is not None
    if len(kinds) != 1 and not given_by_document:
        raise InvalidRequestError(
            "the input needs exactly one of 'image' (to train it) and 'package' (a version that is registered already)"
        )
    return _package(prefix, fields) if "package" in fields else _image(prefix, fields, training)


def run_of(question: "TrainingQuestion", group: str, bucket: str, own: str = "") -> TrainingRun:
    """Return the names and places of an execution's run; what it writes goes to `bucket`, into folders called `own`.

    The roles of a project may use the folders of its models alone; what the stack's own roles write is in none.

    Raises:
        InvalidRequestError: the execution has a name that SageMaker does not take in a tag or in metadata.
    """
    execution, home = question["execution"], f"s3://{bucket}"
    place = f"{own}/{execution}" if own else execution
    check_metadata("the execution's name", execution)
    return TrainingRun(
        execution=execution,
        names={
            "training": names.job(group, execution, "training"),
            "model": names.job(group, execution, "model"),
            "transform": names.job(group, execution, "transform"),
        },
        training_output=f"{home}/training/{place}",
        predictions=f"{home}/transforms/{place}/",
        evidence=f"{home}/evaluations/{place}/",
        kept=f"{home}/{KEPT}{place}/model.tar.gz",
        answers=f"{home}/answers/{place}.json",
        # Makes the registration of one execution happen once, however often it is called.
        client_token=names.token("package", question["execution_arn"])[:_CLIENT_TOKEN_LIMIT],
    )


def image_candidate(
    request: ImageRequest, run: TrainingRun, data_bucket: str, document: "ModelDocument | None" = None
) -> Candidate:
    """Return the model that an image will become.

    Raises:
        InvalidRequestError: training data are asked for, and the model's document has several channels of them.
    """
    training = document.training if document else None
    return Candidate(
        model=request.model,
        group=request.group,
        package=None,
        commit=request.commit,
        containers=(ModelContainer(request.image, run.model_data, training.environment if training else {}),),
        problem=request.problem,
        test_data=held_out.place(request, data_bucket),
        channels=held_out.channels(request, data_bucket, training.channels if training else {}),
        isolated=request.isolated,
        hyperparameters=request.hyperparameters,
        max_payload_mb=request.max_payload_mb or PAYLOAD_MB,
        project=document.project if document else None,
        started_by=request.started_by,
    )


def check_registry(image: str, accounts: Sequence[str]) -> None:
    """Refuse an image of an account that the stack does not trust: its roles could not pull it.

    Raises:
        InvalidRequestError: it lies in none of the accounts' registries.
    """
    account = image.split(".", 1)[0]
    if account not in accounts:
        raise InvalidRequestError(
            f"the image {image} lies in the registry of {shown(account)}, which is neither this account nor one of the "
            "parameter ImageAccounts: push it to this account, or deploy the stack with that one among ImageAccounts"
        )


def check_bucket(field: str, uri: str, buckets: tuple[str, str]) -> None:
    """Refuse data that jobs may not read, because they lie in neither of the stack's two buckets.

    Raises:
        InvalidRequestError: they do, or `uri` is no S3 prefix, or a whole bucket.
    """
    match = re.fullmatch(_URI, uri)
    if match is None:
        raise InvalidRequestError(f"{field} is {uri!r}: give an S3 prefix, s3://bucket/prefix/")
    if match["bucket"] not in buckets:
        raise InvalidRequestError(
            f"{field} is in the bucket {match['bucket']}: jobs may read {buckets[0]} and {buckets[1]} only"
        )


def _package(prefix: str, fields: Fields) -> PackageRequest:
    fields.only("package", "max_payload_mb", _ISOLATION)
    arn = fields.text("package")
    try:
        group = names.group_of_package(arn)
        model = names.model_of_group(prefix, group)
    except ValueError as error:
        raise InvalidRequestError(
            f"package: {error}: give the ARN of a version in a group named {prefix}-<model>"
        ) from error
    return PackageRequest(arn, model, group, _max_payload(fields), fields.flag(_ISOLATION, default=True))


def _image(prefix: str, fields: Fields, training: "ModelTraining | None") -> ImageRequest:
    fields.only(*_IMAGE_FIELDS)
    known = training.image if training and "image" not in fields else None
    image = known or fields.text(
        "image", _IMAGE, "the URI of an image in ECR, <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
    )
    if "content_type" in fields and not is_csv(given := fields.text("content_type")):
        allowed = f"give {CONTENT_TYPE}, the only type that the evaluation reads, label first"
        raise fields.refuse("content_type", f"is {shown(given)}: {allowed}")
    check_image(image)
    model, group = _model(prefix, fields, image)
    return ImageRequest(
        image=image,
        commit=fields.text("commit", _COMMIT, "the commit's id, at most 128 letters, digits and . _ - /"),
        problem=cast("Problem", fields.choice("problem", PROBLEMS, training.problem if training else None)),
        model=model,
        group=group,
        train_data=fields.text("train_data") if "train_data" in fields else None,
        test_data=fields.text("test_data") if "test_data" in fields else None,
        hyperparameters=_hyperparameters(fields, training.hyperparameters if training else {}),
        max_payload_mb=_max_payload(fields) or (training.max_payload_mb if training else None),
        isolated=fields.flag(_ISOLATION, default=training.network_isolation if training else True),
        started_by=fields.text("started_by", _PERSON, "who asks for it, as an ARN") if "started_by" in fields else "",
    )


def _model(prefix: str, fields: Fields, image: str) -> tuple[str, str]:
    """Return the model's short name (as given, else the last part of the repository's name) and its package group."""
    given = "model" in fields
    if given:
        model = fields.text("model", _MODEL, "lower-case letters, digits and single hyphens between them")
    else:
        model = _repository(image)
    group = names.package_group(prefix, model)
    if group != f"{prefix}-{model}":
        way_out = "shorten it" if given else "give a shorter one in the field 'model'"
        raise fields.refuse(
            "model",
            f"{model!r} is too long: '{prefix}-' and the model have room for {names.RESOURCE_LIMIT} characters "
            f"together; {way_out}",
        )
    return model, group


def _repository(image: str) -> str:
    """Return what a model is called after its image: the last part of the repository's name."""
    return names.slug(re.split("[:@]", image)[0].rsplit("/", 1)[-1])


def _hyperparameters(fields: Fields, known: Mapping[str, str]) -> dict[str, str]:
    found = {**known, **fields.pairs("hyperparameters")}
    check_hyperparameters(found)
    return found


def _max_payload(fields: Fields) -> int | None:
    return fields.whole("max_payload_mb", PAYLOAD) if "max_payload_mb" in fields else None


def is_csv(content_type: str) -> bool:
    """Say whether a content type is ours, whatever its parameters (`; charset=utf-8`); its case means nothing."""
    return content_type.partition(";")[0].strip().lower() == CONTENT_TYPE
