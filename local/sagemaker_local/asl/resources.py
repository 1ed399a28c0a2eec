"""What a task may name as its resource: a function, an activity, or a call of a service.

The calls are those of the Developer Guide, "Integrating optimized services with Step Functions" (its table of services
and patterns, and each service's own page). An SDK call is held to the operations that botocore knows of the service;
services that it knows by another name are accepted.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from sagemaker_local.asl.diagnostics import Findings, wrong
from sagemaker_local.asl.services import operations_of

# A call's patterns: (nothing) asks and goes on, `.sync` waits for the end, `.waitForTaskToken` for an answer.
_TOKEN, _SYNC, _NEW_SYNC = ".waitForTaskToken", ".sync", ".sync:2"
_ASKED: Mapping[str, str] = {
    "athena": "stopQueryExecution getQueryExecution getQueryResults",
    "codebuild": "stopBuild batchDeleteBuilds batchGetReports",
    "dynamodb": "getItem putItem updateItem deleteItem",
    "eks": "call",
    "elasticmapreduce": (
        "cancelStep setClusterTerminationProtection modifyInstanceFleetByName modifyInstanceGroupByName"
    ),
    "emr-containers": "createVirtualCluster",
    "http": "invoke",
    "sagemaker": "createEndpoint createEndpointConfig createModel updateEndpoint",
}
_RUN: Mapping[str, str] = {
    "athena": "startQueryExecution",
    "batch": "submitJob",
    "bedrock": "createModelCustomizationJob",
    "codebuild": "startBuild startBuildBatch",
    "databrew": "startJobRun",
    "ecs": "runTask",
    "eks": (
        "createCluster deleteCluster createNodegroup deleteNodegroup createFargateProfile deleteFargateProfile runJob"
    ),
    "elasticmapreduce": "createCluster terminateCluster addStep",
    "emr-containers": "deleteVirtualCluster startJobRun",
    "emr-serverless": "createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun",
    "glue": "startJobRun",
    "mediaconvert": "createJob",
    "sagemaker": (
        "createHyperParameterTuningJob createLabelingJob createProcessingJob createTrainingJob createTransformJob"
    ),
    "states": "startExecution",
}
_ANSWERED: Mapping[str, str] = {
    "apigateway": "invoke",
    "bedrock": "invokeModel createModelCustomizationJob",
    "ecs": "runTask",
    "eks": "runJob",
    "events": "putEvents",
    "lambda": "invoke",
    "sns": "publish",
    "sqs": "sendMessage",
    "states": "startExecution",
}
_CALL = re.compile(r"arn:[^:]+:states:::(aws-sdk:)?([a-z0-9-]+):([A-Za-z0-9]+)(\.[A-Za-z]+(?::2)?)?")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:.+")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")


def check_resource(resource: Any, where: str, *, express: bool) -> Findings:
    """Yield what is wrong with the resource of a task."""
    if not isinstance(resource, str) or not resource.startswith("arn:"):
        yield wrong("Value is not a valid resource ARN", where)
    elif not (_FUNCTION.fullmatch(resource) or _ACTIVITY.fullmatch(resource) or _is_call(resource)):
        words = "The value is not a valid resource ARN, or the resource is not available in this region."
        yield wrong(f"The resource provided {resource} is not recognized. {words}", where)
    elif express:
        yield from _check_express(resource, where)


def _check_express(resource: str, where: str) -> Findings:
    """Yield what a machine that runs five minutes at most does not wait for."""
    if _ACTIVITY.fullmatch(resource):
        yield wrong("Express state machine does not support Activity ARN", where)
    elif resource.endswith(_TOKEN):
        # AWS's own sentence has a space at its end.
        yield wrong(f"Express state machine does not support '{_TOKEN}' service integration ", where)
    elif resource.endswith((_SYNC, _NEW_SYNC)):
        yield wrong(f"Express state machine does not support '{_SYNC}' service integration", where)


def _is_call(resource: str) -> bool:
    found = _CALL.fullmatch(resource)
    if not found:
        return False
    sdk, service, action, pattern = found.groups()
    if sdk:
        operations = operations_of(service)
        return pattern in (None, _TOKEN) and (not operations or action[0].upper() + action[1:] in operations)
    return (service, action, pattern or "") in _calls()


@cache
def _calls() -> frozenset[tuple[str, str, str]]:
    """Return service, action and pattern of every optimized integration."""
    tables = ((_ASKED, [""]), (_RUN, ["", _SYNC]), (_ANSWERED, ["", _TOKEN]))
    found = {
        (service, action, pattern)
        for table, patterns in tables
        for service, actions in table.items()
        for action in actions.split()
        for pattern in patterns
    }
    return frozenset(found | {("states", "startExecution", _NEW_SYNC)})
