"""Which rows a model is tested on: its own, which neither who asks for a run nor who registers a package chooses."""

from collections.abc import Mapping
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from signalbox.aws.model import ModelPackage
from signalbox.training.model import Candidate, ImageRequest, InvalidRequestError

if TYPE_CHECKING:
    from signalbox.aws.s3 import ObjectStore

TEST_DATA = "test-data"
# So many may be blank before the test data count as empty.
_FIRST_FILES = 100


def own(data_bucket: str, model: str) -> str:
    """Return the folder of a model's own test data."""
    return f"s3://{data_bucket}/models/{model}/test/"


def place(request: ImageRequest, data_bucket: str) -> str:
    """Return where an image's test data lie: as asked for, else in the model's folder."""
    return folder(request.test_data or own(data_bucket, request.model))


def channels(request: ImageRequest, data_bucket: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the S3 prefix of each channel of an image's training: those of its document, with what is asked for.

    Raises:
        InvalidRequestError: training data are asked for, and the document has several channels of them.
    """
    if not known:
        return {"train": request.train_data or f"s3://{data_bucket}/models/{request.model}/train/"}
    if request.train_data is None:
        return dict(known)
    if len(known) > 1:
        raise InvalidRequestError(
            f"train_data is given, and the model {request.model} has the channels {', '.join(known)}: leave it out, or "
            "change the channels in the project"
        )
    return dict.fromkeys(known, request.train_data)


def first_files(field: str, uri: str, objects: "ObjectStore") -> list[str]:
    """Return the URIs of the first files of data; folder markers and empty files are no data.

    Raises:
        InvalidRequestError: there are none.
        ServiceBusyError, CallRefusedError: S3 could not answer now, or refused.
    """
    found = [one.uri for one in islice(filter(attrgetter("size"), objects.listing(uri)), _FIRST_FILES)]
    if not found:
        raise InvalidRequestError(f"{field} {uri} holds no data: upload CSV files there, no header, label first")
    return found


def folder(uri: str) -> str:
    """Return an S3 prefix as that of a folder, so that `…/test` does not take `…/test-more.csv` too."""
    return uri if uri.endswith("/") else f"{uri}/"


def stated(package: ModelPackage) -> str | None:
    """Return the folder that a package states, None where it states none."""
    test_data = package.properties.get(TEST_DATA)
    return folder(test_data) if test_data else None


def check(candidate: Candidate, data_bucket: str, artifacts_bucket: str) -> None:
    """Refuse test data that are not the model's, or only a part of its own.

    Raises:
        InvalidRequestError: they lie elsewhere than the model's own test data and, for a package, what its pipeline
            wrote.
    """
    model, given = candidate.model, candidate.test_data or ""
    home, pipeline = own(data_bucket, model), f"s3://{artifacts_bucket}/pipelines/{candidate.project or model}/"
    if given == home or (candidate.package and given.startswith(pipeline)):
        return
    way_out = (
        f"register the package with the property {TEST_DATA!r} {home}, or a folder under {pipeline}"
        if candidate.package
        else f"leave them out, and put its test data under {home}, all of which are used"
    )
    raise InvalidRequestError(f"test_data {given} are not those of the model {model}: {way_out}")
