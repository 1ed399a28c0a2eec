"""The types of resources of SageMaker that CloudFormation's templates have: a table, and one handler for all of it."""

from sagemaker_local.stacks.handler import Ask, RefusedError, ResourceError, StackResources
from sagemaker_local.stacks.model import Request, ResourceType
from sagemaker_local.stacks.properties import PropertiesError
from sagemaker_local.stacks.table import TYPES

__all__ = [
    "TYPES",
    "Ask",
    "PropertiesError",
    "RefusedError",
    "Request",
    "ResourceError",
    "ResourceType",
    "StackResources",
]
