"""CloudFormation's own side of our types of resources: ministack's tables, its threads, and whom a stack acts for.

CloudFormation calls a service as whoever works on the stack, or as the role that the stack was given
(CloudFormation User Guide, "CloudFormation service role"). ministack makes its own resources without asking anybody.
"""

import asyncio
import hashlib
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from sagemaker_local import ministack
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.ministack import change_sets, drifts, stack_calls, stack_engine, stack_types, threads

if TYPE_CHECKING:
    from sagemaker_local.stacks import ResourceType
    from sagemaker_local.stacks.handler import Made
    from sagemaker_local.stacks.model import Properties
    from sagemaker_local.stacks.others import OtherType

type Acting = Callable[[str, Mapping[str, str]], str]

_caller: ContextVar[str] = ContextVar("stack_caller")
_OK = 200
_ENDING = 13  # characters at the end of a name, which ministack makes of those before it
_STACK_ID = re.compile(r"<StackId>arn:[^<]*:stack/(?P<name>[^/<]+)/[^<]*</StackId>")
_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[(?P<types>[^\]]*)\]$")


class TypeHandler(Protocol):
    """Makes the resources of a type, changes, deletes and reads them."""

    def create(self, logical_id: str, properties: "Properties", stack: str, /) -> "Made":
        """Make a resource."""

    def update(self, reference: str, old: "Properties", new: "Properties", stack: str, logical_id: str, /) -> "Made":
        """Change a resource."""

    def delete(self, reference: str, properties: "Properties", /) -> None:
        """Delete a resource."""

    def read(self, reference: str, properties: "Properties", /) -> dict[str, Any] | None:
        """Return the properties of a resource as they are now; None if it is gone."""


class StackRoleError(Exception):
    """A role that a stack cannot be worked on with, and the code of the refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def caller() -> str:
    """Return the access key of whoever works on the stack that is worked on now, or of the stack's role."""
    return _caller.get()


def add_type(resource: "ResourceType", handler: TypeHandler) -> None:
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


def replace_type(handler: "OtherType") -> None:
    """Let CloudFormation make resources by the service's API of a type that ministack makes without asking anybody."""
    name = handler.type_name
    stack_types._RESOURCE_HANDLERS[name] = {
        "create": handler.create,
        "update": handler.update,
        "update_with_logical_id": True,
        "delete": handler.delete,
    }
    stack_types._REPLACING_PROPERTIES[name] = handler.replacing
    stack_types._CUSTOM_NAME_REPLACEMENT[name] = {"name": handler.name}
    drifts._DRIFT_READERS[name] = (handler.read, handler.properties)


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


def do_one_thing_at_a_time() -> None:
    """Let what is asked of a stack wait for what goes on with it: one that is deleted may still be in the making."""
    start = stack_calls._create_stack_task_in_region
    last: dict[str, asyncio.Event] = {}

    def started(work: Coroutine[Any, Any, None], stack: Any, stack_id: str) -> None:
        before, done = last.get(stack_id), asyncio.Event()
        last[stack_id] = done

        async def in_turn() -> None:
            try:
                if before is not None:
                    await before.wait()
                await work
            finally:
                done.set()

        start(in_turn(), stack, stack_id)

    stack_calls._create_stack_task_in_region = change_sets._create_stack_task_in_region = started


def know_the_caller(acting: Acting, accepted: Callable[[Mapping[str, str]], None]) -> None:
    """Let the work on a stack know for whom it is done, long after the answer.

    Args:
        acting: From access key and parameters of a request to CloudFormation to the access key that it acts as.
        accepted: Is called with the parameters of a request that was not refused.
    """

    def around(handle: ministack.ServiceHandler) -> ministack.ServiceHandler:
        async def handled(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> HttpResponse:
            parameters = _parameters(headers, body, query)
            try:
                key = acting(ministack.access_key(headers, query), parameters)
            except StackRoleError as error:
                refusal: HttpResponse = stack_calls._error(error.code, str(error))
                return refusal
            before = _caller.set(key)
            try:
                answer: Any = await handle(method, path, headers, body, query)
                found: HttpResponse = await answer if inspect.isawaitable(answer) else answer
            finally:
                _caller.reset(before)
            if found[0] == _OK:
                accepted(parameters)
            return found

        return handled

    ministack.around_service("cloudformation", around)


def stack_named(parameters: Mapping[str, str]) -> str:
    """Return the name of the stack that a request to CloudFormation is about; empty where it is about none."""
    named = parameters.get("StackName", "")
    if not named and "ChangeSetName" in parameters:
        _, change_set = change_sets._find_change_set(parameters["ChangeSetName"])
        named = (change_set or {}).get("StackName", "")
    return named.split("/")[1] if named.startswith("arn:") else named


def show_roles(role_of: Callable[[str], str]) -> None:
    """Let DescribeStacks tell the role of a stack, which `role_of(name)` knows."""
    describe = stack_calls._ACTION_HANDLERS["DescribeStacks"]

    def shown(found: re.Match[str]) -> str:
        role = role_of(found["name"])
        return f"{found[0]}<RoleARN>{escape(role)}</RoleARN>" if role else found[0]

    def described(params: Any) -> HttpResponse:
        status, headers, body = describe(params)
        return status, headers, _STACK_ID.sub(shown, body.decode()).encode()

    stack_calls._ACTION_HANDLERS["DescribeStacks"] = described


def _parameters(headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a request, by the Query API or as JSON, with its action."""
    given = {name: item[0] if isinstance(item, list) else item for name, item in query.items()}
    if "json" in headers.get("content-type", ""):
        given["Action"] = headers.get("x-amz-target", "").rpartition(".")[2]
        return {**given, **ministack.json_object(body)}
    return {**given, **{name: items[0] for name, items in parse_qs(body.decode("utf-8", "replace")).items()}}


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


def name_resources_by_their_region() -> None:
    """Gap: stacks of one name in two regions give their roles and policies, which are the account's, the same names.

    On AWS the end of a name that CloudFormation makes is by chance; here it is made of the stack's name and region.
    """
    name = stack_types._physical_name

    def named(*arguments: Any, **options: Any) -> str:
        made = str(name(*arguments, **options))
        start, end = made[:-_ENDING], made[-_ENDING:]
        _, region = ministack.scope()
        digest = hashlib.sha256(f"{region} {end}".encode()).hexdigest()[: len(end)]
        return start + (digest if end == end.lower() else digest.upper())

    stack_types._physical_name = named


def refuse_cloud_control() -> None:
    """Gap: Cloud Control keeps what it is asked to make as a text, answers that it succeeded, and makes nothing."""
    ministack.around_service("cloudcontrol", lambda _handle: _refuse)


async def _refuse(
    _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
) -> HttpResponse:
    kind = ministack.json_object(body).get("TypeName") or headers.get("x-amz-target", "").rpartition(".")[2]
    return ministack.json_refusal("UnsupportedActionException", f"Cloud Control is not emulated here, for {kind}.")


def _told(message: str) -> str:
    found = _UNRECOGNIZED.search(message)
    return f"{message}. {' '.join(map(_not_here, found['types'].split(', ')))}" if found else message


def _not_here(resource_type: str) -> str:
    return f"{resource_type} is not emulated here."
