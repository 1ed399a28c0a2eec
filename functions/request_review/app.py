"""Ask people for a review: the machine's task waits with its token until they, or the clock, have answered."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox.observability import logger, metrics
from signalbox.reviews import requests
from signalbox.settings import RequestReview

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> requests.Sender:
    return requests.sender(RequestReview.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Keep the review and mail its links."""
    return requests.request(_dependencies(), event)
