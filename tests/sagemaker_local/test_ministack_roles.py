"""Which calls make a role or a parameter what a template says: what is asked of IAM for whoever works on the stack."""

from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import ministack, ministack_roles

ARN = "arn:aws:iam::123456789012:role/team/maker"
TRUST: dict[str, Any] = {"AssumeRolePolicyDocument": {"Statement": []}}
BEFORE = {**TRUST, "Path": "/team/", "Policies": [{"PolicyName": "Needs", "PolicyDocument": {"Statement": [1]}}]}
BOUND = {**BEFORE, "PermissionsBoundary": "boundary", "ManagedPolicyArns": ["shared"]}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account without a role."""
    monkeypatch.setattr(ministack, "scope", lambda: ("123456789012", "us-east-1"))
    monkeypatch.setattr(ministack.entities, "_roles", {})


def asked(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    calls = list(ministack_roles.calls_about_role("maker", old, new))
    assert {arn for _, arn, _ in calls} <= {ARN}
    return [(action.removeprefix("iam:"), dict(context)) for action, _, context in calls]


def test_a_role_is_made_with_its_policies_within_its_boundary() -> None:
    within = {"iam:PermissionsBoundary": "boundary"}
    tagged = {**BOUND, "Tags": [{"Key": "team", "Value": "a"}, {"Key": "aws:cloudformation:stack-name", "Value": "s"}]}
    assert asked({}, tagged) == [
        ("CreateRole", within),
        ("AttachRolePolicy", {**within, "iam:PolicyARN": "shared"}),
        ("PutRolePolicy", within),
        ("TagRole", {}),
    ]


def test_a_role_without_a_boundary_is_made_as_one() -> None:
    assert asked({}, BEFORE) == [("CreateRole", {}), ("PutRolePolicy", {})]


def test_a_change_asks_for_what_differs_alone() -> None:
    changed = {**BOUND, "Policies": [{"PolicyName": "Other", "PolicyDocument": {}}], "ManagedPolicyArns": []}
    within = {"iam:PermissionsBoundary": "boundary"}
    assert asked(BOUND, BOUND) == []
    assert asked(BOUND, {**BOUND, "AssumeRolePolicyDocument": {}}) == [("UpdateAssumeRolePolicy", within)]
    assert asked(BOUND, changed) == [
        ("DetachRolePolicy", {**within, "iam:PolicyARN": "shared"}),
        ("DeleteRolePolicy", within),
        ("PutRolePolicy", within),
    ]


def test_a_boundary_is_put_before_the_policies_and_taken_off_by_whoever_may() -> None:
    within = {"iam:PermissionsBoundary": "boundary"}
    assert [action for action, _ in asked(BEFORE, BOUND)] == ["PutRolePermissionsBoundary", "AttachRolePolicy"]
    assert asked(BOUND, {**BOUND, "PermissionsBoundary": None}) == [("DeleteRolePermissionsBoundary", within)]


def test_a_role_goes_after_its_policies() -> None:
    assert [action for action, _ in asked(BOUND, {})] == ["DetachRolePolicy", "DeleteRolePolicy", "DeleteRole"]


@pytest.mark.parametrize(
    ("old", "new", "actions"),
    [
        ({}, {"Value": "1", "Tags": {"team": "a"}}, ["PutParameter", "AddTagsToResource"]),
        ({"Value": "1"}, {"Value": "2"}, ["PutParameter"]),
        ({"Value": "1"}, {}, ["DeleteParameter"]),
    ],
)
def test_a_parameter_is_written_tagged_and_deleted_by_its_name(
    old: dict[str, Any], new: dict[str, Any], actions: list[str]
) -> None:
    calls = list(ministack_roles.calls_about_parameter("/team/a", old, new))

    assert [action for action, _, _ in calls] == [f"ssm:{action}" for action in actions]
    assert {arn for _, arn, _ in calls} == {"arn:aws:ssm:us-east-1:123456789012:parameter/team/a"}
