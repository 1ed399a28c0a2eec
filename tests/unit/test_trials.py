"""What `signalbox run` shows of a trial, and how it finds a cloud."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import tables
from typer.testing import CliRunner

from signalbox_operate.cli import app
from signalbox_operate.stack import OperateError
from signalbox_operate.trials import cloud, drawing, results, trial
from signalbox_operate.trials.results import Results

REPORT = '{"regression_metrics": {"mse": {"value": 4.5, "standard_deviation": 0.5}}, "rows": 3}'
AMOUNTS = Results((("mse", 4.5, 0.5),), (("1", "1.5"), ("2", "2.5"), ("10", "9")))
CLASSES = Results(
    (("accuracy", 0.75, None),), (("sun", "sun"), ("sun", "rain"), ("rain <b>", "rain <b>"), ("sun", "sun"))
)
START = datetime(2026, 1, 1, tzinfo=UTC)


class _Jobs:
    """A SageMaker and an S3 with one processing job that has written a report and predictions."""

    def __init__(self, objects: dict[str, str], message: str = "") -> None:
        self.objects, self.message = objects, message

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        assert ProcessingJobName == "evaluate-1"
        outputs = [{"S3Output": {"S3Uri": "s3://runs/1/evaluation"}}]
        return {"ProcessingOutputConfig": {"Outputs": outputs}, "ExitMessage": self.message}

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803  # as above
        assert (Bucket, Prefix) == ("runs", "1/evaluation")
        return {"Contents": [{"Key": key, "Size": len(text)} for key, text in self.objects.items()]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # as above
        assert Bucket == "runs"
        return {"Body": _Body(self.objects[Key])}


class _Body:
    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> bytes:
        return self.text.encode()


STEPS: list[dict[str, Any]] = [
    {"StepName": "Train", "StepStatus": "Succeeded"},
    {"StepName": "Evaluate", "Metadata": {"ProcessingJob": {"Arn": "arn:aws:sagemaker:::processing-job/evaluate-1"}}},
]


def test_the_metrics_and_the_predictions_that_jobs_have_written_are_found() -> None:
    jobs = _Jobs(
        {
            "1/evaluation/evaluation.json": REPORT,
            "1/evaluation/predictions.csv": "1,1.5\n2,2.5\n",
            "1/evaluation/other.json": "[]",
            "1/evaluation/broken.json": "{",
        }
    )
    found = results.read(STEPS, jobs, jobs)
    assert found.metrics == (("mse", 4.5, 0.5),)
    assert found.pairs == (("1", "1.5"), ("2", "2.5"))
    assert found.regression


def test_amounts_are_drawn_as_points_and_classes_as_bars_of_the_share_right() -> None:
    points = drawing.terminal(AMOUNTS)
    assert sum(line.count("●") for line in points) == 3
    assert "1 to 10" in points[0]
    bars = drawing.terminal(CLASSES)
    assert bars[0].split() == ["sun", "█" * 20 + "░" * 10, "2", "of", "3", "right"]
    assert "rain <b>" in bars[1]


@pytest.mark.parametrize(("found", "drawn"), [(AMOUNTS, "Each point"), (CLASSES, "Each bar")])
def test_the_page_has_the_metrics_and_the_picture_and_loads_nothing(found: Results, drawn: str) -> None:
    page = drawing.page("wine <1>", found)
    assert "wine &lt;1&gt;" in page
    assert drawn in page
    assert "<b>" not in page
    assert not any(word in page for word in ("<script", "http:", "https:", "@import", "src="))


def test_a_trial_without_predictions_has_its_metrics_alone() -> None:
    found = Results((("f1", 0.5, None),), ())
    assert drawing.terminal(found) == []
    assert "<td>f1</td><td>0.5</td>" in drawing.page("own", found)


class _Execution:
    """A SageMaker whose execution fails at its second look."""

    def __init__(self, steps: list[dict[str, Any]], message: str) -> None:
        self.looks, self.steps, self.jobs = 0, steps, _Jobs({}, message)
        self.describe_processing_job = self.jobs.describe_processing_job

    def describe_pipeline_execution(self, **_: str) -> dict[str, Any]:
        self.looks += 1
        return {"PipelineExecutionStatus": "Executing" if self.looks == 1 else "Failed"}

    def get_paginator(self, _: str) -> "_Execution":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"PipelineExecutionSteps": self.steps}]


def test_a_step_that_fails_is_told_once_with_what_its_program_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_POLL_SECONDS", 0)
    step = {**STEPS[1], "StepStatus": "Failed", "FailureReason": "AlgorithmError", "StartTime": START}
    execution = _Execution([{**step, "EndTime": START + timedelta(seconds=3)}], "b.csv: no table")
    lines: list[str] = []
    assert trial.follow("arn", execution, lines.append) == "the run failed: Evaluate: b.csv: no table"
    assert lines == ["Evaluate failed (3 s)"]


def test_a_trial_asks_no_cloud_but_a_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://sagemaker.eu-west-1.amazonaws.com")
    with pytest.raises(OperateError, match="a trial runs on the local cloud"), cloud.borrowed():
        pytest.fail("nothing is lent")


def test_without_a_local_cloud_the_way_to_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setitem(sys.modules, "signalbox_local", None)
    with pytest.raises(OperateError, match="run this in a clone"), cloud.borrowed():
        pytest.fail("nothing is lent")


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["run", *words])
    assert result.exit_code == 1
    return " ".join((result.stdout + result.stderr).split())


def test_a_trial_of_what_is_no_project_or_has_no_such_pipeline_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "signalbox.yaml" in run()
    file = tables.named("iris").write(tmp_path)
    assert CliRunner().invoke(app, ["new", "iris", "--from", str(file), "--label", "5"]).exit_code == 0
    assert "name the pipeline with --pipeline: the project has train" in run("iris", "--pipeline", "other")
    assert "parameter 'Threshold' has to be NAME=VALUE" in run("iris", "-p", "Threshold")
