"""What `ministack_definitions` closes: machines, inputs and answers that Step Functions refuses.

`test_ministack_patches` holds each function to the test that sees its gap in plain ministack. The rules themselves are
in `tests/sagemaker_local/test_asl_*.py`; here is that each way to a machine goes by them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.test_faults import asked
from tests.contract.world import World, code, name, until

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_definitions.py, and this test"
STATES = "states.amazonaws.com"
GOOD = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
LOST = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed"}}})
WHY = (
    "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next, "
    'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C\''
)
NOT_TRUSTED = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role."
)
SYNC = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True}
WAITS = json.dumps({"StartAt": "A", "States": {"A": SYNC}})
LONGEST = 262_144


def _create(world: World, **more: Any) -> str:
    """Make a machine and return its ARN; what is not given is right."""
    role = more.pop("roleArn", None) or world.role(service=STATES)
    request = {"name": name("machine"), "definition": GOOD, "roleArn": role, **more}
    return str(world.client("stepfunctions").create_state_machine(**request)["stateMachineArn"])


def _refused(error: ClientError) -> tuple[str, str]:
    return code(error), str(error.response["Error"]["Message"])


def test_a_definition_that_leads_nowhere_makes_no_machine(plain: World, cloud: World) -> None:
    assert _create(plain, definition=LOST), CLOSED

    with pytest.raises(ClientError) as refused:
        _create(cloud, definition=LOST)
    assert _refused(refused.value) == ("InvalidDefinition", WHY)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"definition": "{"}, "InvalidDefinition"),
        ({"definition": ""}, "ValidationException"),
        ({"definition": GOOD + " " * 1_048_576}, "ValidationException"),
        ({"definition": WAITS, "type": "EXPRESS"}, "InvalidDefinition"),
        ({"name": "two words"}, "InvalidName"),
        ({"name": "a*b"}, "InvalidName"),
        ({"name": "x" * 81}, "ValidationException"),
    ],
    ids=["no JSON", "empty", "too long", "express waits", "blank in name", "star in name", "long name"],
)
def test_what_makes_no_machine_has_the_code_of_step_functions(
    request_: dict[str, str], found: str, cloud: World
) -> None:
    with pytest.raises(ClientError) as refused:
        _create(cloud, **request_)
    assert code(refused.value) == found


def test_a_role_that_step_functions_may_not_assume_makes_no_machine(cloud: World) -> None:
    for role in (cloud.role(service="sagemaker.amazonaws.com"), f"{cloud.role(service=STATES)}-gone"):
        with pytest.raises(ClientError) as refused:
            _create(cloud, roleArn=role)
        assert _refused(refused.value) == (
            "AccessDeniedException",
            NOT_TRUSTED,
        )
    assert _create(cloud, roleArn=cloud.role(service="states.us-east-1.amazonaws.com"))


def test_an_update_that_is_refused_leaves_the_machine_as_it_was(plain: World, cloud: World) -> None:
    assert plain.client("stepfunctions").update_state_machine(stateMachineArn=_create(plain), definition=LOST), CLOSED
    machine, states = _create(cloud), cloud.client("stepfunctions")

    for change, found in (
        ({"definition": LOST}, "InvalidDefinition"),
        ({"roleArn": cloud.role()}, "AccessDeniedException"),
        ({}, "MissingRequiredParameter"),
    ):
        with pytest.raises(ClientError) as refused:
            states.update_state_machine(stateMachineArn=machine, **change)
        assert code(refused.value) == found

    assert states.describe_state_machine(stateMachineArn=machine)["definition"] == GOOD
    with pytest.raises(ClientError) as unknown:
        states.update_state_machine(stateMachineArn=f"{machine}-gone", definition=LOST)
    assert code(unknown.value) == "StateMachineDoesNotExist"


def test_a_definition_is_told_what_is_wrong_with_it(plain: World, cloud: World) -> None:
    assert plain.client("stepfunctions").validate_state_machine_definition(definition=LOST)["result"] == "OK", CLOSED
    validate = cloud.client("stepfunctions").validate_state_machine_definition

    told = validate(definition=LOST)
    assert (told["result"], told["truncated"]) == ("FAIL", False)
    assert told["diagnostics"][0] == {
        "severity": "ERROR",
        "code": "MISSING_TRANSITION_TARGET",
        "message": "Missing 'Next' target: B",
        "location": "/States/A/Next",
    }
    first = validate(definition=LOST, maxResults=1)
    assert (len(first["diagnostics"]), first["truncated"]) == (1, True)
    assert validate(definition=GOOD)["diagnostics"] == []
    assert [validate(definition=WAITS, type=kind)["result"] for kind in ("STANDARD", "EXPRESS")] == ["OK", "FAIL"]
    for request in ({"definition": ""}, {"definition": GOOD, "maxResults": 101}):
        with pytest.raises(ClientError) as refused:
            validate(**request)
        assert code(refused.value) == "ValidationException"


def _stack(world: World, stack: str, *, action: str = "create_stack", **machine: Any) -> dict[str, Any]:
    """Make or change a stack of one machine, wait until it is done, and return its description."""
    formation = world.client("cloudformation")
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}
    getattr(formation, action)(StackName=stack, TemplateBody=json.dumps({"Resources": {"Machine": resource}}))

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = formation.describe_stacks(StackName=stack)["Stacks"][0]
        return found if not found["StackStatus"].endswith("IN_PROGRESS") else None

    return until(ended)


def _reasons(world: World, stack: str) -> str:
    events = world.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return " ".join(event.get("ResourceStatusReason", "") for event in events)


def test_a_stack_makes_no_machine_that_step_functions_refuses(plain: World, cloud: World) -> None:
    bad = {"DefinitionString": LOST, "RoleArn": plain.role(service=STATES)}
    assert _stack(plain, name("stack"), **bad)["StackStatus"] == "CREATE_COMPLETE", CLOSED
    role, stack = cloud.role(service=STATES), name("stack")

    assert _stack(cloud, stack, DefinitionString=LOST, RoleArn=role)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Missing 'Next' target: B at /States/A/Next" in _reasons(cloud, stack)

    kept = name("stack")
    substituted: dict[str, Any] = {
        "DefinitionString": GOOD.replace('"Pass"', '"${Kind}"'),
        "DefinitionSubstitutions": {"Kind": "Pass"},
    }
    assert _stack(cloud, kept, RoleArn=role, **substituted)["StackStatus"] == "CREATE_COMPLETE"
    for change in ({"DefinitionString": LOST}, {"DefinitionString": LOST, "StateMachineName": name("other")}):
        ended = _stack(cloud, kept, action="update_stack", RoleArn=role, **change)
        assert ended["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize(
    ("start", "found", "words"),
    [
        ({"input": "not some json"}, "InvalidExecutionInput", "Invalid State Machine Execution Input: '"),
        ({"input": "{'not': 'json'"}, "InvalidExecutionInput", ""),
        ({"input": ""}, "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'"),
        ({"input": '{"a": NaN}'}, "InvalidExecutionInput", "Unrecognized token 'NaN'"),
        ({"input": "[" * 100_000}, "InvalidExecutionInput", ""),
        ({"input": json.dumps("x" * LONGEST)}, "ValidationException", "less than or equal to 262144"),
        ({"input": json.dumps("ü" * (LONGEST // 2), ensure_ascii=False)}, "ValidationException", ""),
        ({"name": "two words"}, "InvalidName", "Invalid Name: 'two words'"),
        ({"name": "x" * 81}, "ValidationException", "at 'name' failed to satisfy constraint"),
    ],
    ids=["no JSON", "half", "empty", "NaN", "deep", "long", "long in UTF-8", "blank in name", "long name"],
)
def test_an_execution_begins_with_json_and_a_name_only(
    start: dict[str, str], found: str, words: str, plain: World, cloud: World
) -> None:
    assert plain.client("stepfunctions").start_execution(stateMachineArn=_create(plain), **start), CLOSED

    with pytest.raises(ClientError) as refused:
        cloud.client("stepfunctions").start_execution(stateMachineArn=_create(cloud), **start)
    assert code(refused.value) == found
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "given", ["2", '"some text"', "null", json.dumps("x" * (LONGEST - 2))], ids=["2", "text", "null", "long"]
)
def test_any_json_value_is_an_input(given: str, cloud: World) -> None:
    assert cloud.client("stepfunctions").start_execution(stateMachineArn=_create(cloud), input=given)["executionArn"]


def test_an_express_machine_is_asked_with_json_too(cloud: World) -> None:
    machine = _create(cloud, type="EXPRESS")
    with pytest.raises(ClientError) as refused:
        cloud.client("stepfunctions").start_sync_execution(stateMachineArn=machine, input="no")
    assert code(refused.value) == "InvalidExecutionInput"


def test_an_activity_has_a_name_as_machines_have(cloud: World) -> None:
    for title, found in (("two words", "InvalidName"), ("x" * 81, "ValidationException")):
        with pytest.raises(ClientError) as refused:
            cloud.client("stepfunctions").create_activity(name=title)
        assert code(refused.value) == found
    assert cloud.client("stepfunctions").create_activity(name=name("activity"))["activityArn"]


def test_a_task_is_answered_with_json_only_and_waits_on(plain: World, cloud: World, tmp_path: Path) -> None:
    def answer(world: World, folder: Path) -> str:
        folder.mkdir()
        _, token = asked(world, folder)
        try:
            world.client("stepfunctions").send_task_success(taskToken=token, output="no")
        except ClientError as error:
            world.client("stepfunctions").send_task_success(taskToken=token, output="{}")
            return code(error)
        return ""

    assert answer(plain, tmp_path / "plain") == "", CLOSED
    assert answer(cloud, tmp_path / "cloud") == "InvalidOutput"
