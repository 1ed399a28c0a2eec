"""Ask people for a review: the machine's task waits with its token until they, or the clock, have answered."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import reviews
from signalbox.observability import logger, metrics
from signalbox.reviews import requesting
from signalbox.settings import RequestReview

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.reviews import ReviewRequest, ReviewRequested


@cache
def _ports() -> requesting.RequestingPorts:
    return reviews.requesting_ports(RequestReview.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "ReviewRequest", context: "LambdaContext") -> "ReviewRequested":  # noqa: ARG001  # Lambda's signature
    """Keep the review and mail its links."""
    return requesting.request(event, _ports())
