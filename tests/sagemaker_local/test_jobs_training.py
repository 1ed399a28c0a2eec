"""Training jobs: a real program under the container contract, from its channels to its artifacts."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, ROLE, channel, container, job_context, training, untar
from tests.sagemaker_local.support.worlds import needs_namespaces

from sagemaker_local.jobs.training import run_training

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

MODEL = "s3://out/jobs/job/output/model.tar.gz"
OUTPUT = "s3://out/jobs/job/output/output.tar.gz"
LOOK = """
    import json, os, sys
    from pathlib import Path
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    config = base / "input" / "config"
    files = [path for path in (base / "input").rglob("*") if path.is_file()]
    seen = {
        "argv": sys.argv[1:],
        "environment": dict(os.environ),
        "files": {path.relative_to(base).as_posix(): path.read_text() for path in files},
    }
    (base / "model" / "seen.json").write_text(json.dumps(seen))
"""
WAIT = """
    import os, signal, sys, time
    from pathlib import Path
    def save(*_):
        (Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model" / "partial").write_text("saved")
        sys.exit(0)
    signal.signal(signal.SIGTERM, save)
    print("up")
    time.sleep(60)
"""


class Job:
    """Runs one training job and keeps what it reported."""

    def __init__(self, folder: Path, s3: FakeS3, train: str = "", *, grace: float = 5.0) -> None:
        self.folder = folder
        self.s3 = s3
        self.grace = grace
        self.statuses: list[str] = []
        self.stop = threading.Event()
        self.stop_at: str | None = None
        container(folder / "containers", train=train)

    def run(self, **changes: Any) -> Outcome:
        """Run it to its end."""
        context = job_context(self.folder, self.s3, grace=self.grace, on_line=self._line)
        return run_training(training(**changes), context, self.stop, self._status)

    def _status(self, secondary: str, message: str) -> None:
        self.statuses.append(secondary)
        assert message

    def _line(self, line: str) -> None:
        if line == self.stop_at:
            self.stop.set()


def test_a_program_finds_its_data_and_config_and_leaves_a_model(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/train/x.csv": "1,2", "s3://data/gz/y.csv.gz": gzip.compress(b"3")})
    job = Job(tmp_path, s3, LOOK)
    inputs = [
        channel("train", "s3://data/train/", "text/csv"),
        channel("extra", "s3://data/gz/", CompressionType="Gzip"),
    ]

    outcome = job.run(
        InputDataConfig=inputs, HyperParameters={"depth": "3"}, Environment={"COLOUR": "red", "AT": "/opt/ml/model"}
    )

    assert (outcome.status, outcome.secondary, outcome.failure_reason) == ("Completed", "Completed", None)
    assert outcome.model_artifacts == MODEL
    assert job.statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    seen = json.loads(untar(s3.get(MODEL))["seen.json"])
    assert seen["files"]["input/data/train/x.csv"] == "1,2"
    assert seen["files"]["input/data/extra/y.csv"] == "3"
    assert json.loads(seen["files"]["input/config/hyperparameters.json"]) == {"depth": "3"}
    assert json.loads(seen["files"]["input/config/inputdataconfig.json"])["train"] == {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert json.loads(seen["files"]["input/config/resourceconfig.json"])["hosts"] == ["algo-1"]


def test_a_program_has_the_environment_of_its_job_and_nothing_of_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-operator")
    s3 = FakeS3()

    Job(tmp_path, s3, LOOK).run(Environment={"COLOUR": "red", "AT": "/opt/ml/model"})

    environment = json.loads(untar(s3.get(MODEL))["seen.json"])["environment"]
    assert environment["TRAINING_JOB_NAME"] == "job"
    assert environment["TRAINING_JOB_ARN"].endswith(":training-job/job")
    assert (environment["COLOUR"], environment["AWS_ACCESS_KEY_ID"]) == ("red", "job")
    assert environment["AT"] == f"{environment['SAGEMAKER_BASE_DIR']}/model"
    assert "AWS_PROFILE" not in environment
    assert "PYTHONPATH" not in environment


@needs_namespaces
def test_an_entrypoint_and_its_arguments_replace_the_train_program(tmp_path: Path) -> None:
    assert arguments_seen(tmp_path) == ["--out", "/opt/ml/model", "--in=/opt/ml/input", "s3://x/opt/ml"]


@pytest.mark.usefixtures("without_namespaces")
def test_without_namespaces_arguments_that_name_opt_ml_are_rewritten(tmp_path: Path) -> None:
    base = tmp_path / "job" / "ml"
    assert arguments_seen(tmp_path) == ["--out", f"{base}/model", f"--in={base}/input", "s3://x/opt/ml"]


def arguments_seen(tmp_path: Path) -> list[str]:
    s3 = FakeS3({"s3://data/code/look.py": "\n".join(line[4:] for line in LOOK.splitlines())})
    algorithm = {
        "TrainingImage": OWN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/look.py"],
        "ContainerArguments": ["--out", "/opt/ml/model", "--in=/opt/ml/input", "s3://x/opt/ml"],
    }

    outcome = Job(tmp_path, s3).run(
        AlgorithmSpecification=algorithm, InputDataConfig=[channel("code", "s3://data/code/")]
    )

    assert outcome.status == "Completed"
    argv: list[str] = json.loads(untar(s3.get(MODEL))["seen.json"])["argv"]
    return argv


def test_the_text_of_the_failure_file_becomes_the_failure_reason(tmp_path: Path) -> None:
    text = """
        import os, sys
        from pathlib import Path
        (Path(os.environ["SAGEMAKER_BASE_DIR"]) / "output" / "failure").write_text("no rows in train.csv")
        sys.exit(2)
    """
    job = Job(tmp_path, FakeS3(), text)

    outcome = job.run()

    assert (outcome.status, outcome.model_artifacts) == ("Failed", None)
    assert outcome.failure_reason == "AlgorithmError: no rows in train.csv, exit code: 2"
    assert job.statuses[-1] == "Failed"
    assert job.s3.uris("s3://out") == []


def test_a_failure_file_of_a_program_that_exits_with_0_is_named_in_the_log_and_the_job_is_completed(
    tmp_path: Path,
) -> None:
    text = """
        import os
        from pathlib import Path
        print("half done", end="")
        (Path(os.environ["SAGEMAKER_BASE_DIR"]) / "output" / "failure").write_text("no rows in\\ntrain.csv")
    """

    outcome = Job(tmp_path, FakeS3(), text).run()

    assert (outcome.status, outcome.failure_reason, outcome.model_artifacts) == ("Completed", None, MODEL)
    assert outcome.log is not None
    printed, warning = outcome.log.read_text().splitlines()
    assert printed == "half done"
    assert "left /opt/ml/output/failure and exited with 0: 'no rows in\\ntrain.csv'" in warning


@pytest.mark.parametrize("written", ["", " \\n"])
def test_a_program_that_leaves_no_words_about_a_failure_gets_no_warning(tmp_path: Path, written: str) -> None:
    text = f"""
        import os
        from pathlib import Path
        (Path(os.environ["SAGEMAKER_BASE_DIR"]) / "output" / "failure").write_text("{written}")
    """

    outcome = Job(tmp_path, FakeS3(), text).run()

    assert outcome.log is not None
    assert outcome.log.read_text() == ""


def test_a_failure_reason_has_at_most_1024_characters_and_keeps_its_exit_code(tmp_path: Path) -> None:
    text = """
        import os, sys
        from pathlib import Path
        (Path(os.environ["SAGEMAKER_BASE_DIR"]) / "output" / "failure").write_text("x" * 5000)
        sys.exit(1)
    """
    reason = Job(tmp_path, FakeS3(), text).run().failure_reason or ""

    assert len(reason) == 1024
    assert reason.endswith("x, exit code: 1")


def test_a_program_that_fails_without_a_word_points_at_the_log(tmp_path: Path) -> None:
    outcome = Job(tmp_path, FakeS3(), "import sys; sys.exit('lost')").run()

    assert outcome.failure_reason == "AlgorithmError: See job logs for more information, exit code: 1"
    assert outcome.log is not None
    assert outcome.log.read_text() == "lost\n"


def test_a_stopped_job_may_save_and_its_artifacts_are_uploaded(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), WAIT)
    job.stop_at = "up"

    outcome = job.run()

    assert (outcome.status, outcome.secondary) == ("Stopped", "Stopped")
    assert untar(job.s3.get(MODEL)) == {"partial": b"saved"}
    assert job.statuses[-2:] == ["Uploading", "Stopped"]


def test_a_job_over_its_runtime_is_stopped_and_says_so(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), "import time; time.sleep(60)")

    outcome = job.run(StoppingCondition={"MaxRuntimeInSeconds": 0.2})

    assert (outcome.status, outcome.secondary) == ("Stopped", "MaxRuntimeExceeded")
    assert job.statuses[-1] == "MaxRuntimeExceeded"


def test_a_job_that_is_stopped_before_it_begins_runs_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), LOOK)
    job.stop.set()

    outcome = job.run()

    assert (outcome.status, outcome.log) == ("Stopped", None)
    assert job.statuses == ["Starting", "Stopped"]


def test_missing_training_data_fail_the_job_with_the_uri_and_the_role(tmp_path: Path) -> None:
    outcome = Job(tmp_path, FakeS3(), LOOK).run(InputDataConfig=[channel("train", "s3://data/none/")])

    assert outcome.status == "Failed"
    assert 'No S3 objects found under S3 URL "s3://data/none/"' in (outcome.failure_reason or "")
    assert ROLE in (outcome.failure_reason or "")


def test_an_output_bucket_that_the_role_may_not_write_fails_the_job(tmp_path: Path) -> None:
    s3 = FakeS3()
    s3.denied.add("out")

    outcome = Job(tmp_path, s3, LOOK).run()

    assert outcome.status == "Failed"
    assert "AccessDenied" in (outcome.failure_reason or "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}}, "AlgorithmName"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "1.dkr.ecr.x.com/lost:1", "TrainingInputMode": "File"}},
            "no repository 'lost'",
        ),
        ({"InputDataConfig": [channel("train", "s3://data/x", InputMode="Pipe")]}, "Pipe mode"),
        (
            {"InputDataConfig": [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": {}}}]},
            "only S3DataSource",
        ),
    ],
)
def test_what_is_not_emulated_fails_the_job_by_its_name(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    outcome = Job(tmp_path, FakeS3({"s3://data/x": "1"}), LOOK).run(**changes)

    assert outcome.status == "Failed"
    assert reason in (outcome.failure_reason or "")


def test_an_image_without_a_train_program_fails_the_job(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), LOOK)
    container(tmp_path / "containers", serve="")
    (tmp_path / "containers" / "own" / "train").unlink()

    assert "no program 'train'" in (job.run().failure_reason or "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("print(1)\n", "its first line has to name its interpreter"),
        ("#!/no/such/sh\n", "an interpreter that is not there"),
    ],
)
@pytest.mark.parametrize("boxed", [pytest.param(True, marks=needs_namespaces), False])
def test_a_train_program_that_cannot_be_executed_is_refused_in_sagemakers_words(
    tmp_path: Path, request: pytest.FixtureRequest, text: str, problem: str, *, boxed: bool
) -> None:
    if not boxed:
        request.getfixturevalue("without_namespaces")
    job = Job(tmp_path, FakeS3(), LOOK)
    (tmp_path / "containers" / "own" / "train").write_text(text)

    outcome = job.run()

    assert (outcome.failure_reason or "").startswith(
        "AlgorithmError: CannotStartContainerError. Please make sure the container can be run with "
        "'docker run <image> train'."
    )
    assert problem in (outcome.failure_reason or "")


def test_a_train_program_is_run_by_its_own_shebang(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), LOOK)
    text = '#!/bin/sh\necho "$0 $1" > "$SAGEMAKER_BASE_DIR/model/said"\n'
    (tmp_path / "containers" / "own" / "train").write_text(text)

    assert job.run().failure_reason is None
    assert untar(job.s3.get(MODEL))["said"].split()[0].endswith(b"/train")


def test_other_output_is_an_archive_of_its_own(tmp_path: Path) -> None:
    text = """
        import os
        from pathlib import Path
        base = Path(os.environ["SAGEMAKER_BASE_DIR"])
        (base / "output" / "data" / "report.txt").write_text("fine")
        (base / "model" / "m").write_text("model")
    """
    job = Job(tmp_path, FakeS3(), text)

    job.run()

    assert untar(job.s3.get(OUTPUT)) == {"report.txt": b"fine"}
    assert untar(job.s3.get(MODEL)) == {"m": b"model"}


def test_without_compression_the_model_goes_up_file_by_file(tmp_path: Path) -> None:
    job = Job(tmp_path, FakeS3(), LOOK)

    outcome = job.run(OutputDataConfig={"S3OutputPath": "s3://out/jobs", "CompressionType": "NONE"})

    assert outcome.model_artifacts == "s3://out/jobs/job/output/model/"
    assert job.s3.uris("s3://out") == ["s3://out/jobs/job/output/model/seen.json"]


def test_checkpoints_come_from_s3_and_go_back(tmp_path: Path) -> None:
    text = """
        import os
        from pathlib import Path
        folder = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "checkpoints"
        (folder / "2").write_text((folder / "1").read_text() + "+")
    """
    job = Job(tmp_path, FakeS3({"s3://keep/c/1": "one"}), text)

    job.run(CheckpointConfig={"S3Uri": "s3://keep/c/"})

    assert job.s3.get("s3://keep/c/2") == b"one+"
