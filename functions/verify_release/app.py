"""Asked by the release machine when the endpoint stands still: is the stage released?"""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox.observability import count, logger, metrics
from signalbox.releases import Checks, checks, verify
from signalbox.settings import VerifyRelease

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> Checks:
    VerifyRelease.read()
    return checks()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Return the verdict; the errors that it may raise are named in the machine."""
    verdict = verify(event, _dependencies())
    logger.info("release verified", extra={"endpoint": event["endpoint"], "answers": verdict["answers"]})
    count("ReleaseVerified")
    return verdict
