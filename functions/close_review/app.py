"""Close a review that ran out of time: expired counts as rejected, unless somebody decided in that very moment."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import reviews
from signalbox.observability import count, logger, metrics
from signalbox.settings import CloseReview

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> reviews.Desk:
    return reviews.desk(CloseReview.read().reviews_table, registry=True)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Return the decision: `expired`, or what a person decided just before."""
    decision = reviews.close(_dependencies(), event["execution_arn"], event["kind"], event.get("stage") or "")
    count("ReviewClosed")
    return decision
