"""Least privilege, proven from the run: read last, from the cloud's own record of every decision of IAM."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from signalbox_local import deploy
from signalbox_local.project import ROOT
from tests.gates.reasons import granted
from tests.system.test_what_is_served import ATTACK
from tests.system.world import PREFIX, World

_ROLE = re.compile(r"arn:aws:(?:sts::\d{12}:assumed-role|iam::\d{12}:role)/([^/]+)")
_ASSUMED = re.compile(r"arn:aws:sts::\d{12}:assumed-role/([^/]+)")

_NAMED_BY_US = frozenset(("cloudwatch", "logs", "sagemaker", "ssm"))


@pytest.fixture(scope="module")
def logical_ids(world: World) -> dict[str, str]:
    """Return the logical ids of the stack's resources by their physical ids."""
    found = world.client("cloudformation").describe_stack_resources(StackName=deploy.STACK)
    return {resource["PhysicalResourceId"]: resource["LogicalResourceId"] for resource in found["StackResources"]}


@pytest.fixture(scope="module")
def roles(world: World, logical_ids: dict[str, str]) -> dict[str, str]:
    """Return the logical ids of the stack's roles by their names."""
    pages = world.client("iam").get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    return {name: logical_ids[name] for name in names if name in logical_ids}


@pytest.fixture(scope="module")
def calls(world: World, roles: dict[str, str]) -> list[dict[str, Any]]:
    """Return every decision about one of the stack's roles, with the role's logical id as `role`."""
    decided = []
    for call in world.cloud.calls():
        role = _ROLE.match(call["principal"])
        if role and role[1] in roles and not tried(call["principal"]):
            decided.append({**call, "role": roles[role[1]]})
    return decided


def tried(principal: str) -> bool:
    """Tell whether a call is one by which a scenario tries what a role may do: its refusal is wanted."""
    return f"/{ATTACK}-" in principal


def test_nothing_that_the_stack_did_was_denied(calls: list[dict[str, Any]]) -> None:
    assert calls
    refused = {(call["role"], call["action"], call["resource"]) for call in calls if not call["allowed"]}
    # A scenario starts the pipeline with an approval: that its role may not register one is what it proves.
    refused -= {one for one in refused if one[:2] == ("PipelineRole", "sagemaker:CreateModelPackage")}

    assert not refused, "\n".join(map(str, sorted(refused)))


def test_every_role_of_a_project_was_used_and_was_denied_nothing(world: World) -> None:
    pages = world.client("iam").get_paginator("list_roles").paginate(PathPrefix=f"/{PREFIX}/projects/abalone/")
    roles = {role["RoleName"] for page in pages for role in page["Roles"]}
    made = [call for call in world.cloud.calls() if _assumed(call) in roles and not tried(call["principal"])]

    assert {_assumed(call) for call in made} == roles
    refused = {(_assumed(call), call["action"], call["resource"]) for call in made if not call["allowed"]}
    # The same scenario: the pipeline is the project's.
    refused -= {one for one in refused if "PipelineRole" in one[0] and one[1] == "sagemaker:CreateModelPackage"}
    assert not refused, "\n".join(map(str, sorted(refused)))


def test_builds_did_what_they_do_without_a_refusal_and_reached_nothing_of_another_project(world: World) -> None:
    build = re.compile(rf"{PREFIX}-cicd-(rose|tulip)-(BuildRole|BranchesRole)-")
    made = [(found, call) for call in world.cloud.calls() if (found := build.match(_assumed(call)))]

    assert {found.groups() for found, _ in made} == {
        ("rose", "BuildRole"),
        ("rose", "BranchesRole"),
        ("tulip", "BuildRole"),
    }
    refused = {(found[0], call["action"], call["resource"]) for found, call in made if not call["allowed"]}
    assert not refused, "\n".join(map(str, sorted(refused)))
    others = {"rose": "tulip", "tulip": "rose"}
    reached = {(call["action"], call["resource"]) for found, call in made if others[found[1]] in call["resource"]}
    # What others claim is read, and by its own names: a deployment is compared with it (docs/security.md).
    assert {action for action, _ in reached} <= {"ssm:GetParameter"}, "\n".join(map(str, sorted(reached)))


def _assumed(call: dict[str, Any]) -> str:
    """Return the name of the role that made a call; "" for a person."""
    role = _ASSUMED.match(call["principal"])
    return role[1] if role else ""


def test_nothing_that_the_stack_made_or_asked_for_is_named_after_the_stack(calls: list[dict[str, Any]]) -> None:
    # Elsewhere the names are CloudFormation's: it puts the stack's before those of queues, tables, functions and roles.
    named_by_us = {call["resource"] for call in calls if call["action"].split(":")[0] in _NAMED_BY_US}

    assert any(f"/{PREFIX}-" in resource for resource in named_by_us)
    assert not [resource for resource in named_by_us if deploy.STACK in resource]


def test_every_action_that_is_granted_was_used_or_has_its_reason(
    world: World, logical_ids: dict[str, str], roles: dict[str, str], calls: list[dict[str, Any]]
) -> None:
    reasons = granted((ROOT / "template.yaml").read_text())
    unused = [
        f"{role}: {action} on {statement['Resource']}"
        for name, role in roles.items()
        for owner, statement in statements(world, name, logical_ids)
        for action in listed(statement["Action"])
        if not used(role, action, listed(statement["Resource"]), calls)
        and not reasons.get((owner, statement.get("Sid", ""), action))
    ]

    assert not unused, "\n".join(unused)


def statements(world: World, role: str, logical_ids: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the statements of a role with the logical id of where they are written: its own, or a shared policy."""
    iam = world.client("iam")
    documents = [
        (logical_ids[role], iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        assert arn in logical_ids, f"{arn} is not the stack's own: nobody can prove what it grants"
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        documents.append((logical_ids[arn], document))
    return [(owner, statement) for owner, document in documents for statement in listed(document["Statement"])]


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]


def used(role: str, action: str, patterns: list[str], calls: list[dict[str, Any]]) -> bool:
    """Tell whether the role made the call on something that the statement names."""
    return any(
        call["role"] == role and call["action"] == action and any(fnmatchcase(call["resource"], p) for p in patterns)
        for call in calls
    )
