"""Decides every name, place and input of one run of the mlops machine. The same execution always gets the same plan."""

from dataclasses import dataclass
from typing import Any

from signalbox import names
from signalbox.training.ports import Container, Objects, Package, Packages
from signalbox.training.requests import (
    CONTENT_TYPE,
    ImageRequest,
    InvalidRequestError,
    PackageRequest,
    bucket_and_prefix,
    read,
)

__all__ = ["InvalidRequestError", "Places", "plan"]

# botocore's `sagemaker` model: ClientToken of CreateModelPackage has at most 36 characters.
_CLIENT_TOKEN_LIMIT = 36
TEST_DATA = "test-data"


@dataclass(frozen=True)
class Places:
    """Where things are: the stack's prefix and its two buckets."""

    prefix: str
    data_bucket: str
    artifacts_bucket: str


def plan(event: dict[str, Any], places: Places, objects: Objects, packages: Packages) -> dict[str, Any]:
    """Return the plan of the execution in `event` (`{"execution", "execution_arn", "input"}`).

    Nothing is written and every name comes from the execution, so a repetition returns the same plan.

    Raises:
        InvalidRequestError: the input is wrong, its data are missing, or its package cannot be evaluated.
    """
    request = read(places.prefix, event["input"])
    if isinstance(request, ImageRequest):
        particulars = _image_entry(request, places)
    else:
        particulars = _package_entry(request, packages.find(request.package))
    for field in ("train_data", "test_data"):
        if particulars[field] is not None:
            _check_data(particulars[field], field, places, objects)
    return particulars | _common(event, particulars["model"], places)


def _image_entry(request: ImageRequest, places: Places) -> dict[str, Any]:
    home = f"s3://{places.data_bucket}/models/{request.model}"
    return {
        "entry": "image",
        "model": request.model,
        "group": names.package_group(places.prefix, request.model),
        "package": None,
        "commit": request.commit,
        "image": request.image,
        "model_data": None,
        "environment": {},
        "content_type": CONTENT_TYPE,
        "train_data": request.train_data or f"{home}/train/",
        "test_data": request.test_data or f"{home}/test/",
        "hyperparameters": request.hyperparameters,
    }


def _package_entry(request: PackageRequest, package: Package | None) -> dict[str, Any]:
    if package is None:
        raise InvalidRequestError(f"package {request.package} is not in the registry: check its group and version")
    container = _only_container(package)
    return {
        "entry": "package",
        "model": request.model,
        "group": request.group,
        "package": package.arn,
        "commit": package.commit,
        "image": container.image,
        "model_data": container.model_data,
        "environment": container.environment,
        "content_type": _content_type(package),
        "train_data": None,
        "test_data": _test_data(package),
        "hyperparameters": {},
    }


def _only_container(package: Package) -> Container:
    """Return the one container of a package that is complete and has its model data in S3."""
    if package.status != "Completed":
        raise InvalidRequestError(f"package {package.arn} is {package.status}: register one that is Completed")
    if len(package.containers) != 1:
        raise InvalidRequestError(
            f"package {package.arn} has {len(package.containers)} containers: "
            "a batch transform of ours runs exactly one; register a package with one container"
        )
    container = package.containers[0]
    if container.model_data is None:
        raise InvalidRequestError(f"package {package.arn} has no ModelDataUrl: register it with its model.tar.gz")
    return container


def _content_type(package: Package) -> str:
    content_type = package.properties.get("content-type") or next(iter(package.content_types), CONTENT_TYPE)
    if content_type != CONTENT_TYPE:
        raise InvalidRequestError(
            f"package {package.arn} takes {content_type!r}: the evaluation reads {CONTENT_TYPE} only, label first"
        )
    return content_type


def _test_data(package: Package) -> str:
    test_data = package.properties.get(TEST_DATA)
    if not test_data:
        raise InvalidRequestError(
            f"package {package.arn} does not say where its test data are: register it with the customer metadata "
            f"property {TEST_DATA!r}, an S3 prefix of CSV files, label first"
        )
    return test_data


def _check_data(uri: str, field: str, places: Places, objects: Objects) -> None:
    bucket, _prefix = bucket_and_prefix(uri, field)
    ours = (places.data_bucket, places.artifacts_bucket)
    if bucket not in ours:
        raise InvalidRequestError(f"{field} is in the bucket {bucket}: jobs may read {ours[0]} and {ours[1]} only")
    if not objects.holds_data(uri):
        raise InvalidRequestError(f"{field} {uri} holds no data: upload CSV files there, no header, label first")


def _common(event: dict[str, Any], model: str, places: Places) -> dict[str, Any]:
    execution = event["execution"]
    home = f"s3://{places.artifacts_bucket}"
    group = names.package_group(places.prefix, model)
    return {
        "names": {step: names.job(group, execution, step) for step in ("training", "model", "transform")},
        "outputs": {
            "training": f"{home}/training/{execution}/",
            "transform": f"{home}/transforms/{execution}/",
            "evaluation": f"{home}/evaluations/{execution}/",
        },
        # Makes the registration of one execution happen once, however often it is called.
        "client_token": names.token("package", event["execution_arn"])[:_CLIENT_TOKEN_LIMIT],
    }
