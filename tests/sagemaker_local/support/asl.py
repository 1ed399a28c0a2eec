"""States and machines of the States Language for tests, and what is said about them."""

import json
from typing import Any

from sagemaker_local.asl import check

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
PASS = {"Type": "Pass", "End": True}
INNER = {"StartAt": "In", "States": {"In": PASS}}
SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"


def task(resource: str = FUNCTION, **more: Any) -> dict[str, Any]:
    """Return a task."""
    return {"Type": "Task", "Resource": resource, "End": True, **more}


def mapped(**more: Any) -> dict[str, Any]:
    """Return a map."""
    return {"Type": "Map", "ItemProcessor": INNER, "End": True, **more}


def choice(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a choice."""
    return {"Type": "Choice", "Choices": list(rules), **more}


def wait(**more: Any) -> dict[str, Any]:
    """Return a wait."""
    return {"Type": "Wait", "End": True, **more}


def passed(**more: Any) -> dict[str, Any]:
    """Return a pass."""
    return {**PASS, **more}


def machine(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a machine of one state S, and of Z, which Choice states lead to."""
    states = {"S": state} | ({"Z": PASS} if state.get("Type") == "Choice" or "Catch" in state else {})
    return {"StartAt": "S", "States": states, **more}


def jsonata(state: dict[str, Any]) -> dict[str, Any]:
    """Return a machine of one state that speaks JSONata."""
    return machine(state, QueryLanguage="JSONata")


def found(definition: dict[str, Any], **more: Any) -> list[str]:
    """Return what is wrong with a definition, as CreateStateMachine writes it."""
    return [str(one) for one in check(json.dumps(definition), **more)]


def graph(start: str = "A", **states: dict[str, Any]) -> dict[str, Any]:
    """Return a machine of some states."""
    return {"StartAt": start, "States": states}


def spread(express: str = "STANDARD", **more: Any) -> dict[str, Any]:
    """Return a distributed map."""
    return mapped(ItemProcessor={**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": express}}, **more)


def foreign(field: str, language: str) -> str:
    """Return the sentence about a field that the language of its state does not have."""
    other = "JSONata" if language == "JSONPath" else "JSONPath"
    said = f"The QueryLanguage is set to '{language}', but field '{field}' is only supported for the '{other}'"
    return f"{said} QueryLanguage"


RULE = {"Variable": "$.x", "IsPresent": True, "Next": "Z"}
ALL = ["States.ALL"]
READER = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key.$": "$.key"}}
CALL = "must be a valid JSONPath or a valid intrinsic function call"

SHORTEST: dict[str, dict[str, Any]] = {
    "Pass": PASS,
    "Wait": wait(Seconds=1),
    "Choice": choice(RULE),
    "Succeed": {"Type": "Succeed"},
    "Fail": {"Type": "Fail"},
    "Map": mapped(),
    "Parallel": {"Type": "Parallel", "Branches": [INNER], "End": True},
    "Task": task(),
}
