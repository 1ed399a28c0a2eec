"""Asked by the release machine before every action: what comes next?"""

from functools import cache
from typing import TYPE_CHECKING

from signalbox import releases
from signalbox.contracts.releases import ReleasePlan, ReleaseQuestion
from signalbox.observability import logger, metrics
from signalbox.releases import planning
from signalbox.releases.ports import ReleasePorts
from signalbox.settings import PlanRelease

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _ports() -> ReleasePorts:
    return releases.planning_ports(PlanRelease.read())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: ReleaseQuestion, context: "LambdaContext") -> ReleasePlan:  # noqa: ARG001  # Lambda's signature
    """Return the one next action with its whole request."""
    return planning.plan(event, _ports())
