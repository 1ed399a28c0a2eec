"""Script mode: the user's training script and serving functions, run as AWS's toolkits run them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import (
    SCIKIT_LEARN,
    XGBOOST,
    channel,
    job_context,
    server_context,
    tar_gz,
    training,
    untar,
)

from sagemaker_local.jobs.training import run_training
from sagemaker_local.serving import ModelServer, ServerStartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

CODE = "s3://code/sourcedir.tar.gz"
MODEL = "s3://out/jobs/job/output/model.tar.gz"
SCRIPT = """
import json, os, sys
import beside
seen = {"argv": sys.argv[1:], "environment": {k: v for k, v in os.environ.items() if k.startswith("SM_")}}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w") as file:
    json.dump(seen, file)
"""
HYPERPARAMETERS = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": f'"{CODE}"',
    "sagemaker_region": '"us-east-1"',
    "sagemaker_container_log_level": "20",
    "max-depth": "3",
    "objective": '"reg:linear"',
    "n": "1",
}


def train(folder: Path, script: str, image: str = XGBOOST, **changes: Any) -> tuple[Outcome, FakeS3]:
    code = tar_gz(
        {"train.py": script, "beside.py": "", "requirements.txt": "", "run.sh": "echo from the shell; exit 5"}
    )
    s3 = FakeS3({CODE: code, "s3://data/x.csv": "1"})
    request = training(
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[channel("train", "s3://data/x.csv", "text/csv")],
        **{"HyperParameters": HYPERPARAMETERS, **changes},
    )
    return run_training(request, job_context(folder, s3), threading.Event(), lambda *_: None), s3


@pytest.mark.parametrize("image", [XGBOOST, SCIKIT_LEARN])
def test_a_script_gets_its_hyperparameters_and_the_toolkits_environment(tmp_path: Path, image: str) -> None:
    outcome, s3 = train(tmp_path, SCRIPT, image)

    assert outcome.failure_reason is None
    seen = json.loads(untar(s3.get(MODEL))["seen.json"])
    environment = seen["environment"]
    base = environment["SM_MODEL_DIR"].removesuffix("/model")
    assert base in ("/opt/ml", str(tmp_path / "job" / "ml"))
    assert seen["argv"] == ["--max-depth", "3", "-n", "1", "--objective", "reg:linear"]
    assert environment["SM_CHANNEL_TRAIN"] == f"{base}/input/data/train"
    assert environment["SM_HP_MAX_DEPTH"] == "3"
    assert json.loads(environment["SM_HPS"]) == {"max-depth": 3, "objective": "reg:linear", "n": 1}
    assert json.loads(environment["SM_CHANNELS"]) == ["train"]
    assert json.loads(environment["SM_HOSTS"]) == ["algo-1"]
    assert environment["SM_USER_ENTRY_POINT"] == "train.py"
    assert json.loads(environment["SM_TRAINING_ENV"])["current_host"] == "algo-1"


def test_a_script_that_raises_fails_the_job_with_its_exception(tmp_path: Path) -> None:
    outcome, _ = train(tmp_path, "def work():\n    raise ValueError('the table has no rows')\nwork()\n")

    reason = outcome.failure_reason or ""
    assert reason.startswith(
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: the table has no rows"'
    )
    assert reason.endswith(", exit code: 1")


def test_a_shell_script_may_be_the_program_and_its_exit_code_counts(tmp_path: Path) -> None:
    outcome, _ = train(tmp_path, "", HyperParameters={**HYPERPARAMETERS, "sagemaker_program": '"run.sh"'})

    assert (outcome.failure_reason or "").endswith(", exit code: 5")


@pytest.mark.parametrize(
    ("image", "hyperparameters", "reason"),
    [
        (SCIKIT_LEARN, {}, "Please specify the script"),
        (XGBOOST, {**HYPERPARAMETERS, "sagemaker_program": '"gone.py"'}, "No script 'gone.py'"),
        (XGBOOST, {**HYPERPARAMETERS, "sagemaker_submit_directory": '"s3://code/gone"'}, "s3://code/gone"),
    ],
)
def test_a_script_that_is_not_there_fails_the_job(
    tmp_path: Path, image: str, hyperparameters: dict[str, str], reason: str
) -> None:
    outcome, _ = train(tmp_path, "", image, HyperParameters=hyperparameters)

    assert outcome.status == "Failed"
    assert reason in (outcome.failure_reason or "")


def test_a_stop_reaches_the_script_and_its_end_is_awaited(tmp_path: Path) -> None:
    script = """
