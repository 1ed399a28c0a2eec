"""Where a machine gives no namespaces, a program that uses /opt/ml itself fails by a sentence, and never succeeds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, ROLE, job_context, program, server_context, training

from sagemaker_local.jobs.processing import run_processing
from sagemaker_local.jobs.training import run_training
from sagemaker_local.runtime import strays
from sagemaker_local.runtime.workspace import Workspace
from sagemaker_local.serving import ModelServer, ServerStartError

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

pytestmark = pytest.mark.usefixtures("without_namespaces")
REMEDY = "Let the program find the folder in SAGEMAKER_BASE_DIR or in its arguments"


def process(folder: Path, text: str, s3: FakeS3) -> Outcome:
    s3.put("s3://data/code/job.py", text)
    program(folder / "containers", "", kind="train")
    code = {"S3Uri": "s3://data/code/", "LocalPath": "/opt/ml/processing/code", "S3DataType": "S3Prefix"}
    output = {"S3Uri": "s3://out/result", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    request = {
        "ProcessingJobName": "job",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/job",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": OWN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/job.py", "/opt/ml/processing/output"],
        },
        "ProcessingInputs": [{"InputName": "code", "S3Input": code}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
    }
    return run_processing(request, job_context(folder, s3), threading.Event(), lambda *_: None)


def test_a_job_that_does_not_find_opt_ml_names_the_path_and_the_remedy(tmp_path: Path) -> None:
    outcome = process(tmp_path, "open('/opt/ml/processing/output/table.csv', 'w')", FakeS3())

    assert outcome.status == "Failed"
    assert outcome.failure_reason is not None
    assert "/opt/ml/processing/output/table.csv itself" in outcome.failure_reason
    assert REMEDY in outcome.failure_reason


def test_a_job_that_kept_quiet_about_it_is_not_completed_with_an_empty_output(tmp_path: Path) -> None:
    text = "try:\n    open('/opt/ml/processing/output/table.csv', 'w')\nexcept OSError:\n    pass\n"
    s3 = FakeS3()

    outcome = process(tmp_path, text, s3)

    assert outcome.status == "Failed"
    assert "which stands for /opt/ml/processing/output" in (outcome.failure_reason or "")
    assert REMEDY in (outcome.failure_reason or "")
    assert s3.uris("s3://out") == []


def test_a_job_that_takes_the_path_from_its_arguments_is_completed(tmp_path: Path) -> None:
    s3 = FakeS3()

    outcome = process(tmp_path, "import sys\nopen(sys.argv[1] + '/table.csv', 'w').write('1')", s3)

    assert (outcome.status, outcome.failure_reason) == ("Completed", None)
    assert s3.get("s3://out/result/table.csv") == b"1"


def test_a_training_program_that_does_not_find_opt_ml_names_the_path_and_the_remedy(tmp_path: Path) -> None:
    program(tmp_path / "containers", "print(open('/opt/ml/input/config/hyperparameters.json'))", kind="train")

    outcome = run_training(training(), job_context(tmp_path, FakeS3()), threading.Event(), lambda *_: None)

    assert "/opt/ml/input/config/hyperparameters.json itself" in (outcome.failure_reason or "")
    assert REMEDY in (outcome.failure_reason or "")
    assert (outcome.failure_reason or "").endswith("exit code: 1")


def test_a_server_that_does_not_find_opt_ml_names_the_path_and_the_remedy(tmp_path: Path) -> None:
    program(tmp_path / "containers", "open('/opt/ml/model/weights')")

    with pytest.raises(ServerStartError, match=r"/opt/ml/model/weights itself.*SAGEMAKER_BASE_DIR"):
        ModelServer({"Image": OWN}, server_context(tmp_path, FakeS3()))


def test_what_was_written_to_the_machines_own_opt_ml_is_found_unless_it_is_older(tmp_path: Path) -> None:
    work, root = Workspace(tmp_path / "ml"), tmp_path / "opt-ml"
    (root / "model").mkdir(parents=True)
    (root / "model" / "weights").write_text("1")
    now = datetime.now(UTC)

    assert "wrote /opt/ml/model/weights" in (strays.written(work, now - timedelta(minutes=1), root) or "")
    assert strays.written(work, now + timedelta(minutes=1), root) is None
    assert strays.written(Workspace(tmp_path / "ml", boxed=True), now - timedelta(minutes=1), root) is None


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("cat: /opt/ml/input/x: No such file or directory", "/opt/ml/input/x"),
        ("PermissionError: [Errno 13] Permission denied: '/opt/ml'", "/opt/ml"),
        ("mkdir: cannot create directory '/opt/ml/model': Permission denied", "/opt/ml/model"),
        ("FileNotFoundError: '/srv/jobs/opt/ml/x'", None),
        ("training reads /opt/ml/input", None),
    ],
)
def test_only_what_could_not_be_used_counts(tmp_path: Path, line: str, path: str | None) -> None:
    log = tmp_path / "log"
    log.write_text(f"begin\n{line}\nend\n")

    found = strays.in_log(Workspace(tmp_path / "ml"), log)

    assert (found is None) if path is None else (found or "").startswith(f"the program used {path} itself")
