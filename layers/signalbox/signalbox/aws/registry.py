"""SageMaker's model registry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from signalbox.aws import clients
from signalbox.aws.errors import or_none, translated

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import (
        DescribeModelPackageOutputTypeDef,
        ModelPackageContainerDefinitionOutputTypeDef,
    )

    from signalbox.aws.model import ModelContainer, ModelPackage

# What a container fetches besides its one model data: of the container, and of its S3DataSource.
_FETCHED = ("AdditionalS3DataSource", "AdditionalModelDataSources", "HubAccessConfig", "ManifestS3Uri")


class ModelRegistry:
    """The model packages. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def find(self, arn: str) -> "ModelPackage | None":
        """Return the package, or None where it is not (or no longer) registered."""
        operation = f"sagemaker:DescribeModelPackage of {arn}"
        found = or_none(operation, self._sagemaker.describe_model_package, ModelPackageName=arn)
        return _package(found) if found else None

    def approved(self, group: str) -> Sequence[str]:
        """Return the ARNs of all approved versions of a group, newest first; none where there is no such group."""
        request: dict[str, Any] = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        with translated(f"sagemaker:ListModelPackages of {group}"):
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(**request)
            return [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]

    def decide(self, arn: str, *, approved: bool, description: str) -> None:
        """Write a decision on a package; `description` has at most 1,024 characters."""
        with translated(f"sagemaker:UpdateModelPackage of {arn}"):
            self._sagemaker.update_model_package(
                ModelPackageArn=arn,
                ModelApprovalStatus="Approved" if approved else "Rejected",
                ApprovalDescription=description,
            )

    def reopen(self, arn: str, description: str) -> None:
        """Let a package wait for its approval again; `description` has at most 1,024 characters."""
        with translated(f"sagemaker:UpdateModelPackage of {arn}"):
            self._sagemaker.update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval", ApprovalDescription=description
            )


def _package(found: "DescribeModelPackageOutputTypeDef") -> "ModelPackage":
    from signalbox.aws.model import ModelPackage  # noqa: PLC0415  # who only decides reads no package

    specification = found.get("InferenceSpecification", {})
    origin = found.get("MetadataProperties", {})
    return ModelPackage(
        arn=found["ModelPackageArn"],
        approval=found.get("ModelApprovalStatus", ""),
        state=found.get("ModelPackageStatus", ""),
        containers=_containers(specification.get("Containers", [])),
        content_types=tuple(specification.get("SupportedContentTypes", [])),
        transform_types=tuple(specification.get("SupportedTransformInstanceTypes", [])),
        realtime_types=tuple(specification.get("SupportedRealtimeInferenceInstanceTypes", [])),
        properties=dict(found.get("CustomerMetadataProperties", {})),
        commit=origin.get("CommitId") or found.get("CustomerMetadataProperties", {}).get("commit"),
        generated_by=origin.get("GeneratedBy", ""),
        changed_by=_person(found.get("LastModifiedBy")) or _person(found.get("CreatedBy")),
        description=found.get("ApprovalDescription", ""),
        created_by=_person(found.get("CreatedBy")),
        additional={
            one["Name"]: _containers(one["Containers"]) for one in found.get("AdditionalInferenceSpecifications", [])
        },
        statistics=found.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri", ""),
        response_types=tuple(specification.get("SupportedResponseMIMETypes", [])),
    )


def _person(context: Any) -> str:
    """Return a UserContext's name in Studio, or the ARN of its IAM identity; "" where SageMaker does not say."""
    known: dict[str, Any] = context or {}
    return str(known.get("UserProfileName") or known.get("IamIdentity", {}).get("Arn") or "")


def _containers(given: "Sequence[ModelPackageContainerDefinitionOutputTypeDef]") -> "tuple[ModelContainer, ...]":
    return tuple(_container(one) for one in given)


def _container(one: "ModelPackageContainerDefinitionOutputTypeDef") -> "ModelContainer":
    from signalbox.aws.model import ModelContainer  # noqa: PLC0415  # as above

    source = one.get("ModelDataSource", {}).get("S3DataSource")
    fetched = [*(name for name in _FETCHED if name in one), *(name for name in _FETCHED if source and name in source)]
    return ModelContainer(
        image=one.get("Image", ""),
        model_data=source["S3Uri"] if source else one.get("ModelDataUrl"),
        environment=dict(one.get("Environment", {})),
        digest=one.get("ImageDigest", "").lower(),
        data_type=source["S3DataType"] if source else None,
        compression=source["CompressionType"] if source else None,
        foreign=tuple(fetched),
    )
