"""First state of the mlops machine: check its input, decide every name and place of the run."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox.observability import count, logger, metrics
from signalbox.settings import PlanTraining
from signalbox.training import Places, S3Objects, SageMakerPackages, plan

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> tuple[Places, S3Objects, SageMakerPackages]:
    settings = PlanTraining.read()
    places = Places(settings.prefix, settings.data_bucket, settings.artifacts_bucket)
    return places, S3Objects(), SageMakerPackages()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Return the plan; `InvalidRequestError` ends the run with a mail."""
    places, objects, packages = _dependencies()
    planned = plan(event, places, objects, packages)
    logger.info("training planned", extra={"entry": planned["entry"], "model": planned["model"]})
    count("TrainingPlanned")
    return planned
