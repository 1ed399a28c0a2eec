"""The names that Step Functions gives to AWS's services in `aws-sdk:` calls, which are those of the SDK for Java."""

from functools import cache

from sagemaker_local.core.shapes import service_model

# Where the Java SDK's package and botocore's folder differ by more than hyphens.
_OTHERWISE = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "config": "config",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "sfn": "stepfunctions",
}


@cache
def boto_name(service: str) -> str | None:
    """Return botocore's name of a service by its name in the Java SDK; None where it is not known by it."""
    import botocore.session  # noqa: PLC0415  # a large part of the cloud's start, and no machine may ever ask

    folders = botocore.session.get_session().get_available_services()
    return _OTHERWISE.get(service) or {name.replace("-", ""): name for name in folders}.get(service)


@cache
def operations_of(service: str) -> frozenset[str]:
    """Return the operations of a service by its name in the Java SDK; empty where it is not known by it."""
    name = boto_name(service)
    return frozenset(service_model(name).operation_names) if name else frozenset()
