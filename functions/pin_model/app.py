"""State of the mlops machine before the model is made: keep its data where no job may write, by their content."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import training
from signalbox.observability import logger, metrics
from signalbox.training import pinning

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.training import Pinned, PinQuestion


@cache
def _ports() -> pinning.PinningPorts:
    return training.pinning_ports()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "PinQuestion", context: "LambdaContext") -> "Pinned":  # noqa: ARG001  # Lambda's signature
    """Return the model by content, and the request that makes exactly it."""
    return pinning.pin(event, _ports())
