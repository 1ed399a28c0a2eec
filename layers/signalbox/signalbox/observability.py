"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Signalbox"

# Both take the service's name from POWERTOOLS_SERVICE_NAME, which is the prefix: so two stacks of an account do not
# add to each other's metrics, and an alarm on one of them is about its own stack.
logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)


def measure(span: str, seconds: float) -> None:
    """Measure one span of time, named as what lasted (`UploadsWaiting`)."""
    metrics.add_metric(name=span, unit=MetricUnit.Seconds, value=seconds)
