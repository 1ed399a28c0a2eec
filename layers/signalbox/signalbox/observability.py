"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

import json
from functools import partial

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = "signalbox"
NAMESPACE = "Signalbox"

# All but ASCII is escaped: what strangers wrote, such as a file's name, is all there, but moves nothing on a screen.
_as_line = partial(json.dumps, default=str, separators=(",", ":"))
logger = Logger(service=SERVICE, json_serializer=_as_line)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)
