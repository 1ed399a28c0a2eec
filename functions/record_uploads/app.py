"""Writes down the uploads that S3 tells of, and asks for a run over them."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import uploads
from signalbox.observability import logger, metrics
from signalbox.settings import RecordUploads
from signalbox.uploads import recording

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.batch import BatchResponse


@cache
def _ports() -> recording.RecordingPorts:
    return uploads.recording_ports(RecordUploads.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "BatchResponse":  # noqa: ARG001  # Lambda passes it
    """Handle a batch of messages of the queue; return Lambda's partial batch response."""
    return recording.record(event, _ports())
