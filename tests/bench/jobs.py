"""What a training job costs beside its program: the same program, run by hand and as a job, by turns."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from tests.bench.figures import BenchError

_TURNS = 9
_PATIENCE, _LOOK_SECONDS = 60, 0.01
# It does what every program does: starts, reads its settings, leaves a model.
_PROGRAM = """#!/usr/bin/env python3
import json, os, pathlib
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
json.loads((base / "input/config/hyperparameters.json").read_text())
(base / "model" / "model.txt").write_text("1")
"""


def measure(folder: Path, say: Callable[[str], None]) -> list[tuple[float, float]]:
    """Return pairs of seconds: of the job from CreateTrainingJob until it is seen to be Completed, and by hand.

    Raises:
        BenchError: a job failed or did not end.
    """
    program = folder / "containers" / "nothing" / "train"
    program.parent.mkdir(parents=True)
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    with LocalCloud(Options(folder / "cloud", folder / "containers")) as cloud:
        s3, iam, sagemaker = (deploy.client(cloud, name) for name in ("s3", "iam", "sagemaker"))
        s3.create_bucket(Bucket="bench")
        trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=_policy(trusted))["Role"]["Arn"]
        iam.put_role_policy(RoleName="bench", PolicyName="data", PolicyDocument=_policy(rights))
        say("training jobs")
        return [(_job(sagemaker, role, turn), _by_hand(program, folder / f"hand-{turn}")) for turn in range(_TURNS)]


def _job(sagemaker: Any, role: str, turn: int) -> float:
    name = f"nothing-{turn}"
    begun = time.perf_counter()
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={
            "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/nothing:1",
            "TrainingInputMode": "File",
        },
        OutputDataConfig={"S3OutputPath": "s3://bench/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    while time.perf_counter() - begun < _PATIENCE:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] == "Completed":
            return time.perf_counter() - begun
        if job["TrainingJobStatus"] != "InProgress":
            raise BenchError(f"a training job ended {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        time.sleep(_LOOK_SECONDS)
    raise BenchError(f"a training job did not end within {_PATIENCE} seconds")


def _by_hand(program: Path, base: Path) -> float:
    for name in ("input/config", "model"):
        (base / name).mkdir(parents=True)
    (base / "input/config/hyperparameters.json").write_text("{}")
    begun = time.perf_counter()
    subprocess.run([sys.executable, program], env={"SAGEMAKER_BASE_DIR": str(base)}, check=True)
    return time.perf_counter() - begun


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
