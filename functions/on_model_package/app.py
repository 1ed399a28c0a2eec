"""A model package changed its approval: start its review, its release or its rollback, or answer the open review."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import approvals, reviews
from signalbox.observability import logger, metrics
from signalbox.settings import OnModelPackage

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _ports() -> approvals.ApprovalPorts:
    settings = OnModelPackage.read()
    return approvals.approval_ports(settings, reviews.registry_answers(settings.reviews_table))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> approvals.ApprovalHandled:  # noqa: ARG001  # Lambda's
    """Return what was set going."""
    return approvals.on_model_package(event, _ports())
