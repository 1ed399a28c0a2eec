"""What whoever is signed in may do, as IAM's own simulator says it: nothing is tried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signalbox_operate.stack import Stack


@dataclass(frozen=True)
class Permission:
    """An action on a resource, and the commands that need it."""

    action: str
    resource: str
    needed_for: str


def needed(stack: Stack) -> Sequence[Permission]:
    """Return what the commands do to a stack's resources."""
    _, partition, _, region, account, *_ = machine = stack.output("MlopsMachineArn").split(":")
    tables = f"arn:{partition}:dynamodb:{region}:{account}:table"
    sagemaker = f"arn:{partition}:sagemaker:{region}:{account}"
    projects = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack.output('Prefix')}-project"
    data = f"arn:{partition}:s3:::{stack.output('DataBucket')}/*"
    return (
        Permission("s3:PutObject", data, "upload"),
        Permission("dynamodb:Query", f"{tables}/{stack.output('UploadsTable')}", "uploads, runs, status"),
        Permission("dynamodb:UpdateItem", f"{tables}/{stack.output('UploadsTable')}", "rerun"),
        Permission("dynamodb:UpdateItem", f"{tables}/{stack.output('ReviewsTable')}", "decide"),
        Permission("states:StartExecution", ":".join(machine), "train"),
        Permission("sagemaker:UpdatePipeline", f"{sagemaker}:pipeline/{stack.output('Prefix')}-any", "deploy"),
        Permission("cloudformation:CreateStack", f"{projects}-any/*", "deploy"),
        Permission(
            "iam:CreateRole", f"arn:{partition}:iam::{account}:role/{stack.output('Prefix')}/projects/any", "deploy"
        ),
        Permission("sagemaker:StartPipelineExecution", f"{sagemaker}:pipeline/{stack.output('Prefix')}-any", "start"),
        Permission("logs:FilterLogEvents", f"arn:{partition}:logs:{region}:{account}:log-group:*", "logs"),
    )


def denied(caller: str, stack: Stack, iam: Any) -> list[Permission]:
    """Return what the commands need and the caller (an ARN of STS) may not do; the account's root may do everything."""
    if caller.endswith(":root"):
        return []
    source = _principal(caller, iam)
    found = []
    for one in needed(stack):
        answer = iam.simulate_principal_policy(
            PolicySourceArn=source, ActionNames=[one.action], ResourceArns=[one.resource]
        )
        if any(result["EvalDecision"] != "allowed" for result in answer["EvaluationResults"]):
            found.append(one)
    return found


def _principal(caller: str, iam: Any) -> str:
    """Return the ARN that has the policies: of a role's session, the role, whose path only IAM knows."""
    kind, _, rest = caller.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return caller
    return str(iam.get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"])
