"""The cloud's own record of every decision of IAM, read for the roles of the stack and of projects."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from signalbox_local import deploy
from tests.system.test_what_is_served import ATTACK
from tests.system.world import World

_ROLE = re.compile(r"arn:aws:(?:sts::\d{12}:assumed-role|iam::\d{12}:role)/([^/]+)")
_ASSUMED = re.compile(r"arn:aws:sts::\d{12}:assumed-role/([^/]+)")


class Grant(NamedTuple):
    """An action that a role of the stack is granted: by the resource and statement in which the template says so."""

    role: str
    owner: str
    statement: str
    action: str


class Record:
    """What was decided in a cloud until now, and what its stack's roles are granted."""

    def __init__(self, world: World) -> None:
        self._world, self.everything = world, world.cloud.calls()
        found = world.client("cloudformation").describe_stack_resources(StackName=deploy.STACK)
        self._ids = {one["PhysicalResourceId"]: one["LogicalResourceId"] for one in found["StackResources"]}
        self._roles = {name: self._ids[name] for name in self.role_names() if name in self._ids}
        self.calls = list(self._of_the_stack())

    def role_names(self, path: str = "/") -> set[str]:
        """Return the names of the roles under a path."""
        pages = self._world.client("iam").get_paginator("list_roles").paginate(PathPrefix=path)
        return {role["RoleName"] for page in pages for role in page["Roles"]}

    def unused(self) -> set[Grant]:
        """Return what the stack's roles are granted, and did not use on anything that the statement names."""
        return {
            Grant(role, owner, statement.get("Sid", ""), action)
            for name, role in self._roles.items()
            for owner, statement in self._statements(name)
            for action in _listed(statement["Action"])
            if not self._used(role, action, _listed(statement["Resource"]))
        }

    def _of_the_stack(self) -> Iterator[dict[str, Any]]:
        """Yield every decision about one of the stack's roles, with the role's logical id as `role`."""
        for call in self.everything:
            role = _ROLE.match(call["principal"])
            if role and role[1] in self._roles and not tried(call):
                yield {**call, "role": self._roles[role[1]]}

    def _statements(self, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the statements of a role with the logical id of where they are written: its own, or a shared policy."""
        iam = self._world.client("iam")
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from ((self._ids[role], one) for one in _listed(document["Statement"]))
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            assert arn in self._ids, f"{arn} is not the stack's own: nobody can prove what it grants"
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            yield from ((self._ids[arn], one) for one in _listed(document["Statement"]))

    def _used(self, role: str, action: str, patterns: list[str]) -> bool:
        """Tell whether the role made the call on something that the statement names."""
        return any(
            call["role"] == role
            and call["action"] == action
            and any(fnmatchcase(call["resource"], p) for p in patterns)
            for call in self.calls
        )


def assumed(call: dict[str, Any]) -> str:
    """Return the name of the role that made a call; "" for a person."""
    role = _ASSUMED.match(call["principal"])
    return role[1] if role else ""


def tried(call: dict[str, Any]) -> bool:
    """Tell whether a call is one by which a scenario tries what a role may do: its refusal is wanted."""
    return f"/{ATTACK}-" in call["principal"]


def refused(calls: Iterable[dict[str, Any]], who: str = "role") -> set[tuple[str, str, str]]:
    """Return who was denied what on which resource."""
    return {(call[who], call["action"], call["resource"]) for call in calls if not call["allowed"]}


def _listed(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]
