"""Asked by the release machine when the endpoint has come to rest: is the stage released?"""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import releases
from signalbox.observability import logger, metrics
from signalbox.releases import verifying
from signalbox.releases.verifying import VerifyingPorts

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from signalbox.contracts.releases import VerificationQuestion, Verified


@cache
def _ports() -> VerifyingPorts:
    return releases.verifying_ports()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: "VerificationQuestion", context: "LambdaContext") -> "Verified":  # noqa: ARG001  # Lambda's signature
    """Return what was compared; the errors that it may raise are named in `signalbox.releases.reactions`."""
    return verifying.verify(event, _ports())
