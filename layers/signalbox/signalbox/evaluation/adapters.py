"""The ports of an evaluation, on boto3."""

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import is_missing
from signalbox.evaluation.ports import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient


class S3Objects:
    """The object store on S3."""

    def __init__(self, s3: "S3Client | None" = None) -> None:
        self._s3 = s3 or clients.client("s3")

    def list(self, uri: str) -> list[Written]:
        """See `Objects`; S3 lists in the order of the keys."""
        bucket, prefix = names.bucket_and_key(uri)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            Written(f"s3://{bucket}/{item['Key']}", item["LastModified"].astimezone(UTC).isoformat(timespec="seconds"))
            for page in pages
            for item in page.get("Contents", [])
        ]

    def lines(self, uri: str) -> Iterator[str]:
        """See `Objects`."""
        bucket, key = names.bucket_and_key(uri)
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
        # A byte that is no UTF-8 spoils its own cell, and label and prediction alike.
        return (line.decode("utf-8", "replace") for line in body.iter_lines(keepends=True))

    def read(self, uri: str) -> str | None:
        """See `Objects`."""
        bucket, key = names.bucket_and_key(uri)
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8")
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchBucket"}:
                return None
            raise

    def write(self, uri: str, text: str, content_type: str) -> None:
        """See `Objects`."""
        bucket, key = names.bucket_and_key(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)


class EndpointModels:
    """The live models, read from the endpoint of the last stage: endpoint, its config, its model, its package."""

    def __init__(
        self, prefix: str, last_stage: "Callable[[], str]", sagemaker: "SageMakerClient | None" = None
    ) -> None:
        self._prefix = prefix
        self._last_stage = last_stage
        self._sagemaker = sagemaker or clients.client("sagemaker")

    def package(self, model: str) -> str | None:
        """See `LiveModels`. A chain that breaks because something is being deleted counts as none."""
        name = names.endpoint(self._prefix, model, self._last_stage())
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=name)
            config = self._sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
            served = self._sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        containers: list[Mapping[str, Any]] = [*served.get("Containers", [])]
        if "PrimaryContainer" in served:
            containers.append(served["PrimaryContainer"])
        return next((item["ModelPackageName"] for item in containers if "ModelPackageName" in item), None)

    def report(self, package: str) -> str | None:
        """See `LiveModels`."""
        try:
            found = self._sagemaker.describe_model_package(ModelPackageName=package)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found.get("CustomerMetadataProperties", {}).get("report")
