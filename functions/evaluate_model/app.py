"""State of the mlops machine after the batch transform: measure, compare, write the report and the golden requests."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import stages
from signalbox.evaluation import EndpointModels, S3Objects, evaluate
from signalbox.observability import count, logger, metrics
from signalbox.settings import EvaluateModel

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> tuple[S3Objects, EndpointModels]:
    settings = EvaluateModel.read()
    # The document is read anew for each event: a stage may be added while this process lives.
    return S3Objects(), EndpointModels(settings.prefix, lambda: stages.load(settings.stages_parameter).stages[-1].name)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Return where the evidence is and what it says; `EvaluationError` ends the run with a mail."""
    objects, live_models = _dependencies()
    evaluated = evaluate(event, objects, live_models)
    logger.info("model evaluated", extra={"report": evaluated["report"], "primary": evaluated["primary"]})
    count("ModelEvaluated")
    return evaluated
