"""Roles: their boundaries, what calls about them are decided by, and whom stacks make them for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from sagemaker_local import ministack, ministack_stacks
from sagemaker_local.ministack import actions, entities, stack_types

type Call = tuple[str, str, Mapping[str, str]]
"""An action, the ARN that it is decided on, and condition keys of the request."""

_ROLE, _POLICY, _PARAMETER = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::SSM::Parameter"
_BOUNDARY, _ATTACHED = "iam:PermissionsBoundary", "iam:PolicyARN"
# Where the boundary is that of the request; elsewhere it is the one that the role has (IAM User Guide, "Permissions
# boundaries for IAM entities", and the Service Authorization Reference of IAM).
_GIVEN = ("iam:CreateRole", "iam:CreateUser", "iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary")
_ATTACHING = ("iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:AttachUserPolicy", "iam:DetachUserPolicy")


def decide_roles_by_their_path() -> None:
    """Gap: a call about a role is decided on `role/<name>`; on AWS on its ARN, which has the role's path in it."""
    original = actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        arn = str(original(service, method, path, headers, body, *rest))
        if service != "iam" or ":role/" not in arn:
            return arn
        given = _parameters(body)
        return _arn(arn.rsplit("/", 1)[1], given.get("Path", "/"))

    actions.extract_resource_arn = extract


def know_boundaries_and_attached_policies() -> None:
    """Gap: IAM does not know the condition keys `iam:PermissionsBoundary` and `iam:PolicyARN`."""

    def keys(action: str, body: bytes) -> dict[str, str]:
        given = _parameters(body)
        known = entities._roles.get(given.get("RoleName", "")) or entities._users.get(given.get("UserName", "")) or {}
        boundary = given.get("PermissionsBoundary") if action in _GIVEN else known.get("PermissionsBoundary")
        attached = given.get("PolicyArn") if action in _ATTACHING else None
        return {key: value for key, value in ((_BOUNDARY, boundary), (_ATTACHED, attached)) if value}

    ministack.add_condition_keys("iam", keys)


def bound_roles_of_stacks() -> None:
    """Gap: the `PermissionsBoundary` of a template's role has no effect, and a policy goes that is a boundary."""
    handlers = ministack.resource_handlers(_ROLE)
    for verb, position in (("create", 1), ("update", 2)):  # where the new properties stand
        handlers[verb] = _bounding(handlers[verb], position)
    policies = ministack.resource_handlers(_POLICY)
    remove = policies["delete"]

    def removed(arn: str, properties: Mapping[str, Any]) -> None:
        if arn in entities._boundary_usage_counts():
            raise ValueError("Cannot delete a policy attached to entities.")
        remove(arn, properties)

    policies["delete"] = removed


def _bounding(handler: Callable[..., Any], position: int) -> Callable[..., Any]:
    def call(*arguments: Any, **more: Any) -> Any:
        boundary = arguments[position].get("PermissionsBoundary")
        if boundary and not entities._policy_exists(boundary):
            raise ValueError(f"Scope ARN: {boundary} does not exist or is not attachable.")
        answer = handler(*arguments, **more)
        entities._roles[answer[0]]["PermissionsBoundary"] = boundary
        return answer

    return call


def ask_before_stacks_make_roles_and_parameters() -> None:
    """Gap: CloudFormation makes roles and parameters for whoever may call it, without asking IAM about each."""
    for kind, calls in ((_ROLE, calls_about_role), (_PARAMETER, calls_about_parameter)):
        handlers = ministack.resource_handlers(kind)
        create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
        handlers.update(
            create=_asking(
                create, lambda logical, new, stack, calls=calls: calls(_named(stack, logical, new), {}, new)
            ),
            update=_asking(update, lambda named, old, new, *_, calls=calls: calls(named, old, new)),
            delete=_asking(delete, lambda named, old, calls=calls: calls(named, old, {})),
        )


def _asking(handler: Callable[..., Any], calls: Callable[..., Iterator[Call]]) -> Callable[..., Any]:
    def call(*arguments: Any, **more: Any) -> Any:
        key, (_, region) = ministack_stacks.caller(), ministack.scope()
        for action, resource, context in calls(*arguments):
            sentence = ministack.refusal(key, action, resource, region, context)
            if sentence is not None:
                raise ValueError(f"{sentence} (HandlerErrorCode: AccessDenied)")
        return handler(*arguments, **more)

    return call


def _named(stack: str, logical_id: str, properties: Mapping[str, Any]) -> str:
    """Return what a resource that is not there yet will be called."""
    given = properties.get("RoleName") or properties.get("Name")
    return str(given or stack_types._physical_name(stack, logical_id, max_len=64))


def calls_about_role(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls that make a role what a template says (resource schema of AWS::IAM::Role, `handlers`)."""
    arn = _arn(name, (new or old).get("Path", "/"))
    before, after = (str(one.get("PermissionsBoundary") or "") for one in (old, new))
    bound = {_BOUNDARY: after or before} if after or before else {}
    if not old:
        yield "iam:CreateRole", arn, bound
    elif new and after != before:
        yield f"iam:{'Put' if after else 'Delete'}RolePermissionsBoundary", arn, bound
    if old and new and old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
        yield "iam:UpdateAssumeRolePolicy", arn, bound
    yield from _about_policies(arn, old, new, bound)
    if _tags(new) - _tags(old):
        yield "iam:TagRole", arn, {}
    if not new:
        yield "iam:DeleteRole", arn, bound


def _about_policies(
    arn: str, old: Mapping[str, Any], new: Mapping[str, Any], bound: Mapping[str, str]
) -> Iterator[Call]:
    inline_before, inline = (
        {policy["PolicyName"]: policy["PolicyDocument"] for policy in one.get("Policies", ())} for one in (old, new)
    )
    attached_before, attached = (set(one.get("ManagedPolicyArns", ())) for one in (old, new))
    for policy in sorted(attached_before - attached):
        yield "iam:DetachRolePolicy", arn, {**bound, _ATTACHED: policy}
    for policy in sorted(attached - attached_before):
        yield "iam:AttachRolePolicy", arn, {**bound, _ATTACHED: policy}
    yield from (("iam:DeleteRolePolicy", arn, bound) for name in inline_before if name not in inline)
    yield from (("iam:PutRolePolicy", arn, bound) for name in inline if inline[name] != inline_before.get(name))


def calls_about_parameter(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls that make a parameter what a template says (resource schema of AWS::SSM::Parameter)."""
    account, region = ministack.scope()
    arn = f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}"
    if not new:
        yield "ssm:DeleteParameter", arn, {}
        return
    yield "ssm:PutParameter", arn, {}
    if _tags(new) - _tags(old):
        yield "ssm:AddTagsToResource", arn, {}


def _tags(properties: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the tags of a resource, but for CloudFormation's own."""
    given = properties.get("Tags") or {}
    pairs = given.items() if isinstance(given, dict) else [(tag["Key"], tag["Value"]) for tag in given]
    return {(key, value) for key, value in pairs if not key.startswith("aws:")}


def _arn(name: str, path: str) -> str:
    """Return the ARN of a role; one that is there has its own path."""
    known = entities._roles.get(name)
    return str(known["Arn"]) if known else f"arn:aws:iam::{ministack.scope()[0]}:role{path}{name}"


def _parameters(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
