"""Takes what GitHub, GitLab and Bitbucket tell of pushes, and hands it on to whoever builds."""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox import pushes
from signalbox.observability import logger, metrics
from signalbox.pushes import receiving
from signalbox.settings import ReceiveHook

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.pushes.hook_model import HookResponse


@cache
def _ports() -> receiving.HookPorts:
    return pushes.hook_ports(ReceiveHook.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> "HookResponse":  # noqa: ARG001  # Lambda's signature
    """Answer one request of the HTTP API."""
    return receiving.answer(event, _ports())
