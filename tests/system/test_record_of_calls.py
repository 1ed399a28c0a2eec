"""Least privilege, proven from the run: read last, from the cloud's own record of every decision of IAM."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from signalbox_local.process import ROOT
from tests.gates.reasons import granted
from tests.system.world import World

_ROLE = re.compile(r"arn:aws:(?:sts::\d{12}:assumed-role|iam::\d{12}:role)/([^/]+)")


@pytest.fixture(scope="module")
def roles(world: World) -> dict[str, str]:
    """Return the logical ids of the stack's roles by their names."""
    found = world.client("cloudformation").describe_stack_resources(StackName=world.outputs["Prefix"])
    resources: list[dict[str, str]] = found["StackResources"]
    return {
        resource["PhysicalResourceId"]: resource["LogicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


@pytest.fixture(scope="module")
def calls(world: World, roles: dict[str, str]) -> list[dict[str, Any]]:
    """Return every decision about one of the stack's roles, with the role's logical id as `role`."""
    decided = []
    for call in world.cloud.calls():
        role = _ROLE.match(call["principal"])
        if role and role[1] in roles:
            decided.append({**call, "role": roles[role[1]]})
    return decided


def test_nothing_that_the_stack_did_was_denied(calls: list[dict[str, Any]]) -> None:
    assert calls
    refused = {(call["role"], call["action"], call["resource"]) for call in calls if not call["allowed"]}

    assert not refused, "\n".join(map(str, sorted(refused)))


def test_every_action_that_is_granted_was_used_or_has_its_reason(
    world: World, roles: dict[str, str], calls: list[dict[str, Any]]
) -> None:
    reasons = granted((ROOT / "template.yaml").read_text())
    unused = [
        f"{role}: {action} on {statement['Resource']}"
        for name, role in roles.items()
        for statement in statements(world, name)
        for action in listed(statement["Action"])
        if not used(role, action, listed(statement["Resource"]), calls) and not reasons.get((role, action))
    ]

    assert not unused, "\n".join(unused)


def statements(world: World, role: str) -> list[dict[str, Any]]:
    """Return the statements of all inline policies of a role, which are all it has."""
    iam = world.client("iam")
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return [statement for document in documents for statement in listed(document["Statement"])]


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]


def used(role: str, action: str, patterns: list[str], calls: list[dict[str, Any]]) -> bool:
    """Tell whether the role made the call on something that the statement names."""
    return any(
        call["role"] == role and call["action"] == action and any(fnmatchcase(call["resource"], p) for p in patterns)
        for call in calls
    )
