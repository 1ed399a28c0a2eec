"""Run the jobs on this machine, one after the other, as the pipeline does; and see that the definition is one."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "pipeline" / "code"
sys.path.insert(0, str(CODE))
import table  # it lies there


def run(program, *words, **variables):
    line = [sys.executable, str(CODE / program), *map(str, words)]
    done = subprocess.run(line, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Prepare, train and evaluate once; data are not committed, so that where only the repository is there are none."""
    if not any((ROOT / "data").glob("*")):
        pytest.skip("there is no file in data/ to run the jobs with")
    folder = tmp_path_factory.mktemp("work")
    run("prepare.py", "--input", ROOT / "data", "--output", folder)
    report = json.loads((folder / "quarantine" / "quarantine.json").read_text())
    assert not report["problem"], report["problem"]
    run("train.py", SM_CHANNEL_TRAIN=str(folder / "train"), SM_MODEL_DIR=str(folder / "model"))
    with tarfile.open(folder / "model.tar.gz", "w:gz") as packed:
        packed.add(folder / "model", ".")
    run("evaluate.py", "--model", folder, "--test", folder / "test", "--output", folder / "evaluation")
    return folder


def test_the_model_is_good_enough_on_rows_that_it_has_not_seen(work):
    report = json.loads((work / "evaluation" / "evaluation.json").read_text())
    if table.PROBLEM == "regression":
        assert report["regression_metrics"]["mse"]["value"] <= table.THRESHOLD
    else:
        metrics = report[f"{table.PROBLEM}_classification_metrics"]
        assert metrics["accuracy"]["value"] >= table.THRESHOLD


def test_no_row_is_learnt_from_and_tested_on(work):
    train, test = ((work / part / f"{part}.csv").read_text().splitlines() for part in ("train", "test"))
    assert train and test and not set(train) & set(test)


def test_the_definition_is_one_that_sagemaker_takes():
    pytest.importorskip("signalbox_operate.pipelines", reason="the command line of Signalbox is not installed here")
    variables = {
        "SIGNALBOX_PROJECT": "__PROJECT__",
        "SIGNALBOX_PIPELINE": "signalbox-__PROJECT__--train",
        "SIGNALBOX_REGION": "eu-west-1",
        "SIGNALBOX_JOB_ROLE": "arn:aws:iam::111122223333:role/job",
        "SIGNALBOX_KEY": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
        "SIGNALBOX_CODE": "s3://bucket/code",
        "SIGNALBOX_OUTPUT": "s3://bucket/runs",
        "SIGNALBOX_GROUPS": json.dumps({"__PROJECT__": "signalbox-__PROJECT__"}),
    }
    script = ROOT / "pipeline" / "definition.py"
    done = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [step["Name"] for step in json.loads(done.stdout)["Steps"]] == [
        "Prepare",
        "CheckFiles",
        "Evaluate",
        "CheckThreshold",
    ]
