"""Checks what a state machine's task sends, and what its mock answers, against the APIs' own models."""

import json
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.support.botocore_strict import check_request, operation_model

_PREFIX = "arn:aws:states:::"
# Step Functions names of the services whose names in botocore differ.
_SERVICES = {"sfn": "stepfunctions", "states": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}
# What an optimised `.sync` integration answers with: the output of this operation.
_SYNC_RESULTS = {
    "CreateTrainingJob": "DescribeTrainingJob",
    "CreateTransformJob": "DescribeTransformJob",
    "CreateProcessingJob": "DescribeProcessingJob",
    "StartExecution": "DescribeExecution",
}
# Step Functions takes JSON here and makes a string or bytes of it.
_JSON_MEMBERS = {"Payload": bytes, "Input": str, "MessageBody": str, "Message": str, "Detail": str}
# Quota of Step Functions: 256 KiB for the input or output of a state.
_PAYLOAD_LIMIT = 262_144


class UnknownResourceError(Exception):
    """A task's resource is not an integration that we use."""

    def __init__(self, resource: str) -> None:
        super().__init__(f"{resource!r} is neither an aws-sdk nor an optimised integration: correct the state")


def check_call(resource: str, arguments: Any) -> None:
    """Raise unless `arguments` are what the API behind `resource` takes."""
    if len(json.dumps(arguments)) > _PAYLOAD_LIMIT:
        raise ValueError(f"the arguments are larger than {_PAYLOAD_LIMIT} bytes: pass a reference to S3")
    service, operation, _pattern = _parsed(resource)
    shape = operation_model(service, operation).input_shape
    check_request(service, operation, _request(arguments, shape))


def check_result(resource: str, result: Any) -> None:
    """Raise when `result` has a member that the API behind `resource` does not answer with; Lambda's is free."""
    service, operation, pattern = _parsed(resource)
    if service == "lambda" or pattern == "waitForTaskToken" or result is None:
        return
    if pattern.startswith("sync"):
        operation = _SYNC_RESULTS[operation]
    shape = operation_model(service, operation).output_shape
    # Of `.sync:2`, and of that alone, the output is JSON and not a string.
    known = {key: value for key, value in result.items() if not (pattern == "sync:2" and key == "Output")}
    _check_members(shape, known, operation)


def _parsed(resource: str) -> tuple[str, str, str]:
    """Return service, operation and pattern (`sync`, `sync:2`, `waitForTaskToken` or empty) in botocore's names."""
    name, _, pattern = resource.removeprefix(_PREFIX).partition(".")
    parts = name.removeprefix("aws-sdk:").split(":")
    if not resource.startswith(_PREFIX) or len(parts) != 2:
        raise UnknownResourceError(resource)
    service = _SERVICES.get(parts[0], parts[0])
    return service, parts[1][0].upper() + parts[1][1:], pattern


def _request(arguments: Any, shape: Shape | None) -> dict[str, Any]:
    """Return the arguments in botocore's spelling: the first letter's case is the model's, JSON members are text."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    wire = {name[0].upper() + name[1:]: name for name in members}
    request: dict[str, Any] = {}
    for key, value in arguments.items():
        kind = _JSON_MEMBERS.get(key)
        if kind is not None and not isinstance(value, str):
            value = json.dumps(value).encode() if kind is bytes else json.dumps(value)  # noqa: PLW2901  # one member
        request[wire.get(key, key)] = value
    return request


def _check_members(shape: Shape | None, value: Any, where: str) -> None:
    if (shape is None or isinstance(shape, StructureShape)) and isinstance(value, dict):
        members = (
            {} if shape is None else {name[0].upper() + name[1:]: member for name, member in shape.members.items()}
        )
        unknown = sorted(set(value) - set(members))
        if unknown:
            raise ValueError(f"{where} has no {unknown}; it has {sorted(members)}")
        for key, item in value.items():
            _check_members(members[key], item, f"{where}.{key}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            _check_members(shape.member, item, where)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for item in value.values():
            _check_members(shape.value, item, where)
