"""CloudFormation's own side of our types of resources: ministack's tables, its threads, and whom a stack acts for.

CloudFormation calls a service as whoever works on the stack, or as the role that the stack was given
(CloudFormation User Guide, "CloudFormation service role"). ministack makes its own resources without asking anybody.
"""

import inspect
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.ministack import change_sets, drifts, stack_calls, stack_engine, stack_types, threads
from sagemaker_local.stacks import ResourceType, StackResources

_caller: ContextVar[str] = ContextVar("stack_caller")
# SageMaker's names have at most 63 characters (API reference).
_LONGEST_NAME = 63
_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[(?P<types>[^\]]*)\]$")


def caller() -> str:
    """Return the access key of whoever works on the stack that is worked on now."""
    return _caller.get()


def new_name(stack: str, logical_id: str) -> str:
    """Return the name of a resource that a template gives none: another one for each replacement."""
    return str(stack_types._physical_name(stack, logical_id, max_len=_LONGEST_NAME))


def add_type(resource: ResourceType, handler: StackResources) -> None:
    """Let CloudFormation make resources of a type."""
    name = resource.type_name
    stack_types._RESOURCE_HANDLERS[name] = {
        "create": handler.create,
        "update": handler.update,
        "update_with_logical_id": True,
        "delete": handler.delete,
    }
    stack_types._REPLACING_PROPERTIES[name] = tuple(sorted(resource.replacing))
    stack_types._CONDITIONALLY_REPLACING_PROPERTIES[name] = tuple(sorted(resource.perhaps_replacing))
    if resource.named:
        another = {"requires_replacement": resource.needs_another} if resource.needs_another else {}
        stack_types._CUSTOM_NAME_REPLACEMENT[name] = {"name": resource.name, **another}
    if resource.stack_tags:
        stack_types._STACK_TAG_PROPERTY[name] = ("Tags", "list")
    drifts._DRIFT_READERS[name] = (handler.read, frozenset(resource.properties()))


def work_beside_the_cloud(types: frozenset[str]) -> None:
    """Let handlers that call this cloud work in threads of their own: it has to answer them meanwhile."""
    decide = stack_engine._runs_on_worker_thread

    def decided(resource_type: str) -> bool:
        return resource_type in types or decide(resource_type)

    stack_engine._runs_on_worker_thread = decided
    for action in ("DetectStackDrift", "DetectStackResourceDrift"):
        stack_calls._ACTION_HANDLERS[action] = _beside(stack_calls._ACTION_HANDLERS[action])


def _beside(handle: Callable[[Any], HttpResponse]) -> Callable[[Any], Any]:
    return lambda params: threads.run_reentrant(handle, params)


def know_the_caller() -> None:
    """Let the work on a stack know who asked for it, long after the answer."""
    ministack.around_service("cloudformation", _as_caller)


def _as_caller(handle: ministack.ServiceHandler) -> ministack.ServiceHandler:
    async def handled(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        before = _caller.set(ministack.access_key(headers, query))
        try:
            answer: Any = await handle(method, path, headers, body, query)
            found: HttpResponse = await answer if inspect.isawaitable(answer) else answer
            return found
        finally:
            _caller.reset(before)

    return handled


def refuse_types_by_name() -> None:
    """Let a template with a type that is not here be refused by the type's name; none becomes a placeholder."""
    validate, provision = stack_calls.validate_template_support, stack_types._provision_resource

    def validated(template: Any, conditions: Any, params: Any = None) -> None:
        try:
            validate(template, conditions, params=params)
        except ValueError as error:
            raise ValueError(_told(str(error))) from error

    def provisioned(resource_type: str, *arguments: Any) -> Any:
        if resource_type not in stack_types._RESOURCE_HANDLERS and not resource_type.startswith("Custom::"):
            raise ValueError(_not_here(resource_type))
        return provision(resource_type, *arguments)

    stack_calls.validate_template_support = change_sets.validate_template_support = validated
    stack_types._provision_resource = provisioned


def _told(message: str) -> str:
    found = _UNRECOGNIZED.search(message)
    return f"{message}. {' '.join(map(_not_here, found['types'].split(', ')))}" if found else message


def _not_here(resource_type: str) -> str:
    return f"{resource_type} is not emulated here."
