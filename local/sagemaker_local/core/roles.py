"""Passing roles and tagging: what SageMaker checks about the caller besides the operation itself."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

from sagemaker_local.core.cloud import Call, Cloud
from sagemaker_local.core.errors import invalid

_REPOSITORY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>[^:@]+)")
MOST_TAGS = 50  # per resource (API reference, AddTags)

_TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}


def pass_role(cloud: Cloud, call: Call, role_arn: str) -> None:
    """Let the caller pass the role to SageMaker, and SageMaker assume it.

    Raises:
        ApiError: the caller may not pass the role, or SageMaker may not assume it.
    """
    cloud.access.require(call.access_key, "iam:PassRole", role_arn, _TO_SAGEMAKER)
    cloud.access.require_service_role(role_arn)


def tag_at_creation(cloud: Cloud, call: Call, arn: str) -> None:
    """Let the caller tag what it creates: a request with tags needs sagemaker:AddTags too.

    Raises:
        ApiError: the caller may not, or the tags are none that AWS takes.
    """
    if call.request.get("Tags"):
        check_tags(call.request["Tags"])
        cloud.access.require(call.access_key, "sagemaker:AddTags", arn, _tag_context(call.request["Tags"]))


def read_at_registration(cloud: Cloud, call: Call, specification: Mapping[str, Any]) -> None:
    """Let the caller read what it registers: SageMaker resolves the digests of images and looks at the model data.

    AWS's own policy for those who register (AmazonSageMakerModelRegistryFullAccess) grants these reads.

    Raises:
        ApiError: the caller may not read an image or the data of a model.
    """
    for container in specification.get("Containers", []):
        found = _REPOSITORY.match(container.get("Image", ""))
        if found:
            repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
            for action in ("ecr:BatchGetImage", "ecr:DescribeImages"):
                cloud.access.require(call.access_key, action, repository)
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        if url := container.get("ModelDataUrl") or source.get("S3Uri"):
            place = urlparse(url)
            cloud.access.require(call.access_key, "s3:ListBucket", f"arn:aws:s3:::{place.netloc}")
            cloud.access.require(call.access_key, "s3:GetObject", f"arn:aws:s3:::{place.netloc}{place.path}")


def check_tags(tags: list[dict[str, Any]]) -> None:
    """Refuse a key of AWS's own, a key that is there twice, and too many tags.

    Raises:
        ApiError: ValidationException.
    """
    keys = [tag["Key"] for tag in tags]
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid("Tag keys that begin with aws: are reserved.")
    if len(set(keys)) != len(keys):
        raise invalid(f"The tag keys {keys} are not unique.")
    if len(keys) > MOST_TAGS:
        raise invalid(f"A resource has at most {MOST_TAGS} tags, not {len(keys)}.")


def _tag_context(tags: list[dict[str, Any]]) -> dict[str, str]:
    return {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}
