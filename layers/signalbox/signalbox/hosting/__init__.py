"""How a model serves in a stage: one module for each kind of hosting, with the same functions in each.

A release asks the stage's kind for its requests and never names a kind itself. Limits and prices of each kind: Amazon
SageMaker AI Developer Guide, "Deploy models for inference".
"""

from typing import TYPE_CHECKING, Protocol

from signalbox.hosting import realtime
from signalbox.hosting.model import Hosted
from signalbox.stages import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import PutMetricAlarmInputTypeDef
    from mypy_boto3_sagemaker.type_defs import CreateEndpointConfigInputTypeDef, DeploymentConfigTypeDef

__all__ = ["Hosted", "Hosting", "of"]


class Hosting(Protocol):
    """What a release asks of a kind of hosting."""

    def config(self, hosted: Hosted, stage: Stage) -> "CreateEndpointConfigInputTypeDef":
        """Return the CreateEndpointConfig request."""

    def rollout(self, stage: Stage, config_name: str) -> "DeploymentConfigTypeDef":
        """Return how an update moves traffic from the old fleet to the new one."""

    def at_once(self) -> "DeploymentConfigTypeDef":
        """Return how a rollback moves traffic: at once and without alarms, which may be ringing."""

    def alarm_name(self, config_name: str) -> str:
        """Return the name of the alarm that watches the deployment of an endpoint config."""

    def alarm(self, stage: Stage, endpoint: str, config_name: str) -> "PutMetricAlarmInputTypeDef | None":
        """Return the PutMetricAlarm request of a stage with alarms, None for a stage without."""


_KINDS: dict[str, Hosting] = {"realtime": realtime}


def of(kind: str) -> Hosting:
    """Return a kind of hosting by its name in the stages document, which was checked when that was read."""
    return _KINDS[kind]
