"""What the deployed stack says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import DescribeStacksOutputTypeDef


class OperateError(Exception):
    """A command cannot be carried out; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PlacedError(OperateError):
    """A command that works in two places cannot be carried out; the message says in which of them, and the way out."""


class StackReader(Protocol):
    """The part of a CloudFormation client that reads a stack."""

    def describe_stacks(self, *, StackName: str) -> "DescribeStacksOutputTypeDef":  # noqa: N803  # boto3's spelling
        """Return the stack of that name."""


@dataclass(frozen=True)
class Stack:
    """A stack, its outputs, and the parameters that it was deployed with."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)

    def output(self, key: str) -> str:
        """Return an output.

        Raises:
            OperateError: the stack has no such output.
        """
        if not self.outputs.get(key):
            raise OperateError(
                f"stack {self.name!r} has no output {key}: is it the stack of this template.yaml, and up to date? "
                "Deploy it again with `sam deploy`"
            )
        return self.outputs[key]


def read(name: str, cloudformation: StackReader) -> Stack:
    """Return the stack of that name.

    Raises:
        OperateError: there is none, or it is not deployed to the end.
    """
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise OperateError(
            f"there is no stack {name!r} in this account and region: deploy it with `sam deploy`, or name another one "
            "with --stack (account and region are those of --profile and --region, else of AWS_PROFILE and AWS_REGION)"
        ) from error
    if not stack["StackStatus"].endswith("_COMPLETE") or stack["StackStatus"].startswith("ROLLBACK"):
        raise OperateError(f"stack {name!r} is {stack['StackStatus']}: wait until it is deployed, or repair it")
    return Stack(
        name,
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
    )
