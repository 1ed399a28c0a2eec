"""The XGBoost image in algorithm mode: trained and served for real on a few rows."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import XGBOOST, channel, job_context, server_context, training, untar

from sagemaker_local.images import xgboost_train
from sagemaker_local.jobs.training import run_training
from sagemaker_local.runtime.workspace import Workspace
from sagemaker_local.serving import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

CSV = "".join(f"{2 * x},{x},{x % 3}\n" for x in range(40))
LIBSVM = "".join(f"{2 * x} 0:{x} 1:{x % 3}\n" for x in range(40))
ALGORITHM = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
HYPERPARAMETERS = {"num_round": "20", "objective": "reg:squarederror", "max_depth": "3"}
MODEL = "s3://out/jobs/job/output/model.tar.gz"


def train(folder: Path, s3: FakeS3, hyperparameters: dict[str, str], *channels: dict[str, Any]) -> Outcome:
    request = training(
        AlgorithmSpecification=ALGORITHM, HyperParameters=hyperparameters, InputDataConfig=list(channels)
    )
    return run_training(request, job_context(folder, s3), threading.Event(), lambda *_: None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> FakeS3:
    """An S3 with a model that has learnt y = 2 x."""
    s3 = FakeS3({"s3://data/train/x.csv": CSV, "s3://data/validation/x.csv": CSV})
    channels = [channel(name, f"s3://data/{name}/", "text/csv") for name in ("train", "validation")]

    outcome = train(tmp_path_factory.mktemp("job"), s3, HYPERPARAMETERS, *channels)

    assert outcome.status == "Completed", outcome
    assert outcome.log is not None
    assert "[19]#011train-rmse:" in outcome.log.read_text()
    assert "#011validation-rmse:" in outcome.log.read_text()
    metrics = {metric["MetricName"]: metric["Value"] for metric in outcome.metrics}
    assert set(metrics) == {"train:rmse", "validation:rmse"}
    assert metrics["train:rmse"] < 1
    assert set(untar(s3.get(MODEL))) == {"xgboost-model"}
    return s3


@pytest.fixture(scope="module", params=[False, True], ids=["endpoint", "batch"])
def server(
    request: pytest.FixtureRequest, trained: FakeS3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ModelServer, bool]]:
    """The model's server, for an endpoint and for a batch transform."""
    container = {"Image": XGBOOST, "ModelDataUrl": MODEL}
    extra = {"SAGEMAKER_BATCH": "true"} if request.param else {}
    running = ModelServer(container, server_context(tmp_path_factory.mktemp("s"), trained, timeout=60), extra=extra)
    yield running, request.param
    running.close(0)


def test_predictions_are_csv_in_batch_mode_one_to_a_line(server: tuple[ModelServer, bool]) -> None:
    running, batch = server

    status, headers, body = running.invoke(b"10,1\n30,0", "text/csv")

    text = body.decode()
    assert (status, headers["content-type"], text.endswith("\n")) == (200, "text/csv", batch)
    values = [float(value) for value in (text.splitlines() if batch else text.split(","))]
    assert values == [pytest.approx(20, abs=3), pytest.approx(60, abs=3)]


def test_libsvm_json_and_json_lines_are_spoken_too(server: tuple[ModelServer, bool]) -> None:
    running, _ = server

    _, _, document = running.invoke(b"0 0:10 1:1\n", None, "application/json")
    _, _, lines = running.invoke(b"0:10 1:1", "text/libsvm", "application/jsonlines")

    score = json.loads(document)["predictions"][0]["score"]
    assert score == pytest.approx(20, abs=3)
    assert json.loads(lines) == {"score": score}


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        (b"", "text/csv", None, 204),
        (b"M,0.4", "text/csv", None, 415),
        (b"\xff\xfe", "text/csv", None, 415),
        (b"1 2:x", "text/libsvm", None, 415),
        (b"{}", "application/json", None, 415),
        (b"1,2,3", "text/csv", None, 400),
        (b"1,2", "text/csv", "image/png", 406),
    ],
)
def test_what_cannot_be_answered_has_its_own_status(
    server: tuple[ModelServer, bool], body: bytes, content_type: str, accept: str | None, status: int
) -> None:
    running, _ = server

    assert running.invoke(body, content_type, accept)[0] == status


def test_the_server_offers_its_execution_parameters(server: tuple[ModelServer, bool]) -> None:
    running, _ = server

    status, body = running.get("/execution-parameters")

    assert status == 200
    assert json.loads(body) == {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


def test_libsvm_is_the_default_content_type_of_a_channel(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/train/x": LIBSVM})

    assert train(tmp_path, s3, HYPERPARAMETERS, channel("train", "s3://data/train/")).status == "Completed"


@pytest.mark.parametrize(
    ("hyperparameters", "content", "content_type", "reason"),
    [
        ({}, CSV, "text/csv", "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, CSV, "text/csv", "not a whole number of at least 1"),
        ({"num_round": "1", "depth": "3"}, CSV, "text/csv", "Extraneous hyperparameter found: depth"),
        ({"num_round": "1", "objective": "reg:nonsense"}, CSV, "text/csv", "reg:nonsense"),
        ({"num_round": "1"}, "1,M,2\n", "text/csv", "'M' is not a number"),
        ({"num_round": "1"}, "1,2\n1,2,3\n", "text/csv", "line 2: has 3 columns"),
        ({"num_round": "1"}, "\n", "text/csv", "has no rows"),
        ({"num_round": "1"}, "0:1 1:2\n", "text/libsvm", "has no label"),
        ({"num_round": "1"}, CSV, "image/png", "image/png is not an accepted ContentType"),
    ],
)
def test_what_cannot_be_trained_is_a_customer_error(
    tmp_path: Path, hyperparameters: dict[str, str], content: str, content_type: str, reason: str
) -> None:
    workspace = Workspace(tmp_path).create()
    inputs = [channel("train", "s3://data/train/", content_type)]
    workspace.write_training_config(training(HyperParameters=hyperparameters, InputDataConfig=inputs))
    (workspace.data / "train").mkdir()
    (workspace.data / "train" / "x").write_text(content)

    with pytest.raises(xgboost_train.TrainingInputError, match=f"^Customer Error: .*{reason}"):
        xgboost_train.train(tmp_path)


def test_a_job_without_a_train_channel_fails_with_its_reason(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/x": CSV})

    outcome = train(tmp_path, s3, {"num_round": "1"}, channel("other", "s3://data/x", "text/csv"))

    expected = "AlgorithmError: Customer Error: Missing required channel: train, exit code: 1"
    assert (outcome.status, outcome.failure_reason) == ("Failed", expected)
