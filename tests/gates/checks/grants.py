"""Grants that AWS's own policies for the same job have, on resources that the simulation of IAM does not know yet.

Sources: Service Authorization Reference (CreateModelPackage and ListModelPackages name packages and, optionally, their
group; AddTags goes with what creates a resource with tags); SageMaker AI Developer Guide, "Deploy a Model Version from
a Different Account" (CreateModel on the package). The local cloud asks for them too.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from tests.gates.checks.posture import documents, listed, statements
from tests.gates.needs import GROUP, PACKAGE
from tests.gates.template import Problem, Template
from tests.gates.values import ACCOUNT, REGION, STACK

_GRANTS = {
    "PipelineRole": (
        ("CreateModelPackage", PACKAGE),
        ("CreateModelPackage", GROUP),
        ("AddTags", PACKAGE),
        ("AddTags", GROUP),
    ),
    "MlopsMachineRole": (("CreateModelPackage", PACKAGE), ("CreateModelPackage", GROUP)),
    "ReleaseMachineRole": (("CreateModel", PACKAGE),),
    "PlanReleaseRole": (("ListModelPackages", PACKAGE), ("ListModelPackages", GROUP)),
}


def check(template: Template) -> list[Problem]:
    """Return each grant that is missing, and each that reaches beyond the stack."""
    policies = documents(template)
    return [
        Problem(role, what)
        for role, grants in _GRANTS.items()
        for operation, resource in grants
        for what in _wrong(policies[role], f"sagemaker:{operation}", resource)
    ]


def _wrong(policies: list[dict[str, Any]], action: str, resource: str) -> Iterator[str]:
    if not _allowed(policies, action, resource):
        yield f"is not granted {action} on {resource}, which AWS's own policies grant for the same job"
    theirs = resource.replace(STACK, "elsewhere")
    if _allowed(policies, action, theirs):
        yield f"is granted {action} on {theirs}, which is another stack's"


def _allowed(policies: list[dict[str, Any]], action: str, resource: str) -> bool:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{resource}"
    return any(
        statement["Effect"] == "Allow"
        and action in listed(statement["Action"])
        and any(fnmatchcase(arn, pattern) for pattern in listed(statement["Resource"]))
        for policy in policies
        for statement in statements(policy)
    )