import os, signal, sys, time
def save(*_):
    open(os.path.join(os.environ["SM_MODEL_DIR"], "partial"), "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("up")
time.sleep(60)
"""
    s3 = FakeS3({CODE: tar_gz({"train.py": script})})
    stop = threading.Event()
    context = job_context(tmp_path, s3, on_line=lambda line: stop.set() if line == "up" else None)
    algorithm = {"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"}
    request = training(AlgorithmSpecification=algorithm, HyperParameters=HYPERPARAMETERS)

    outcome = run_training(request, context, stop, lambda *_: None)

    assert outcome.status == "Stopped"
    assert untar(s3.get(MODEL)) == {"partial": b""}


FUNCTIONS = """
import helper
def model_fn(folder):
    return open(folder + "/factor").read()
def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return [float(x) for x in body.split(",")]
def predict_fn(data, model):
    return [value * float(model) for value in data]
def output_fn(prediction, accept):
    return ",".join(map(str, prediction)), "text/csv"
"""

type Start = Callable[..., ModelServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts model servers with the given files in their archive, and closes them."""
    servers: list[ModelServer] = []

    def begin(files: dict[str, str], image: str = SCIKIT_LEARN, **environment: str) -> ModelServer:
        s3 = FakeS3({"s3://m/model.tar.gz": tar_gz(files), "s3://m/code.tar.gz": tar_gz(files)})
        container = {"Image": image, "ModelDataUrl": "s3://m/model.tar.gz", "Environment": environment}
        servers.append(ModelServer(container, server_context(tmp_path, s3, timeout=30)))
        return servers[-1]

    yield begin
    for server in servers:
        server.close(0)


@pytest.mark.parametrize("directory", ["/opt/ml/model/code", "s3://m/code.tar.gz"])
def test_the_users_functions_answer_wherever_their_code_lies(start: Start, directory: str) -> None:
    folder = "code/" if directory.startswith("/opt") else ""
    files = {"factor": "2", f"{folder}serve_me.py": FUNCTIONS, f"{folder}helper.py": ""}

    server = start(files, SAGEMAKER_PROGRAM="serve_me.py", SAGEMAKER_SUBMIT_DIRECTORY=directory)

    status, headers, body = server.invoke(b"1,2", "text/csv")
    assert (status, headers["content-type"], body) == (200, "text/csv", b"2.0,4.0")


def test_an_exception_of_the_users_code_is_a_500_that_says_what_it_was(start: Start) -> None:
    server = start({"factor": "2", "code/inference.py": FUNCTIONS, "code/helper.py": ""})

    status, _, body = server.invoke(b"one", "text/csv")

    assert (status, body) == (500, b"ValueError: could not convert string to float: 'one'")


def test_a_transform_function_takes_the_place_of_the_other_three(start: Start) -> None:
    text = """
def model_fn(folder):
    return "model"
def transform_fn(model, body, content_type, accept):
    return {"model": model, "body": body, "types": [content_type, accept]}
"""
    server = start({"code/inference.py": text})

    assert json.loads(server.invoke(b"x", "text/csv", "application/json")[2]) == {
        "model": "model",
        "body": "x",
        "types": ["text/csv", "application/json"],
    }


def test_missing_functions_have_defaults_that_speak_csv_and_json(start: Start) -> None:
    text = """
class Model:
    def predict(self, table):
        return table.sum(axis=1)
def model_fn(folder):
    return Model()
"""
    server = start({"code/inference.py": text})

    assert server.invoke(b"1,2\n3,4\n", "text/csv", "text/csv")[2] == b"3.0\n7.0\n"
    assert json.loads(server.invoke(b"[[1, 2], [3, 4]]", "application/json")[2]) == [3.0, 7.0]
    assert server.invoke(b"1,x", "text/csv")[0] == 400
    assert server.invoke(b"x", "image/png")[0] == 415
    assert server.invoke(b"1,2", "text/csv", "image/png")[0] == 406


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"nothing": ""}, "no inference.py"),
        ({"code/inference.py": "import no_such_module"}, "No module named 'no_such_module'"),
        ({"code/inference.py": "def model_fn(folder):\n    raise RuntimeError('cannot load')"}, "cannot load"),
    ],
)
def test_a_server_that_cannot_load_its_model_says_why(start: Start, files: dict[str, str], reason: str) -> None:
    with pytest.raises(ServerStartError, match=reason):
        start(files)
