"""How ministack's CloudFormation behaves where our types of resources stand on it; `tests.contract.internals` asks."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_local.server import ACCOUNT


def _module(name: str) -> Any:
    return importlib.import_module(f"ministack.{name}")


def _names(module: str, function: str) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(_module(module), function).__code__.co_names
    return names


# Where the work on a stack is started, after the answer.
_STARTING = {
    "handlers": ("_create_stack", "_update_stack", "_delete_stack", "_continue_update_rollback", "_rollback_stack"),
    "changesets": ("_execute_change_set",),
}


def stacks_look_up_by_name_what_is_replaced_for_our_types() -> None:
    """The engine finds these functions in its modules each time, so that another one in their place counts."""
    for function in ("_deploy_stack_async", "_delete_stack_async", "_roll_back_operation", "_revert_update"):
        assert "_runs_on_worker_thread" in _names("services.cloudformation.stacks", function)
    assert "_provision_resource" in _names("services.cloudformation.provisioners", "_cfn_nested_stack_deploy")
    for module, function in (
        ("handlers", "_create_stack"),
        ("handlers", "_update_stack"),
        ("changesets", "_create_change_set"),
    ):
        assert "validate_template_support" in _names(f"services.cloudformation.{module}", function)
    for module, functions in _STARTING.items():
        for function in functions:
            assert "_create_stack_task_in_region" in _names(f"services.cloudformation.{module}", function)


def an_unknown_type_of_resource_is_refused_last_of_all_in_a_sentence() -> None:
    """The sentence ends with the list of types, behind which ours says what it means."""
    template = {"Resources": {"A": {"Type": "AWS::One::A"}, "B": {"Type": "AWS::One::B"}}}
    with pytest.raises(ValueError, match=r"Unrecognized resource types: \[AWS::One::A, AWS::One::B\]$"):
        _module("services.cloudformation.handlers").validate_template_support(template, {})


def an_action_of_cloudformation_is_answered_by_what_its_handler_returns() -> None:
    """So a handler may return an awaitable, for whoever asked `handle_request`."""
    formation = _module("services.cloudformation")
    _module("services.cloudformation.handlers")._ACTION_HANDLERS["Probe"] = lambda params: params["Action"]
    assert asyncio.run(formation.handle_request("GET", "/", {}, b"", {"Action": ["Probe"]})) == ["Probe"]


def a_type_with_rows_in_the_tables_is_replaced_named_and_tagged_by_them() -> None:
    """A change of a replacing property makes another resource; a named one is refused; stack tags come in `Tags`."""
    types, calls = _module("services.cloudformation.provisioners"), list[Any]()

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        return f"{stack_name}-{logical_id}-{props.get('Size')}", {}

    def update(*arguments: Any) -> tuple[str, dict[str, Any]]:
        calls.append(arguments)
        return arguments[0], {}

    name = "Test::One::Type"
    types._RESOURCE_HANDLERS[name] = {"create": create, "update": update, "update_with_logical_id": True}
    types._RESOURCE_HANDLERS[name]["delete"] = lambda reference, props: calls.append((reference, props))
    types._REPLACING_PROPERTIES[name] = ("Size",)
    types._CUSTOM_NAME_REPLACEMENT[name] = {"name": "Name"}
    types._STACK_TAG_PROPERTY[name] = ("Tags", "list")
    first, _ = create("Id", {}, "stack")
    assert types._update_resource(name, first, {"Size": 1}, {"Size": 2}, "stack", "Id") == ("stack-Id-2", {})
    types._update_resource(name, first, {"Colour": 1}, {"Colour": 2}, "stack", "Id")
    assert calls == [(first, {"Size": 1}), (first, {"Colour": 1}, {"Colour": 2}, "stack", "Id")]
    said = types._custom_named_replacement_error(name, {"Name": "n", "Size": 1}, {"Name": "n", "Size": 2})
    assert said.startswith("CloudFormation cannot update a stack when a custom-named resource requires replacing.")
    tagged = types._with_stack_tags(name, {}, [{"Key": "k", "Value": "v"}], "stack", "arn", "Id")
    assert {"Key": "k", "Value": "v"} in tagged["Tags"]


def a_key_resolves_to_the_secret_that_it_was_given_with() -> None:
    """`resolve_credential` has secret and token of a session, and an error's message for a key that nobody has."""
    keys = {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/probe/s", "SecretAccessKey": "s", "SessionToken": "t"}
    _module("services.sts").register_session("ASIASECRET", keys)
    found = _module("core.iam_evaluator").resolve_credential("ASIASECRET")
    assert (found.secret_access_key, found.session_token) == ("s", "t")
    assert "invalid" in _module("core.iam_evaluator").resolve_credential("ASIANOBODY").message


BEHAVIOURS: tuple[Callable[[], None], ...] = (
    stacks_look_up_by_name_what_is_replaced_for_our_types,
    an_unknown_type_of_resource_is_refused_last_of_all_in_a_sentence,
    an_action_of_cloudformation_is_answered_by_what_its_handler_returns,
    a_type_with_rows_in_the_tables_is_replaced_named_and_tagged_by_them,
    a_key_resolves_to_the_secret_that_it_was_given_with,
)
