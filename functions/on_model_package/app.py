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
    return approvals.approval_ports(settings, reviews.registry_answers(settings.reviews_table), _tell(settings))


def _tell(settings: OnModelPackage) -> approvals.TellUnreviewed:
    def tell(model: str, package: str, by: str) -> None:
        from signalbox import notifications  # noqa: PLC0415  # mails are rare, and what makes them takes time to load
        from signalbox.notifications import notifying  # noqa: PLC0415  # the same

        notifying.notify_unreviewed(model, package, by, notifications.notifying_ports(settings))

    return tell


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> approvals.ApprovalHandled:  # noqa: ARG001  # Lambda's
    """Return what was set going."""
    return approvals.on_model_package(event, _ports())
