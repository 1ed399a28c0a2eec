"""Metrics of a training job, read from what it printed."""

from datetime import UTC, datetime
from pathlib import Path

from sagemaker_local.jobs import metrics

DEFINITIONS = [
    {"Name": "loss", "Regex": "loss=([0-9.]+)"},
    {"Name": "accuracy", "Regex": "accuracy=(.*)"},
    {"Name": "no-group", "Regex": "loss"},
    {"Name": "never", "Regex": "never=(.*)"},
]


def test_a_metric_is_the_last_number_that_its_expression_finds(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("loss=0.5\nloss=0.25\naccuracy=high\n")
    at = datetime(2026, 11, 20, tzinfo=UTC)

    assert metrics.final(log, DEFINITIONS, at) == [{"MetricName": "loss", "Value": 0.25, "Timestamp": at}]


def test_a_job_that_printed_nothing_has_no_metrics(tmp_path: Path) -> None:
    assert metrics.final(tmp_path / "log", DEFINITIONS) == []
