"""Writes down the uploads that S3 tells of, and asks for a run over them."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import uploads
from signalbox.observability import logger, metrics
from signalbox.settings import RecordUploads

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> uploads.Recorder:
    return uploads.recorder(RecordUploads.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda passes it
    """Handle a batch of messages of the queue; return Lambda's partial batch response."""
    return {**_dependencies().record_batch(event)}
