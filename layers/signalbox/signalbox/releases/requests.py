"""The SageMaker and CloudWatch requests of one deployment, ready for the machine to send."""

from typing import Any

from signalbox import names
from signalbox.stages import Rollout, Stage

# Blue/green deployments need the same variant name in the old and the new config (deployment-guardrails).
VARIANT = "AllTraffic"
_ROUTING = {"all-at-once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
_SIZES = {"canary": "CanarySize", "linear": "LinearStepSize"}
Tags = list[dict[str, str]]


def resource_names(execution: str, stage: str, package: str) -> dict[str, str]:
    """Return the names of the model and the endpoint config: the same execution, stage and package, the same names.

    A repeated create call is therefore either refused, because the first one arrived, or the first one to arrive.
    """
    group, version = names.group_of_package(package), names.version_of_package(package)
    return {
        "model": names.job(group, execution, f"{stage}-v{version}-model"),
        "config": names.job(group, execution, f"{stage}-v{version}-config"),
    }


def tags(model: str, stage: str) -> Tags:
    """Return the tags of an endpoint. An update cannot change them, so they do not name the package."""
    return _tags({"signalbox:model": model, "signalbox:stage": stage, "sagemaker:deployment-stage": stage})


def create_model(name: str, package: str, role: str, model: str, stage: str) -> dict[str, Any]:
    """Return the CreateModel request."""
    return {
        "ModelName": name,
        "Containers": [{"ModelPackageName": package}],
        "ExecutionRoleArn": role,
        "Tags": [*tags(model, stage), *_tags({"signalbox:package": package})],
    }


def create_config(name: str, model_name: str, package: str, model: str, stage: Stage) -> dict[str, Any]:
    """Return the CreateEndpointConfig request: one variant with all the traffic."""
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model_name,
                "InstanceType": stage.instance_type,
                "InitialInstanceCount": stage.instance_count,
            }
        ],
        "Tags": [*tags(model, stage.name), *_tags({"signalbox:package": package})],
    }


def deployment(stage: Stage, endpoint: str, because: str) -> dict[str, Any]:
    """Return the DeploymentConfig of an update.

    A rollback goes at once and without alarms: what it replaces may be the very reason why they ring.
    """
    if because == "rejected":
        return _blue_green(Rollout())
    config = _blue_green(stage.rollout)
    if stage.alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm_name(endpoint)}]}
    return config


def alarm_name(endpoint: str) -> str:
    """Return the name of the alarm that watches an endpoint."""
    return f"{endpoint}-errors"


def alarm(stage: Stage, endpoint: str) -> dict[str, Any] | None:
    """Return the PutMetricAlarm request of a stage with alarms: one server error within a minute rings it."""
    if not stage.alarms:
        return None
    return {
        "AlarmName": alarm_name(endpoint),
        "AlarmDescription": f"Endpoint {endpoint} answers with server errors: a deployment is rolled back",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": VARIANT}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # No requests, no errors: an idle endpoint is a healthy one.
        "TreatMissingData": "notBreaching",
    }


def _blue_green(rollout: Rollout) -> dict[str, Any]:
    routing: dict[str, Any] = {"Type": _ROUTING[rollout.type], "WaitIntervalInSeconds": rollout.wait_seconds}
    if rollout.percent is not None:
        routing[_SIZES[rollout.type]] = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": rollout.deployment_seconds,
        }
    }


def _tags(pairs: dict[str, str]) -> Tags:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]
