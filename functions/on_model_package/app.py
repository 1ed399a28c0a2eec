"""A model package changed its approval: start its review, its release or its rollback, or answer the open review."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from signalbox import approvals, reviews
from signalbox.aws import clients
from signalbox.observability import count, logger, metrics
from signalbox.settings import OnModelPackage

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> approvals.Desk:
    settings = OnModelPackage.read()
    return approvals.Desk(
        prefix=settings.prefix,
        mlops_machine=settings.mlops_machine_arn,
        release_machine=settings.release_machine_arn,
        registry=approvals.SageMakerRegistryReader(clients.client("sagemaker")),
        executions=approvals.StepFunctionsExecutions(clients.client("stepfunctions")),
        answer_reviews=partial(reviews.answer_from_registry, reviews_table=settings.reviews_table),
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Return what was set going."""
    outcome = approvals.on_model_package(event, _dependencies())
    logger.info("model package read", extra=dict(outcome))
    count("ModelPackageRead")
    return outcome
