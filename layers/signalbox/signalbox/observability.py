"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

import json
from threading import Lock

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Signalbox"

# One encoder for all lines. All but ASCII is escaped: what strangers wrote, such as a file's name, is all there, but
# moves nothing on a screen.
_encoder = json.JSONEncoder(default=str, separators=(",", ":"))
# Both take the service's name from POWERTOOLS_SERVICE_NAME, which is the prefix: so two stacks of an account do not
# add to each other's metrics, and an alarm on one of them is about its own stack. Messages are constant texts, so the
# logger need not try to read each as JSON.
logger = Logger(json_serializer=_encoder.encode, json_deserializer=str)
metrics = Metrics(namespace=NAMESPACE)
_adding = Lock()  # two threads that count the same for the first time would lose one of the two


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    with _adding:
        metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)


def measure(span: str, seconds: float) -> None:
    """Measure one span of time, named as what lasted (`UploadsWaiting`)."""
    with _adding:
        metrics.add_metric(name=span, unit=MetricUnit.Seconds, value=seconds)
