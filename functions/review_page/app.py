"""The page behind the mail's links: shows the evidence, and takes the decision from its own form."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import reviews
from signalbox.observability import logger, metrics
from signalbox.reviews import page, responses
from signalbox.settings import ReviewPage

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _ports() -> responses.PagePorts:
    return reviews.page_ports(ReviewPage.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> responses.PageResponse:  # noqa: ARG001  # Lambda's signature
    """Answer one request of the HTTP API."""
    return page.answer(event, _ports())
