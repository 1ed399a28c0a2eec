"""The request that keeps an evaluation's evidence in the model registry, as the mlops machine passes it on."""

from typing import TYPE_CHECKING

from signalbox.contents import containers_of

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateModelPackageInputTypeDef,
        InferenceSpecificationTypeDef,
        MetadataPropertiesTypeDef,
        ModelPackageContainerDefinitionTypeDef,
        UpdateModelPackageInputTypeDef,
    )

    from signalbox.contracts.common import AwsRequest
    from signalbox.contracts.training import ContainerContent, EvaluationPlan, EvaluationQuestion, ModelContent

# botocore's `sagemaker` model: EntityDescription.
_DESCRIPTION_LIMIT = 1024


def record(question: "EvaluationQuestion", report: str, golden: str, summary: str) -> "AwsRequest":
    """Return CreateModelPackage for an image, UpdateModelPackage for a package; `report` and `golden` are S3 URIs."""
    plan, evidence = question["plan"], {"report": report, "golden": golden}
    if plan["package"] is not None:
        return _attached(plan, plan["package"], evidence, question["content"])
    return _registered(plan, evidence, summary, question)


def _attached(
    plan: "EvaluationPlan", package: str, evidence: dict[str, str], content: "ModelContent"
) -> "UpdateModelPackageInputTypeDef":
    """Return the request that leaves the package's approval status as it is.

    What was tested, or is to be reviewed without a test, becomes an inference specification of the package beside its
    own: a release deploys that one.
    """
    untested = plan.get("untested")
    reviewed = "reviewed" if untested else "tested"
    return {
        "ModelPackageArn": package,
        "CustomerMetadataProperties": evidence,
        "AdditionalInferenceSpecificationsToAdd": [
            {
                "Name": str(content["specification"]),
                "Description": f"What was {reviewed}: the image by its digest, the model's data where no job may write",
                "Containers": [_container(one) for one in containers_of(content)],
                "SupportedContentTypes": untested["takes"] if untested else [plan["content_type"]],
                "SupportedResponseMIMETypes": untested["answers"] if untested else ["text/csv"],
            }
        ],
        "ClientToken": plan["client_token"],
    }


def _container(content: "ContainerContent") -> "ModelPackageContainerDefinitionTypeDef":
    container: ModelPackageContainerDefinitionTypeDef = {
        "Image": content["image"],
        "ImageDigest": content["image"].partition("@")[2],
        "Environment": content["environment"],
    }
    if "data_type" in content:
        container["ModelDataSource"] = {
            "S3DataSource": {
                "S3Uri": content["model_data"],
                "S3DataType": content["data_type"],
                "CompressionType": content["compression"],
            }
        }
    elif content["model_data"]:
        container |= {"ModelDataUrl": content["model_data"], "ModelDataETag": content["etag"]}
    return container


def _registered(
    plan: "EvaluationPlan", evidence: dict[str, str], summary: str, question: "EvaluationQuestion"
) -> "CreateModelPackageInputTypeDef":
    """Return the request that registers a version to be reviewed."""
    return {
        "ModelPackageGroupName": plan["group"],
        "ModelPackageDescription": summary[:_DESCRIPTION_LIMIT],
        "InferenceSpecification": _inference(plan, question["content"]),
        "ModelApprovalStatus": "PendingManualApproval",
        "ClientToken": plan["client_token"],
        "CustomerMetadataProperties": {
            "test-data": plan["test_data"],
            "content-type": plan["content_type"],
            "problem": plan["problem"],
            **evidence,
        },
        "MetadataProperties": _origin(plan, question["execution_arn"]),
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": evidence["report"]}}
        },
    }


def _inference(plan: "EvaluationPlan", content: "ModelContent") -> "InferenceSpecificationTypeDef":
    return {
        "Containers": [_container(content)],
        "SupportedContentTypes": [plan["content_type"]],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def _origin(plan: "EvaluationPlan", execution_arn: str) -> "MetadataPropertiesTypeDef":
    commit = plan["commit"]
    return {"GeneratedBy": execution_arn, "CommitId": commit} if commit else {"GeneratedBy": execution_arn}
