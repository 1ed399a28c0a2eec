"""Real-time endpoints: one variant with all the traffic, updated blue/green.

Limits: Amazon SageMaker AI Developer Guide, "Deployment guardrails".
"""

from typing import TYPE_CHECKING, Literal, cast

from signalbox.hosting.model import Hosted
from signalbox.stages import Rollout, Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import PutMetricAlarmInputTypeDef
    from mypy_boto3_sagemaker.literals import ProductionVariantInstanceTypeType
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        DeploymentConfigTypeDef,
        ProductionVariantTypeDef,
        TrafficRoutingConfigTypeDef,
    )

# Blue/green deployments need the same variant name in the old and the new config.
VARIANT = "AllTraffic"
_ROUTING: dict[str, Literal["ALL_AT_ONCE", "CANARY", "LINEAR"]] = {
    "all-at-once": "ALL_AT_ONCE",
    "canary": "CANARY",
    "linear": "LINEAR",
}


def config(hosted: Hosted, stage: Stage) -> "CreateEndpointConfigInputTypeDef":
    """Return the CreateEndpointConfig request."""
    variant: ProductionVariantTypeDef = {
        "VariantName": VARIANT,
        "ModelName": hosted.model_name,
        # SageMaker's list of types grows; the stages document was checked for their form.
        "InstanceType": cast("ProductionVariantInstanceTypeType", stage.instance_type),
        "InitialInstanceCount": stage.instance_count,
    }
    return {"EndpointConfigName": hosted.config_name, "ProductionVariants": [variant], "Tags": hosted.tags}


def rollout(stage: Stage, config_name: str) -> "DeploymentConfigTypeDef":
    """Return how an update moves traffic: as the stage says, rolled back by SageMaker if its alarm rings."""
    deployment = _blue_green(stage.rollout)
    if stage.alarms:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm_name(config_name)}]}
    return deployment


def at_once() -> "DeploymentConfigTypeDef":
    """Return how a rollback moves traffic. What it replaces may be the very reason why alarms ring."""
    return _blue_green(Rollout())


def alarm_name(config_name: str) -> str:
    """Return the name of the alarm that watches one deployment: that of an endpoint config."""
    return f"{config_name}-errors"


def alarm(stage: Stage, endpoint: str, config_name: str) -> "PutMetricAlarmInputTypeDef | None":
    """Return the PutMetricAlarm request of a stage with alarms: one server error within a minute rings it.

    It counts the fleet of the new config alone: a failing old fleet must not cancel the update that mends it
    (Developer Guide, "Auto-Rollback Configuration and Monitoring").
    """
    if not stage.alarms:
        return None
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT, "EndpointConfigName": config_name}
    return {
        "AlarmName": alarm_name(config_name),
        "AlarmDescription": f"Endpoint {endpoint} answers with server errors on its new config: it is rolled back",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # No requests, no errors: an idle endpoint is a healthy one.
        "TreatMissingData": "notBreaching",
    }


def _blue_green(rollout: Rollout) -> "DeploymentConfigTypeDef":
    routing: TrafficRoutingConfigTypeDef = {
        "Type": _ROUTING[rollout.type],
        "WaitIntervalInSeconds": rollout.wait_seconds,
    }
    if rollout.type == "canary" and rollout.percent is not None:
        routing["CanarySize"] = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    if rollout.type == "linear" and rollout.percent is not None:
        routing["LinearStepSize"] = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": rollout.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": rollout.deployment_seconds,
        }
    }
