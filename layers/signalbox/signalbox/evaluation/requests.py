"""The request that keeps an evaluation's evidence in the model registry, as the mlops machine passes it on."""

from typing import TYPE_CHECKING

from signalbox.contracts.common import AwsRequest
from signalbox.contracts.training import EvaluationPlan, EvaluationQuestion

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateModelPackageInputTypeDef,
        InferenceSpecificationTypeDef,
        MetadataPropertiesTypeDef,
        UpdateModelPackageInputTypeDef,
    )

# botocore's `sagemaker` model: EntityDescription.
_DESCRIPTION_LIMIT = 1024


def record(question: EvaluationQuestion, report: str, golden: str, summary: str) -> AwsRequest:
    """Return CreateModelPackage for an image, UpdateModelPackage for a package; `report` and `golden` are S3 URIs."""
    plan, evidence = question["plan"], {"report": report, "golden": golden}
    if plan["package"] is not None:
        return _attached(plan["package"], evidence)
    return _registered(plan, evidence, summary, question["execution_arn"])


def _attached(package: str, evidence: dict[str, str]) -> "UpdateModelPackageInputTypeDef":
    """Return the request that leaves the package's approval status as it is."""
    return {"ModelPackageArn": package, "CustomerMetadataProperties": evidence}


def _registered(
    plan: EvaluationPlan, evidence: dict[str, str], summary: str, execution_arn: str
) -> "CreateModelPackageInputTypeDef":
    """Return the request that registers a version to be reviewed."""
    return {
        "ModelPackageGroupName": plan["group"],
        "ModelPackageDescription": summary[:_DESCRIPTION_LIMIT],
        "InferenceSpecification": _inference(plan),
        "ModelApprovalStatus": "PendingManualApproval",
        "ClientToken": plan["client_token"],
        "CustomerMetadataProperties": {
            "test-data": plan["test_data"],
            "content-type": plan["content_type"],
            "problem": plan["problem"],
            **evidence,
        },
        "MetadataProperties": _origin(plan, execution_arn),
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": evidence["report"]}}
        },
    }


def _inference(plan: EvaluationPlan) -> "InferenceSpecificationTypeDef":
    return {
        "Containers": [{"Image": plan["image"], "ModelDataUrl": plan["model_data"]}],
        "SupportedContentTypes": [plan["content_type"]],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def _origin(plan: EvaluationPlan, execution_arn: str) -> "MetadataPropertiesTypeDef":
    commit = plan["commit"]
    return {"GeneratedBy": execution_arn, "CommitId": commit} if commit else {"GeneratedBy": execution_arn}
