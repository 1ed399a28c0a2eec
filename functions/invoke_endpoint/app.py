"""Answers predictions over HTTP from the endpoint of a stage."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import stages
from signalbox.invocation import Invoker, SageMakerEndpoints
from signalbox.observability import logger, metrics
from signalbox.settings import InvokeEndpoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> Invoker:
    settings = InvokeEndpoint.read()
    return Invoker(
        prefix=settings.prefix,
        default_model=settings.default_model,
        stages=lambda: [stage.name for stage in stages.load(settings.stages_parameter).stages],
        endpoints=SageMakerEndpoints(),
        clock=time.monotonic,
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda passes it
    """Answer one request of the HTTP API."""
    return _dependencies().answer(event)
