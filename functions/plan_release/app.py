"""Asked by the release machine before every step: what does this stage need, or how is it put back?"""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox.observability import count, logger, metrics
from signalbox.releases import Planner
from signalbox.settings import PlanRelease

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _dependencies() -> Planner:
    return Planner(PlanRelease.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Return the plan; the errors that it may raise are named in the machine."""
    answer = _dependencies().answer(event)
    logger.info("release planned", extra={"action": answer["action"], "execution": event["execution"]})
    count("ReleasePlanned")
    return answer
