"""Builders for the evaluation's tests: predictions in S3, a live model behind an endpoint, and the question."""

import csv
import io
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.response import StreamingBody

from signalbox.aws.endpoints import Endpoints
from signalbox.aws.predictions import EndpointCaller
from signalbox.aws.registry import ModelRegistry
from signalbox.contracts.problems import Problem
from signalbox.contracts.training import EvaluationPlan, EvaluationQuestion, ModelContent
from signalbox.evaluation.comparing import ComparingPorts
from signalbox.stages import Stage, StagesDocument
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.objects import RememberedObjects

GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone"
OLD, NEW = f"{GROUP}/1", f"{GROUP}/2"
EXECUTION_ARN = "arn:aws:states:us-east-1:123456789012:execution:mlops:run-1"
HOME = "s3://artifacts/evaluations/run-1/"
REPORT, GOLDEN = f"{HOME}report.json", f"{HOME}golden.json"
LIVE_REPORT = "s3://artifacts/evaluations/run-0/report.json"
MODEL_DATA = "s3://artifacts/training/run-1/abalone-training-1/output/model.tar.gz"
PLAN: EvaluationPlan = {
    "model": "abalone",
    "group": "signalbox-abalone",
    "package": None,
    "commit": "8c1d",
    "image": "image",
    "model_data": MODEL_DATA,
    "content_type": "text/csv",
    "train_data": "s3://data/models/abalone/train/",
    "registered_by": "",
    "problem": "regression",
    "columns": 3,
    "test_data": "s3://data/models/abalone/test/",
    "predictions": "s3://artifacts/transforms/run-1/",
    "evidence": HOME,
    "client_token": "a" * 36,
}
CONTENT: ModelContent = {
    "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/abalone@sha256:{'a' * 64}",
    "source": "s3://artifacts/training/run-1/job/output/model.tar.gz",
    "source_etag": "etag",
    "model_data": "s3://artifacts/packages/run-1/model.tar.gz",
    "version": "v1",
    "etag": "etag",
    "environment": {},
    "specification": None,
}
MISSING = client_error("ValidationException", "Could not find endpoint")


def predictions(**files: str) -> RememberedObjects:
    """Return an S3 with test files of these names, and what the batch transform made of each."""
    tested = {f"{PLAN['test_data']}{name}.csv": "rows" for name in files}
    return RememberedObjects(tested | {f"{PLAN['predictions']}{name}.csv.out": text for name, text in files.items()})


def sagemaker(
    live: str | None = None, report: str | None = None, status: str = "InService", commit: str | None = None
) -> RecordingClient:
    """Return a SageMaker whose prod serves `live`, a package that names its report and its commit."""
    package: dict[str, Any] = {"ModelPackageArn": live or NEW}
    package |= {"MetadataProperties": {"CommitId": commit}} if commit else {}
    return RecordingClient(
        "sagemaker",
        {
            "describe_endpoint": {"EndpointConfigName": "config-1", "EndpointStatus": status} if live else MISSING,
            "describe_endpoint_config": {"ProductionVariants": [{"VariantName": "v", "ModelName": "model-1"}]},
            "describe_model": {"PrimaryContainer": {"ModelPackageName": live or NEW}},
            "describe_model_package": package | ({"CustomerMetadataProperties": {"report": report}} if report else {}),
        },
    )


class LiveEndpoint(RecordingClient):
    """SageMaker's runtime, whose live model answers each row with `answer(cells)`, or a request with `whole`."""

    def __init__(self, answer: Callable[[list[str]], str] = lambda cells: cells[-1], whole: str | None = None) -> None:
        super().__init__("sagemaker-runtime")
        self.answer = answer
        self.whole = whole

    def _invoke_endpoint(self, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        rows = list(csv.reader(Body.decode().splitlines()))
        text = "".join(f"{self.answer(row)}\n" for row in rows) if self.whole is None else self.whole
        return {"Body": StreamingBody(io.BytesIO(text.encode()), len(text.encode())), "ContentType": "text/csv"}


def ports(
    objects: RememberedObjects, client: RecordingClient | None = None, live: RecordingClient | None = None
) -> ComparingPorts:
    """Return the real adapters; `live` answers for prod's model, whose clock counts a second for each look."""
    fake: Any = client or sagemaker()
    runtime: Any = live or LiveEndpoint()
    stages = StagesDocument(tuple(Stage(name, "ml.m5.large", 1) for name in ("staging", "prod")))
    return ComparingPorts(
        prefix="signalbox",
        objects=objects.store,
        packages=ModelRegistry(fake),
        endpoints=Endpoints(fake),
        models=EndpointCaller(runtime),
        stages=lambda _model: stages,
        clock=partial(next, itertools.count(0.0)),
    )


def question(package: str | None = None, problem: Problem = "regression", columns: int = 3) -> EvaluationQuestion:
    plan = PLAN.copy()
    plan["package"], plan["problem"], plan["columns"] = package, problem, columns
    return {
        "plan": plan,
        "content": CONTENT if package is None else {**CONTENT, "specification": "signalbox-1"},
        "training": {"job": "abalone-training-1", "seconds": 61},
        "execution_arn": EXECUTION_ARN,
    }
