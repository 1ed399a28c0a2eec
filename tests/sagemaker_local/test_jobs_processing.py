"""Processing jobs: a real script between its inputs and its outputs."""

from __future__ import annotations

import json
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import ROLE, SCIKIT_LEARN, job_context

from sagemaker_local.jobs.processing import run_processing

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

COPY = """
    import argparse, json, os
    from pathlib import Path
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path)
    parser.add_argument("--target", type=Path)
    given = parser.parse_args()
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    for path in given.source.iterdir():
        (given.target / path.name).write_text(path.read_text().upper())
    seen = {
        "environment": dict(os.environ),
        "job": json.loads((base / "config" / "processingjobconfig.json").read_text()),
        "resources": json.loads((base / "config" / "resourceconfig.json").read_text()),
    }
    (given.target / "seen.json").write_text(json.dumps(seen))
"""


def put(uri: str, path: str, name: str = "input") -> dict[str, Any]:
    s3 = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": s3}


def request(**changes: Any) -> dict[str, Any]:
    output = {"S3Uri": "s3://out/result", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": "job",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/job",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/job.py"],
            "ContainerArguments": ["--source", "/opt/ml/processing/input/data", "--target=/opt/ml/processing/output"],
        },
        "ProcessingInputs": [
            put("s3://data/code/job.py", "/opt/ml/processing/input/code", "code"),
            put("s3://data/in/", "/opt/ml/processing/input/data"),
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def run(folder: Path, s3: FakeS3, script: str = COPY, *, stop_at: str | None = None, **changes: Any) -> Outcome:
    s3.put("s3://data/code/job.py", textwrap.dedent(script))
    s3.put("s3://data/in/a.txt", "hello")
    stop = threading.Event()
    statuses: list[str] = []
    context = job_context(folder, s3, on_line=lambda line: stop.set() if line == stop_at else None)
    outcome = run_processing(request(**changes), context, stop, lambda status, _: statuses.append(status))
    assert statuses == ["InProgress", outcome.status]
    return outcome


def test_a_script_turns_its_inputs_into_outputs(tmp_path: Path) -> None:
    s3 = FakeS3()

    outcome = run(tmp_path, s3, Environment={"COLOUR": "red"})

    assert (outcome.status, outcome.failure_reason, outcome.exit_message) == ("Completed", None, None)
    assert s3.get("s3://out/result/a.txt") == b"HELLO"
    seen = json.loads(s3.get("s3://out/result/seen.json"))
    assert seen["job"]["ProcessingJobArn"].endswith("processing-job/job")
    assert seen["resources"]["current_host"] == "algo-1"
    assert (seen["environment"]["COLOUR"], seen["environment"]["PROCESSING_JOB_NAME"]) == ("red", "job")
    assert "PYTHONPATH" not in seen["environment"]


def test_a_failing_script_gives_its_exit_code_and_its_message_and_uploads_nothing(tmp_path: Path) -> None:
    s3 = FakeS3()
    script = """
        import os, sys
        from pathlib import Path
        base = Path(os.environ["SAGEMAKER_BASE_DIR"])
        (base / "processing" / "output" / "half").write_text("half")
        (base / "output" / "message").write_text("the table has no rows")
        sys.exit(4)
    """

    outcome = run(tmp_path, s3, script)

    assert outcome.status == "Failed"
    assert outcome.failure_reason == "AlgorithmError: See job logs for more information, exit code: 4"
    assert outcome.exit_message == "the table has no rows"
    assert s3.uris("s3://out") == []


def test_a_stopped_script_ends_stopped_and_uploads_nothing(tmp_path: Path) -> None:
    s3 = FakeS3()

    outcome = run(tmp_path, s3, "import time; print('up'); time.sleep(60)", stop_at="up")

    assert outcome.status == "Stopped"
    assert s3.uris("s3://out") == []


def test_a_script_over_its_runtime_ends_stopped(tmp_path: Path) -> None:
    limit = {"MaxRuntimeInSeconds": 0.2}

    assert run(tmp_path, FakeS3(), "import time; time.sleep(60)", StoppingCondition=limit).status == "Stopped"


def test_missing_input_fails_the_job(tmp_path: Path) -> None:
    outcome = run(tmp_path, FakeS3(), ProcessingInputs=[put("s3://data/none/", "/opt/ml/processing/input")])

    assert "No S3 objects found" in (outcome.failure_reason or "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ProcessingInputs": [put("s3://data/in/", "/srv/elsewhere")]}, "is not under /opt/ml/"),
        ({"ProcessingInputs": [put("s3://data/in/", "/opt/ml/../../etc")]}, "is not under /opt/ml/"),
        ({"ProcessingInputs": [{"InputName": "x", "DatasetDefinition": {}}]}, "only S3Input is emulated"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "x", "FeatureStoreOutput": {}}]}}, "only S3Output"),
        ({"AppSpecification": {"ImageUri": SCIKIT_LEARN}}, "give a ContainerEntrypoint"),
        ({"AppSpecification": {"ImageUri": "nobody/knows:1", "ContainerEntrypoint": ["x"]}}, "no repository"),
        (
            {"AppSpecification": {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["no-such-program"]}},
            "cannot start 'no-such-program'",
        ),
    ],
)
def test_what_cannot_run_fails_the_job_by_its_name(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    outcome = run(tmp_path, FakeS3(), **changes)

    assert outcome.status == "Failed"
    assert reason in (outcome.failure_reason or "")
