"""Gaps of ministack's roles and boundaries, as `test_ministack_patches` says, and what it does as AWS by itself."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT
from tests.contract.stacks import Stack
from tests.contract.world import World, allow, code, name

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_patches.py, and this test"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"},
    ],
}
IAM = {"Capabilities": ["CAPABILITY_IAM"]}


def policy(world: World, *statements: Any) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    made = world.client("iam").create_policy(PolicyName=name("policy"), PolicyDocument=document)
    return str(made["Policy"]["Arn"])


def role(path: str = "/team/", **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"Path": path, "AssumeRolePolicyDocument": TRUST, **more}}


def inline(*statements: Any) -> list[dict[str, Any]]:
    return [{"PolicyName": "Needs", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]


def lets(call: Callable[..., Any], **request: Any) -> bool:
    """Say whether IAM lets a call through."""
    try:
        call(**request)
    except ClientError as error:
        if not code(error).startswith("AccessDenied"):
            raise
        return False
    return True


def may_list(world: World, arn: str) -> bool:
    return lets(world.as_role(arn, "sqs").list_queues)


def made(world: World, stack: Stack) -> str:
    found = world.client("iam").get_role(RoleName=stack.physical("Role"))["Role"]
    return str(found["Arn"])


def test_a_role_may_do_what_its_policies_and_its_boundary_allow(plain: World) -> None:
    iam, title = plain.client("iam"), name("role")
    narrow = policy(plain, allow("s3:ListAllMyBuckets"))
    arn = iam.create_role(RoleName=title, AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=narrow)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:*")]})
    iam.put_role_policy(RoleName=title, PolicyName="own", PolicyDocument=document)

    assert not may_list(plain, arn["Role"]["Arn"])
    iam.put_role_permissions_boundary(RoleName=title, PermissionsBoundary=policy(plain, allow("sqs:ListQueues")))
    assert may_list(plain, arn["Role"]["Arn"])


def test_a_role_of_a_stack_has_its_boundary_when_it_is_made_and_when_it_is_changed(plain: World, cloud: World) -> None:
    def limited(world: World) -> bool:
        narrow, stack = policy(world, allow("s3:ListAllMyBuckets")), Stack(world, **IAM)
        stack.create({"Role": role(Policies=inline(allow("sqs:*")), PermissionsBoundary=narrow)})
        return not may_list(world, made(world, stack))

    assert not limited(plain), CLOSED
    assert limited(cloud)

    stack = Stack(cloud, **IAM)
    stack.create({"Role": role(Policies=inline(allow("sqs:*")))})
    assert may_list(cloud, made(cloud, stack))
    bound = role(Policies=inline(allow("sqs:*")), PermissionsBoundary=policy(cloud, allow("s3:ListAllMyBuckets")))
    stack.update({"Role": bound})
    assert not may_list(cloud, made(cloud, stack))


def test_a_boundary_that_is_not_there_fails_its_role(cloud: World) -> None:
    stack = Stack(cloud, **IAM)
    stack.create({"Role": role(PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/nowhere")})
    assert "policy/nowhere does not exist or is not attachable" in stack.reason("Role")


def test_a_policy_of_a_stack_stays_while_it_is_a_boundary(plain: World, cloud: World) -> None:
    document = {"Version": "2012-10-17", "Statement": [allow("sqs:*")]}
    resources = {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}}

    def deleted(world: World) -> Stack:
        stack, title = Stack(world, **IAM), name("role")
        stack.create(resources, {"Arn": {"Ref": "Policy"}})
        trust, bounded = json.dumps(TRUST), stack.physical("Policy")
        world.client("iam").create_role(RoleName=title, AssumeRolePolicyDocument=trust, PermissionsBoundary=bounded)
        stack.delete()
        world.client("iam").delete_role(RoleName=title)
        return stack

    assert deleted(plain).rest()["StackStatus"] == "DELETE_COMPLETE", CLOSED
    stack = deleted(cloud)
    assert stack.rest()["StackStatus"] == "DELETE_FAILED"
    assert stack.reason("Policy") == "Cannot delete a policy attached to entities."
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_call_about_a_role_is_decided_on_its_path(plain: World, cloud: World) -> None:
    def allowed(world: World, path: str) -> bool:
        title, own = name("role"), f"arn:aws:iam::{ACCOUNT}:role/team/*"
        client = world.as_role(world.role(allow("iam:CreateRole", "iam:GetRole", resource=own)), "iam")
        made = {"RoleName": title, "Path": path, "AssumeRolePolicyDocument": json.dumps(TRUST)}
        return lets(client.create_role, **made) and lets(client.get_role, RoleName=title)

    assert not allowed(plain, "/team/"), CLOSED
    assert allowed(cloud, "/team/")
    assert not allowed(cloud, "/other/")


def test_a_variable_of_a_policy_is_what_the_role_has(plain: World, cloud: World) -> None:
    def writes(world: World, key: str) -> bool:
        bucket = name("bucket")
        world.client("s3").create_bucket(Bucket=bucket)
        own = f"arn:aws:s3:::{bucket}/people/${{aws:PrincipalTag/who}}/*"
        role = world.role(allow("s3:PutObject", resource=own))
        tags = [{"Key": "who", "Value": "ana"}]
        world.client("iam").tag_role(RoleName=role.rpartition("/")[2], Tags=tags)
        return lets(world.as_role(role, "s3").put_object, Bucket=bucket, Key=key, Body=b"")

    assert not writes(plain, "people/ana/x"), CLOSED
    assert writes(cloud, "people/ana/x")
    assert not writes(cloud, "people/bob/x")


def test_whoever_may_make_roles_within_a_boundary_makes_no_others(plain: World, cloud: World) -> None:
    def maker(world: World, narrow: str) -> Any:
        within = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": narrow}}}
        actions = ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary")
        rights = [{**allow(*actions), **within}]
        return world.as_role(world.role(*rights), "iam")

    def make(client: Any, title: str, **more: str) -> bool:
        return lets(client.create_role, RoleName=title, AssumeRolePolicyDocument=json.dumps(TRUST), **more)

    narrow = policy(plain, allow("sqs:*"))
    assert not make(maker(plain, narrow), name("role"), PermissionsBoundary=narrow), CLOSED

    narrow, wide, title = policy(cloud, allow("sqs:*")), policy(cloud, allow("*")), name("role")
    client, unbound = maker(cloud, narrow), cloud.role()
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]})
    own = {"PolicyName": "own", "PolicyDocument": document}
    assert make(client, title, PermissionsBoundary=narrow)
    assert lets(client.put_role_policy, RoleName=title, **own)
    assert not make(client, name("role"))
    assert not make(client, name("role"), PermissionsBoundary=wide)
    assert not lets(client.put_role_policy, RoleName=unbound.rsplit("/", 1)[1], **own)
    assert not lets(client.put_role_permissions_boundary, RoleName=title, PermissionsBoundary=wide)
    assert not lets(client.delete_role_permissions_boundary, RoleName=title)


def test_whoever_may_attach_one_policy_attaches_no_other(plain: World, cloud: World) -> None:
    def attaching(world: World, *, other: bool) -> bool:
        mine, theirs, title = policy(world, allow("sqs:*")), policy(world, allow("*")), name("role")
        only = {"Condition": {"ArnEquals": {"iam:PolicyARN": mine}}}
        client = world.as_role(world.role({**allow("iam:AttachRolePolicy"), **only}), "iam")
        world.client("iam").create_role(RoleName=title, AssumeRolePolicyDocument=json.dumps(TRUST))
        return lets(client.attach_role_policy, RoleName=title, PolicyArn=theirs if other else mine)

    assert not attaching(plain, other=False), CLOSED
    assert attaching(cloud, other=False)
    assert not attaching(cloud, other=True)


def test_a_stack_makes_roles_and_parameters_as_whoever_works_on_it(plain: World, cloud: World) -> None:
    formation, title = allow("cloudformation:*"), f"/{name('team')}/a"
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": title, "Type": "String", "Value": "1"}}

    def as_one_who_may(world: World, *statements: Any) -> Stack:
        client = world.as_role(world.role(formation, *statements), "cloudformation")
        return Stack(world, formation=client, **IAM)

    assert as_one_who_may(plain).create({"Role": role()})["StackStatus"] == "CREATE_COMPLETE", CLOSED
    assert as_one_who_may(plain).create({"One": parameter})["StackStatus"] == "CREATE_COMPLETE", CLOSED

    nobody = as_one_who_may(cloud)
    assert nobody.create({"Role": role()})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: iam:CreateRole on resource: " in nobody.reason("Role")
    nobody = as_one_who_may(cloud)
    nobody.create({"One": parameter})
    assert f"ssm:PutParameter on resource: arn:aws:ssm:us-east-1:{ACCOUNT}:parameter{title}" in nobody.reason("One")
    narrow = policy(cloud, allow("sqs:*"))
    within = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": narrow}}}
    roles = {**allow("iam:CreateRole", "iam:PutRolePolicy", resource=f"arn:aws:iam::{ACCOUNT}:role/team/*"), **within}
    rest = allow("iam:DeleteRole", "iam:DeleteRolePolicy", "ssm:PutParameter", "ssm:DeleteParameter")
    somebody = as_one_who_may(cloud, roles, rest)
    unbound = as_one_who_may(cloud, roles, rest)
    assert unbound.create({"Role": role(Policies=inline(allow("*")))})["StackStatus"] == "ROLLBACK_COMPLETE"
    bound = role(Policies=inline(allow("*")), PermissionsBoundary=narrow)
    assert somebody.create({"Role": bound, "One": parameter})["StackStatus"] == "CREATE_COMPLETE"
    assert somebody.delete() == "DELETE_COMPLETE"


def test_stacks_of_one_name_in_two_regions_have_roles_of_their_own(plain: World, cloud: World) -> None:
    def roles(world: World) -> set[str]:
        stacks = [Stack(world, region=region, **IAM) for region in ("us-east-1", "eu-west-1")]
        for stack in stacks:
            stack.name = stacks[0].name
            stack.create({"Role": role()})
        return {stack.physical("Role") for stack in stacks}

    assert len(roles(plain)) == 1, CLOSED
    made = roles(cloud)
    assert len(made) == 2
    assert {cloud.client("iam").get_role(RoleName=one)["Role"]["RoleName"] for one in made} == made
