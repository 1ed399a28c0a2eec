"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

import json
from functools import partial

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Signalbox"

# All but ASCII is escaped: what strangers wrote, such as a file's name, is all there, but moves nothing on a screen.
_as_line = partial(json.dumps, default=str, separators=(",", ":"))
# Both take the service's name from POWERTOOLS_SERVICE_NAME, which is the prefix: so two stacks of an account do not
# add to each other's metrics, and an alarm on one of them is about its own stack.
logger = Logger(json_serializer=_as_line)
metrics = Metrics(namespace=NAMESPACE)


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)


def measure(span: str, seconds: float) -> None:
    """Measure one span of time, named as what lasted (`UploadsWaiting`)."""
    metrics.add_metric(name=span, unit=MetricUnit.Seconds, value=seconds)
