"""Reads the input of the mlops machine: an image to train, or a package that was trained elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signalbox import names

CONTENT_TYPE = "text/csv"
# Step Functions adds this one by itself when another execution starts the machine.
_ASSOCIATION = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
_IMAGE_FIELDS = ("image", "commit", "model", "train_data", "test_data", "content_type", "hyperparameters")
_IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
)
_MODEL = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_COMMIT = re.compile(r"[\w./-]{1,128}")
_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<prefix>[^?*#]{1,900})")
# botocore's `sagemaker` model: HyperParameters of CreateTrainingJob.
_HYPERPARAMETERS, _KEY, _VALUE = 100, 256, 2500


class InvalidRequestError(Exception):
    """The machine was started with an input that cannot be trained; the message names the field and the way out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class ImageRequest:
    """Entry A: train this image; None stands for the default."""

    image: str
    commit: str
    model: str
    train_data: str | None
    test_data: str | None
    hyperparameters: dict[str, str]


@dataclass(frozen=True)
class PackageRequest:
    """Entry B: this version of a model package group is trained already."""

    package: str
    model: str
    group: str


def read(prefix: str, machine_input: Any) -> ImageRequest | PackageRequest:
    """Return what the machine's input asks for.

    Raises:
        InvalidRequestError: the input is neither entry, or a field of it is missing, unknown or wrong.
    """
    if not isinstance(machine_input, Mapping):
        raise InvalidRequestError(
            f"the input is {type(machine_input).__name__}, not an object: "
            'start the machine with {"image": …, "commit": …} or {"package": …}'
        )
    fields = {key: value for key, value in machine_input.items() if key != _ASSOCIATION}
    if ("image" in fields) == ("package" in fields):
        raise InvalidRequestError(
            "the input needs exactly one of 'image' (to train it) and 'package' (a version that is registered already)"
        )
    if "package" in fields:
        _refuse_unknown(fields, ("package",))
        return _package(prefix, _text(fields, "package"))
    _refuse_unknown(fields, _IMAGE_FIELDS)
    return _image(prefix, fields)


def bucket_and_prefix(uri: str, field: str) -> tuple[str, str]:
    """Return the two parts of `s3://bucket/prefix`.

    Raises:
        InvalidRequestError: it is not such a URI, or names a whole bucket.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidRequestError(f"{field} is {uri!r}: give an S3 prefix, s3://bucket/prefix/")
    return match["bucket"], match["prefix"]


def _package(prefix: str, arn: str) -> PackageRequest:
    try:
        group = names.group_of_package(arn)
        model = names.model_of_group(prefix, group)
    except ValueError as error:
        raise InvalidRequestError(
            f"package: {error}: give the ARN of a version in a group named {prefix}-<model>"
        ) from error
    return PackageRequest(arn, model, group)


def _image(prefix: str, fields: Mapping[str, Any]) -> ImageRequest:
    image = _text(fields, "image")
    match = _IMAGE.fullmatch(image)
    if match is None:
        raise InvalidRequestError(
            f"image is {image!r}: give the URI of an image in ECR, "
            "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
        )
    commit = _text(fields, "commit")
    if _COMMIT.fullmatch(commit) is None:
        raise InvalidRequestError(
            f"commit is {commit!r}: give the commit's id, at most 128 letters, digits and . _ - /"
        )
    _check_content_type(fields)
    return ImageRequest(
        image=image,
        commit=commit,
        model=_model(prefix, fields, match["repository"]),
        train_data=_text(fields, "train_data") if "train_data" in fields else None,
        test_data=_text(fields, "test_data") if "test_data" in fields else None,
        hyperparameters=_hyperparameters(fields.get("hyperparameters", {})),
    )


def _model(prefix: str, fields: Mapping[str, Any], repository: str) -> str:
    """Return the model's short name: as given, else the last part of the repository's name."""
    given = "model" in fields
    model = _text(fields, "model") if given else names.slug(repository.rsplit("/", 1)[-1])
    if _MODEL.fullmatch(model) is None:
        raise InvalidRequestError(f"model is {model!r}: use letters, digits and single hyphens between them")
    if names.package_group(prefix, model) != f"{prefix}-{model}":
        way_out = "shorten it" if given else "give a shorter one in the field 'model'"
        raise InvalidRequestError(
            f"model {model!r} is too long: '{prefix}-' and the model have room for {names.RESOURCE_LIMIT} characters "
            f"together; {way_out}"
        )
    return model


def _hyperparameters(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidRequestError("hyperparameters has to be an object of names and texts")
    if len(value) > _HYPERPARAMETERS:
        raise InvalidRequestError(f"hyperparameters has {len(value)} entries: SageMaker takes {_HYPERPARAMETERS}")
    for key, setting in value.items():
        if not isinstance(setting, str):
            raise InvalidRequestError(
                f"hyperparameters.{key} is {setting!r}: SageMaker takes texts only, so put it in quotes"
            )
        if not 0 < len(key) <= _KEY or len(setting) > _VALUE:
            raise InvalidRequestError(
                f"hyperparameters.{key[:40]} is too long: a name has 1 to {_KEY} characters, a value up to {_VALUE}"
            )
    return dict(value)


def _check_content_type(fields: Mapping[str, Any]) -> None:
    if "content_type" in fields and _text(fields, "content_type") != CONTENT_TYPE:
        raise InvalidRequestError(
            f"content_type is {fields['content_type']!r}: the evaluation reads {CONTENT_TYPE} only, label first"
        )


def _refuse_unknown(fields: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise InvalidRequestError(f"unknown field {', '.join(unknown)}: this entry takes {', '.join(known)}")


def _text(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or not value.strip():
        problem = "is missing" if field not in fields else f"is {value!r}"
        raise InvalidRequestError(f"{field} {problem}: give it as a text that is not empty")
    return value.strip()
