"""Two models that were planned and tested by the real rules: their reports.

The rows of abalone are the sample that comes with its project, those of iris are scikit-learn's. The models are rules
of thumb, so that every report comes out the same everywhere.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache

from sklearn.datasets import load_iris

from signalbox.contracts.training import ModelContent, TrainingDone, TrainingPlan, TrainingQuestion
from signalbox.evaluation.evaluating import evaluate
from signalbox.training.planning import plan
from signalbox.uploads.model import Run
from tests.support import evaluation, training
from tests.support.documents import read
from tests.support.objects import RememberedObjects

REGION = "us-east-1"
ACCOUNT = f"{REGION}:123456789012"
GROUP = f"arn:aws:sagemaker:{ACCOUNT}:model-package/signalbox-abalone"
RINGS = GROUP.replace("abalone", "rings")
RUN = f"arn:aws:sagemaker:{ACCOUNT}:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"
COMMIT, LIVE_COMMIT = "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92", "b60d3817f2c94ae5d1087c3b96ef42a7051d8e3c"
_ABALONE_COLUMNS = "Sex Length Diameter Height Whole_weight Shucked_weight Viscera_weight Shell_weight"
_ARTIFACTS = "s3://artifacts-bucket"
UPLOADS = ("incoming/north-bay.csv", "incoming/south-bay.csv")
PIPELINE_RUN = Run("signalbox-abalone", 4, datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
_MANIFEST = f"{_ARTIFACTS}/manifests/{PIPELINE_RUN.id}.json"
# AWS's own image in this region, by a digest.
_XGBOOST = {
    "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
    "ImageDigest": f"sha256:{hashlib.sha256(b'xgboost').hexdigest()}",
    "ModelDataUrl": training.JOB_MODEL,
    "Environment": {},
}

# A row without its label → what a model answers.
type Model = Callable[[list[str]], str]


@cache
def abalone(version: int, live: int) -> str:
    """Return the report of a version of abalone that a pipeline registered, beside the live version."""
    package = f"{GROUP}/{version}"
    rows = [[row[-1], *row[:-1]] for row in csv.reader(read("projects/abalone/sample.csv").splitlines())]
    test_data = f"{_ARTIFACTS}/pipelines/abalone/p4jn9xou8a8s/Preprocess/output/test/"
    described = training.PACKAGE | {
        "ModelPackageArn": package,
        "InferenceSpecification": {"Containers": [_XGBOOST], "SupportedContentTypes": ["text/csv"]},
        "CustomerMetadataProperties": {
            "test-data": test_data,
            "problem": "regression",
            "columns": _ABALONE_COLUMNS,
            "manifest": _MANIFEST,
            "threshold": "MSE at most 6.0",
            "train-rows": "2934",
        },
        "MetadataProperties": {"CommitId": COMMIT, "GeneratedBy": RUN},
    }
    people = {"names": ["user/ann", "assumed-role/Measuring/bo"], "count": 2, "unknown": 0}
    uploaders = _MANIFEST.replace(".json", ".uploaders.json")
    data = {f"{test_data}part-0.csv": _csv(rows), _MANIFEST: json.dumps(UPLOADS), uploaders: json.dumps(people)}
    ports = training.ports(described, data, training.JOB)
    planned = plan(_question(f"signalbox-abalone-{version}", {"package": package}), ports)
    return _tested(planned, rows, _new_rings, live=(f"{GROUP}/{live}", _old_rings))


@cache
def iris() -> str:
    """Return the report of an image of iris that was trained and has nothing to be compared with."""
    known = load_iris()
    rows = [
        [str(known.target_names[kind]), *(str(value) for value in values)]
        for kind, values in zip(known.target, known.data.tolist(), strict=True)
    ]
    data = {f"{training.HOME}/train/iris.csv": _csv(rows[::2]), f"{training.HOME}/test/iris.csv": _csv(rows[1::2])}
    asked = training.IMAGE_INPUT | {"commit": COMMIT, "image": training.IMAGE.replace("8c1d", COMMIT[:8])}
    planned = plan(_question(f"iris-decision-tree-{COMMIT[:8]}", asked), training.ports(data=data))
    return _tested(planned, rows[1::2], _kind, done={"job": planned["names"]["training"], "seconds": 134})


@cache
def registered() -> str:
    """Return the report of a package that somebody's pipeline registered with its own metrics, without test data."""
    package, statistics = f"{RINGS}/1", f"{_ARTIFACTS}/pipelines/rings/train/runs/evaluation/evaluation.json"
    described = {name: value for name, value in training.PACKAGE.items() if name != "CustomerMetadataProperties"} | {
        "ModelPackageArn": package,
        "InferenceSpecification": {"Containers": [_XGBOOST], "SupportedContentTypes": ["text/csv"]},
        "MetadataProperties": {"GeneratedBy": RUN.replace("abalone", "rings--train")},
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": statistics}}},
    }
    planned = plan(_question("signalbox-rings-1", {"package": package}), training.ports(described, {}, training.JOB))
    metrics = {"regression_metrics": {"mse": {"value": 4.93, "standard_deviation": 2.19}}}
    objects = RememberedObjects({statistics: json.dumps(metrics)})
    evaluated = evaluate(
        {
            "plan": planned["evaluation"],
            "content": _content(planned),
            "training": None,
            "execution_arn": mlops("test"),
        },
        evaluation.ports(objects),
    )
    return objects.texts[evaluated["report"]]


def _question(execution: str, machine_input: object) -> TrainingQuestion:
    return {"execution": execution, "execution_arn": mlops(execution), "input": machine_input}


def mlops(execution: str) -> str:
    """Return the ARN of an execution of the mlops machine."""
    return f"arn:aws:states:{ACCOUNT}:execution:signalbox-mlops:{execution}"


def _tested(
    planned: TrainingPlan,
    rows: Iterable[list[str]],
    model: Model,
    *,
    live: tuple[str, Model] | None = None,
    done: TrainingDone | None = None,
) -> str:
    """Return the report that the evaluation writes of a batch transform by a model, beside a live package's model."""
    asked = planned["evaluation"]
    answered = _csv([*row, model(row[1:])] for row in rows)
    output, tested = f"{asked['predictions']}part-0.csv.out", f"{asked['test_data']}part-0.csv"
    objects = RememberedObjects({output: answered, tested: _csv(rows)})
    prod, answer = live or (None, model)
    sagemaker = evaluation.sagemaker(prod, commit=LIVE_COMMIT if prod else None)
    evaluated = evaluate(
        {"plan": asked, "content": _content(planned), "training": done, "execution_arn": mlops("test")},
        evaluation.ports(objects, sagemaker, evaluation.LiveEndpoint(answer)),
    )
    return objects.texts[evaluated["report"]]


def _content(planned: TrainingPlan) -> ModelContent:
    return {**evaluation.CONTENT, "specification": planned["pinning"]["specification"]}


def _csv(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _new_rings(cells: list[str]) -> str:
    return f"{3 + 24 * float(cells[-1]):.5f}"


def _old_rings(cells: list[str]) -> str:
    return f"{4.4 + 20.5 * float(cells[-1]):.5f}"


def _kind(cells: list[str]) -> str:
    length, width = float(cells[2]), float(cells[3])
    if length < 2.5:
        return "setosa"
    return "versicolor" if width < 1.65 and length < 5 else "virginica"
