"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = "signalbox"
NAMESPACE = "Signalbox"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)
