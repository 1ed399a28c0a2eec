"""Answers predictions over HTTP from the endpoint of a stage."""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import invocation
from signalbox.observability import logger, metrics
from signalbox.settings import InvokeEndpoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.aws.model_endpoints import InvocationResponse


@cache
def _ports() -> invocation.InvocationPorts:
    return invocation.invocation_ports(InvokeEndpoint.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(
    event: invocation.InvocationRequest,
    context: "LambdaContext",  # noqa: ARG001  # Lambda's signature
) -> "InvocationResponse":
    """Answer one request of the HTTP API."""
    return invocation.answer(event, _ports())
