"""Close a review whose task ended without an approval: unanswered, it expires; else its decision is what it was."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import reviews
from signalbox.observability import logger, metrics
from signalbox.reviews import closing
from signalbox.settings import CloseReview

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.reviews import ReviewClosing, ReviewDecision


@cache
def _ports() -> closing.ClosingPorts:
    return reviews.closing_ports(CloseReview.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "ReviewClosing", context: "LambdaContext") -> "ReviewDecision":  # noqa: ARG001  # Lambda's signature
    """Return the decision: `expired`, or what a person decided before."""
    return closing.close(event, _ports())
