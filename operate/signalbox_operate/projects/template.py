"""The CloudFormation template of a project: its roles, its document, and the documents of its models."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signalbox import names
from signalbox_operate.projects import documents
from signalbox_operate.projects.definitions import as_list
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.projects.roles import Statement

type Template = dict[str, Any]

LIMIT = 51_200  # bytes of a template in a request (CloudFormation API reference, CreateStack, TemplateBody)
ROLES = ("JobRole", "TestRole", "ModelRole", "PipelineRole")  # which every project has
_WITHOUT_CONTAINERS = {"PipelineRole", "FeatureRole"}
_DIGEST = 8


@dataclass(frozen=True)
class Contents:
    """What a project's stack has: a text for each document, and statements for each of `ROLES` and of further roles.

    `container_policy` is the ARN of the stack's policy of what SageMaker needs to run any container; `boundary` that of
    what the roles may do at most, "" where the project has no automation. `role_names` are of roles that have a name of
    ours, and `feature_group` is where the project's job writes features, "" where it writes none.
    """

    prefix: str
    project: str
    document: str
    models: Mapping[str, str]
    statements: Mapping[str, Sequence[Statement]]
    container_policy: str
    tags: Mapping[str, str]
    boundary: str = ""
    role_names: Mapping[str, str] = field(default_factory=dict)
    feature_group: str = ""


def stack_name(prefix: str, project: str) -> str:
    """Return the name of a project's stack."""
    return f"{prefix}-project-{project}"


def make(contents: Contents) -> Template:
    """Return the template.

    Raises:
        ProjectError: it is larger than CloudFormation takes.
    """
    resources = {role: _role(role, contents) for role in contents.statements}
    parameter = names.project_parameter(contents.prefix, contents.project)
    resources["Project"] = _parameter(parameter, contents.document, contents)
    for model, text in contents.models.items():
        parameter = names.model_parameter(contents.prefix, model)
        resources[_logical_id(model)] = _parameter(parameter, _with_roles(text), contents)
    made = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Project {contents.project} of {contents.prefix}, as signalbox deploy writes it",
        "Resources": resources,
        "Outputs": _outputs(contents),
    }
    if len(json.dumps(made).encode()) > LIMIT:
        raise ProjectError(
            [f"the project has more than fits into one stack ({LIMIT:,} bytes): make two projects of it"]
        )
    return made


def _outputs(contents: Contents) -> Template:
    made = {f"{role}Arn": {"Value": {"Fn::GetAtt": [role, "Arn"]}} for role in contents.statements}
    # Nothing of the stack: a group outlives it. It is said for who removes the project.
    return made | {"FeatureGroup": {"Value": contents.feature_group}} if contents.feature_group else made


def _role(role: str, contents: Contents) -> Template:
    account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {
        "Path": f"/{contents.prefix}/projects/{contents.project}/",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{**trusted, "Condition": account}]},
        "Policies": [
            {
                "PolicyName": "Needs",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": list(contents.statements[role])},
            }
        ],
        "Tags": as_list(contents.tags),
    }
    if role in contents.role_names:
        properties["RoleName"] = contents.role_names[role]
    if role not in _WITHOUT_CONTAINERS:
        properties["ManagedPolicyArns"] = [contents.container_policy]
    if contents.boundary:
        properties["PermissionsBoundary"] = contents.boundary
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _parameter(name: str, value: Any, contents: Contents) -> Template:
    properties = {"Name": name, "Type": "String", "Value": value, "Tags": dict(contents.tags)}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties}


def _with_roles(text: str) -> Template:
    """Return a model's document with the ARNs of the roles in their places, as CloudFormation fills them in."""
    made = text.replace("${", "${!")
    for stand_in, role in zip(documents.ROLES, ROLES, strict=False):  # pipelines are no models
        made = made.replace(stand_in, f"${{{role}.Arn}}")
    return {"Fn::Sub": made}


def _logical_id(model: str) -> str:
    """Return a logical id that no other model has: one has letters and digits only."""
    digest = hashlib.sha256(model.encode()).hexdigest()[:_DIGEST]
    return f"Model{''.join(part.capitalize() for part in model.split('-'))}{digest}"
