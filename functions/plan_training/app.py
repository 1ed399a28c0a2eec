"""First state of the mlops machine: check its input, decide every name, place and request of the run."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import training
from signalbox.observability import logger, metrics
from signalbox.settings import PlanTraining
from signalbox.training import planning

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.training import TrainingPlan, TrainingQuestion


@cache
def _ports() -> planning.TrainingPorts:
    return training.planning_ports(PlanTraining.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "TrainingQuestion", context: "LambdaContext") -> "TrainingPlan":  # noqa: ARG001  # Lambda's signature
    """Return the plan; `InvalidRequestError` ends the run with a mail."""
    return planning.plan(event, _ports())
