"""What Step Functions refuses before anything runs: ministack 1.5.33 takes machines, inputs and answers as they come.

Codes and shapes are botocore's; the sentences are those that AWS gave to others, as far as somebody published them.
Each function names its gap, as in `ministack_patches`, which applies them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_local import asl, ministack
from sagemaker_local.access import trusts
from sagemaker_local.asl.text import read_json
from sagemaker_local.asl.values import FORBIDDEN_IN_NAMES
from sagemaker_local.ministack import stack_types, states

type Request = Mapping[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

_EXPRESS = "EXPRESS"
_LONGEST_NAME = 80
_LONGEST_DEFINITION = 1_048_576  # characters (botocore, Definition)
_MOST_DATA = 262_144  # bytes of UTF-8 (API reference, StartExecution, "input")
_MOST_DIAGNOSTICS = 100
_CHANGES = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")


def check_machines() -> None:
    """Gap: a machine is made of any definition, under any name and role."""
    create, update = states._create_state_machine, states._update_state_machine

    def updated(request: Request) -> Answer:
        return _refused_update(request) or update(request)

    states._create_state_machine = lambda request: _refused_machine(request) or create(request)
    states._update_state_machine = updated
    states._validate_state_machine_definition = _validate
    states._validate_definition_jsonata = lambda _definition: None  # it is among the checks above


def check_machines_of_stacks() -> None:
    """Gap: the same of a machine that a stack makes."""
    by_stack = stack_types._sfn_state_machine_create

    def made_by_stack(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        refused = _refused_machine(
            {
                "name": properties.get("StateMachineName"),
                "definition": stack_types._sfn_definition(properties),
                "roleArn": properties.get("RoleArn", ""),
                "type": properties.get("StateMachineType"),
            }
        )
        if refused:
            raise stack_types._sfn_service_error(refused)
        return by_stack(logical_id, properties, stack)

    # A machine with a new name is made by the function itself, any other by the table.
    stack_types._sfn_state_machine_create = made_by_stack
    ministack.resource_handlers("AWS::StepFunctions::StateMachine")["create"] = made_by_stack


def check_executions() -> None:
    """Gap: executions begin with any input and any name, activities have any name, and tasks take any answer."""
    states._start_execution = _checked_first(_refused_execution, states._start_execution)
    states._start_sync_execution = _checked_first(_refused_execution, states._start_sync_execution)
    states._create_activity = _checked_first(
        lambda request: _refused_name(request.get("name")), states._create_activity
    )
    states._send_task_success = _checked_first(_refused_output, states._send_task_success)


def _checked_first(check: Callable[[Request], Answer | None], then: Callable[[Request], Answer]) -> Any:
    return lambda request: check(request) or then(request)


def _error(code: str, message: str) -> Answer:
    answer: Answer = states.error_response_json(code, message, 400)
    return answer


def _broken(member: str, constraint: str, value: str | None = None) -> Answer:
    """Return the answer to a member that breaks its shape's constraint; a secret one's value is not said."""
    said = "Value" if value is None else f"Value '{value}'"
    return _error(
        "ValidationException",
        f"1 validation error detected: {said} at '{member}' failed to satisfy constraint: Member must {constraint}",
    )


def _refused_machine(request: Request) -> Answer | None:
    return (
        _refused_name(request.get("name"))
        or _refused_definition(request.get("definition", ""), request.get("type"))
        or _refused_role(request.get("roleArn", ""))
    )


def _refused_update(request: Request) -> Answer | None:
    machine = states._state_machines.get(request.get("stateMachineArn"))
    if machine is None:
        return None
    if not any(name in request for name in _CHANGES):
        sentence = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration"
        return _error("MissingRequiredParameter", f"{sentence} must be specified")
    refused = _refused_definition(request["definition"], machine["type"]) if "definition" in request else None
    return refused or (_refused_role(request["roleArn"]) if "roleArn" in request else None)


def _refused_name(name: str | None) -> Answer | None:
    if name is None:
        return None
    if len(name) > _LONGEST_NAME:
        return _broken("name", f"have length less than or equal to {_LONGEST_NAME}", name)
    if not name or FORBIDDEN_IN_NAMES.search(name):
        return _error("InvalidName", f"Invalid Name: '{name}'")
    return None


def _refused_definition(definition: str, kind: str | None) -> Answer | None:
    refused = _refused_length(definition)
    found = [] if refused else asl.check(definition, express=kind == _EXPRESS)
    if found:
        return _error("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(map(str, found))}'")
    return refused


def _refused_length(definition: str) -> Answer | None:
    if not definition:
        return _broken("definition", "have length greater than or equal to 1")
    if len(definition) > _LONGEST_DEFINITION:
        return _broken("definition", f"have length less than or equal to {_LONGEST_DEFINITION}")
    return None


def _refused_role(role: str) -> Answer | None:
    """Ask whether Step Functions may be the role, as it does when a machine gets it; another account's is not here."""
    account, region = ministack.scope()
    services = ("states.amazonaws.com", f"states.{region}.amazonaws.com")
    if not role.startswith(f"arn:aws:iam::{account}:") or trusts(role, *services):
        return None
    sentence = f"Neither the global service principal {services[0]}, nor the regional one is authorized to assume"
    return _error("AccessDeniedException", f"{sentence} the provided role.")


def _validate(request: Request) -> Answer:
    """Answer ValidateStateMachineDefinition: every finding is an error, for there are no warnings here."""
    definition, most = request.get("definition", ""), request.get("maxResults") or _MOST_DIAGNOSTICS
    refused = _refused_length(definition)
    if refused:
        return refused
    if most > _MOST_DIAGNOSTICS:
        return _broken("maxResults", f"have value less than or equal to {_MOST_DIAGNOSTICS}", str(most))
    found = asl.check(definition, express=request.get("type") == _EXPRESS)
    diagnostics = [{"severity": "ERROR", **one._asdict()} for one in found[:most]]
    told = [{name: value for name, value in one.items() if value is not None} for one in diagnostics]
    answer: Answer = states.json_response(
        {"result": "FAIL" if found else "OK", "diagnostics": told, "truncated": len(found) > most}
    )
    return answer


def _refused_execution(request: Request) -> Answer | None:
    given = request.get("input", "{}")
    refused = _refused_name(request.get("name")) or _refused_size("input", given)
    problem = None if refused else _json_problem(given)
    if problem:
        return _error("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'")
    return refused


def _refused_output(request: Request) -> Answer | None:
    given = request.get("output", "{}")
    refused = _refused_size("output", given)
    problem = None if refused else _json_problem(given)
    return _error("InvalidOutput", f"Invalid Output: '{problem}'") if problem else refused


def _refused_size(member: str, given: str) -> Answer | None:
    if len(given.encode("utf-8", "surrogatepass")) <= _MOST_DATA:
        return None
    return _broken(member, f"have length less than or equal to {_MOST_DATA}")


def _json_problem(given: str) -> str | None:
    """Return what is wrong with a text that has to be JSON; None where nothing is."""
    if not given:
        return "Invalid execution input."
    try:
        read_json(given)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None
