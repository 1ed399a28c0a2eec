"""Put checked data where a model's training and test find them: all that lies there is used.

Safe to repeat: the same files have the same keys. The bucket keeps versions, so what is replaced is still there.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from signalbox.contracts.problems import Problem
from signalbox.model_documents import ModelTraining
from signalbox.projects import load_model
from signalbox_operate.datasets import tables
from signalbox_operate.datasets.model import TEST, TRAIN, DataError, Dataset
from signalbox_operate.stack import OperateError

CSV = "text/csv"
_DELETED_AT_ONCE = 1_000  # keys of one request (S3 API reference, DeleteObjects)


def training_of(prefix: str, model: str, ssm: Any) -> tuple[ModelTraining, str]:
    """Return what a model is trained with, and the content type of its requests.

    Raises:
        OperateError: no project has such a model, or its pipeline prepares its data.
    """
    document = load_model(prefix, model, ssm)
    if document is None:
        raise OperateError(
            f"no project has a model {model!r}: `signalbox projects` shows those that there are; deploy yours"
        )
    if document.training is None:
        raise OperateError(
            f"the model {model} is trained by a pipeline of {document.project}: upload data to its prefix"
        )
    return document.training, document.test.content_type


def check(datasets: Sequence[Dataset], problem: Problem, content_type: str) -> Iterator[str]:
    """Yield what is worth knowing of data that can be used; only CSV is looked into.

    Raises:
        DataError: they cannot be used.
    """
    if content_type != CSV:
        yield f"the model takes {content_type}: what is in the files was not looked at"
        return
    parts = [dataset for dataset in datasets if dataset.kind in (TRAIN, TEST)]  # a further channel may hold anything
    looked = {dataset.kind: tables.look(dataset, problem) for dataset in parts}
    for kind, one in looked.items():
        yield f"{kind}: {one.rows:,} rows, {one.columns} columns, label first"
    if len(looked) > 1:
        train, test = looked[TRAIN], looked[TEST]
        if train.columns != test.columns:
            raise DataError(f"the training data have {train.columns} columns, and the test data {test.columns}")
        unknown = sorted(test.labels - train.labels) if problem != "regression" else []
        if unknown:
            yield f"note: the test data have labels that no training row has: {', '.join(unknown[:5])}"
        if remark := tables.compare(parts[0], parts[1]):
            yield f"note: {remark}"


def put(model: str, dataset: Dataset, bucket: str, s3: Any, *, replace: bool, say: Callable[[str], None]) -> None:
    """Upload a dataset; with `replace`, take away the other files of its kind.

    Raises:
        DataError: other files are there, which would be used too, and are not to be replaced.
    """
    place = f"models/{model}/{dataset.kind}/"
    keys = {f"{place}{name}": file for name, file in dataset.files}
    others = [key for key in _there(bucket, place, s3) if key not in keys]
    if others and not replace:
        raise DataError(
            f"other files ({len(others):,}) lie under s3://{bucket}/{place}, such as {others[0].removeprefix(place)}, "
            "and all files there are used: --replace takes them away (the bucket keeps their versions)"
        )
    for key, file in keys.items():
        s3.upload_file(str(file), bucket, key)
        say(f"s3://{bucket}/{key}")
    for start in range(0, len(others), _DELETED_AT_ONCE):
        part = [{"Key": key} for key in others[start : start + _DELETED_AT_ONCE]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": part, "Quiet": True})
    if others:
        say(f"other files taken away: {len(others):,}")


def _there(bucket: str, place: str, s3: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=place)
    return [one["Key"] for page in pages for one in page.get("Contents", ()) if not one["Key"].endswith("/")]
