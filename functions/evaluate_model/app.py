"""State of the mlops machine after the batch transform: measure, compare, write the report and the golden requests."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import evaluation
from signalbox.evaluation import comparing, evaluating
from signalbox.observability import logger, metrics
from signalbox.settings import EvaluateModel

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.training import Evaluated, EvaluationQuestion


@cache
def _ports() -> comparing.ComparingPorts:
    return evaluation.evaluating_ports(EvaluateModel.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "EvaluationQuestion", context: "LambdaContext") -> "Evaluated":  # noqa: ARG001  # Lambda's signature
    """Return where the evidence is and the request that keeps it; `EvaluationError` ends the run with a mail."""
    return evaluating.evaluate(event, _ports())
