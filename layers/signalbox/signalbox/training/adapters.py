"""The ports of planning, on boto3."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from signalbox.aws import clients
from signalbox.aws.errors import is_missing
from signalbox.training.ports import Container, Package
from signalbox.training.requests import bucket_and_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeModelPackageOutputTypeDef


class S3Objects:
    """The object store on S3."""

    def __init__(self, s3: "S3Client | None" = None) -> None:
        self._s3 = s3 or clients.client("s3")

    def holds_data(self, uri: str) -> bool:
        """See `Objects`. Folder markers and empty files are no data, so the listing goes on behind them."""
        bucket, prefix = bucket_and_prefix(uri, "data")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return any(item.get("Size", 0) > 0 for page in pages for item in page.get("Contents", []))
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                return False
            raise


class SageMakerPackages:
    """The registry on SageMaker."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker = sagemaker or clients.client("sagemaker")

    def find(self, arn: str) -> Package | None:
        """See `Packages`."""
        try:
            found = self._sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return _package(found)


def _package(found: "DescribeModelPackageOutputTypeDef") -> Package:
    specification = found.get("InferenceSpecification", {})
    return Package(
        arn=found["ModelPackageArn"],
        status=found["ModelPackageStatus"],
        containers=[
            Container(item.get("Image", ""), item.get("ModelDataUrl"), dict(item.get("Environment", {})))
            for item in specification.get("Containers", [])
        ],
        properties=dict(found.get("CustomerMetadataProperties", {})),
        content_types=list(specification.get("SupportedContentTypes", [])),
        commit=found.get("MetadataProperties", {}).get("CommitId"),
    )
