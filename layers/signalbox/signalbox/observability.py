"""Logs and metrics: constant messages, data as fields, one metric per outcome."""

import json

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = "signalbox"
NAMESPACE = "Signalbox"

# One encoder for all lines, with the settings that the library makes a new one with for each line.
_encoder = json.JSONEncoder(default=str, separators=(",", ":"), ensure_ascii=False)
# Messages are constant texts, so the library need not try to read each as JSON.
logger = Logger(service=SERVICE, json_serializer=_encoder.encode, json_deserializer=str)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def count(outcome: str, number: int = 1) -> None:
    """Count one outcome, named in the past tense and CamelCase (`UploadRecorded`)."""
    metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=number)
