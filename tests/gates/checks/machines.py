"""The state machines: what asl-validator says, a time limit on everything, and only calls that the APIs know."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel
from tests.gates.node_checks import ask
from tests.gates.template import Problem, Template

# asl-validator 4.0.0 refuses literals (an empty text, a list) where a variable or an output is set, which AWS takes.
_AMBIGUOUS = re.compile(r"/(Assign|Output)(/\S+)? is invalid. must match exactly one schema in oneOf")
_SESSION = botocore.session.get_session()
_SDK = re.compile(r"arn:aws:states:::aws-sdk:(?P<service>\w+):(?P<operation>\w+)(?P<suffix>\.waitForTaskToken)?")
_OPTIMISED = re.compile(
    r"arn:aws:states:::(?P<service>sagemaker|lambda|states|dynamodb):(?P<operation>\w+)(?P<suffix>[.:\w]*)"
)
# What Step Functions offers of the optimised integrations that we use (Step Functions Developer Guide,
# connect-sagemaker, connect-ddb, connect-lambda, connect-stepfunctions).
_OFFERED = {
    "sagemaker": {
        "createTrainingJob": {"", ".sync"},
        "createTransformJob": {"", ".sync"},
        "createModel": {""},
        "createEndpoint": {""},
        "createEndpointConfig": {""},
        "updateEndpoint": {""},
    },
    "lambda": {"invoke": {"", ".waitForTaskToken"}},
    "dynamodb": {"getItem": {""}, "putItem": {""}, "updateItem": {""}, "deleteItem": {""}},
    "states": {"startExecution": {"", ".sync", ".sync:2", ".waitForTaskToken"}},
}


def check(template: Template) -> list[Problem]:
    """Return what is wrong with the definitions, their values put in."""
    definitions = {name: machine.definition for name, machine in template.machines.items()}
    _, said = ask(machines=definitions)
    problems = [Problem(name, text) for name, texts in said.items() for text in texts if not _AMBIGUOUS.search(text)]
    for name, machine in template.machines.items():
        if "TimeoutSeconds" not in machine.definition:
            problems.append(Problem(name, "has no TimeoutSeconds of its own"))
        for state, body in machine.states():
            if body["Type"] == "Task":
                problems += [Problem(f"{name}.{state}", what) for what in _task(body)]
    return problems


def operation_of(resource: str) -> tuple[str, str, str] | None:
    """Return service, operation and suffix of a task's Resource, as in `("sagemaker", "CreateModel", ".sync")`."""
    found = _SDK.fullmatch(resource) or _OPTIMISED.fullmatch(resource)
    if found is None:
        return None
    operation = found["operation"][0].upper() + found["operation"][1:]
    return found["service"], operation, found["suffix"] or ""


def _task(state: dict[str, Any]) -> Iterator[str]:
    if "TimeoutSeconds" not in state:
        yield "has no TimeoutSeconds"
    called = operation_of(state["Resource"])
    if called is None:
        yield f"calls {state['Resource']}, which is no integration"
        return
    service, operation, suffix = called
    model = _model(service, operation)
    if model is None:
        yield f"calls {service}:{operation}, which the API does not have"
        return
    if "aws-sdk" not in state["Resource"]:
        yield from _not_offered(service, operation, suffix)
    if suffix == ".waitForTaskToken" and "$states.context.Task.Token" not in str(state.get("Arguments")):
        yield "waits for a task token that it does not pass on"
    yield from _arguments(model, state.get("Arguments"))


def _not_offered(service: str, operation: str, suffix: str) -> Iterator[str]:
    offered = _OFFERED.get(service, {}).get(operation[0].lower() + operation[1:])
    if offered is None or suffix not in offered:
        yield f"calls {service}:{operation}{suffix}, which Step Functions does not offer"


def _model(service: str, operation: str) -> OperationModel | None:
    name = {"states": "stepfunctions", "sfn": "stepfunctions"}.get(service, service)
    if name not in _SESSION.get_available_services():
        return None
    model = _SESSION.get_service_model(name)
    wanted = xform_name(operation)
    found = next((known for known in model.operation_names if xform_name(known) == wanted), None)
    return model.operation_model(found) if found else None


def _arguments(model: OperationModel, arguments: Any) -> Iterator[str]:
    """Hold what is written out against the model; a member that is an expression is only known by its name.

    The arguments that the expressions come to are held against it where the machines are executed (tests/unit).
    """
    if not isinstance(arguments, dict) or model.input_shape is None:
        return
    known = {_capital(name): name for name in model.input_shape.members}
    for name in arguments:
        if name not in known:
            yield f"{model.name} has no parameter {name}"
    # Idempotency tokens are asked for too: the one that the SDK makes up is another one at each attempt.
    for name in model.input_shape.required_members:
        if _capital(name) not in arguments:
            yield f"{model.name} needs the parameter {_capital(name)}"


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
