"""The model registry: what is read of a package, which are approved, and how a decision is written."""

from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.model import ModelContainer, ModelPackage
from signalbox.aws.registry import ModelRegistry

GROUP = "signalbox-abalone"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/3"
DESCRIBED: dict[str, Any] = {
    "ModelPackageArn": ARN,
    "ModelPackageStatus": "Completed",
    "ApprovalDescription": "approved by ann",
    "ModelApprovalStatus": "Approved",
    "InferenceSpecification": {
        "Containers": [{"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz", "Environment": {"A": "b"}}],
        "SupportedContentTypes": ["text/csv"],
    },
    "CustomerMetadataProperties": {"report": "s3://b/report.json", "golden": "s3://b/golden.json"},
    "MetadataProperties": {"CommitId": "8c1d", "GeneratedBy": "arn:run-1"},
    "LastModifiedBy": {"UserProfileName": "ann"},
}


def registry(**answers: Any) -> tuple[ModelRegistry, RecordingClient]:
    client: Any = RecordingClient("sagemaker", answers)
    return ModelRegistry(client), client


def test_a_package_is_read_with_everything_that_the_journeys_use() -> None:
    sagemaker, client = registry(describe_model_package=DESCRIBED)
    package = sagemaker.find(ARN)
    assert package == ModelPackage(
        arn=ARN,
        approval="Approved",
        state="Completed",
        containers=(ModelContainer("image", "s3://b/model.tar.gz", {"A": "b"}),),
        content_types=("text/csv",),
        properties={"report": "s3://b/report.json", "golden": "s3://b/golden.json"},
        commit="8c1d",
        generated_by="arn:run-1",
        changed_by="ann",
        description="approved by ann",
    )
    assert package is not None
    assert (package.approved, package.report, package.golden) == (True, "s3://b/report.json", "s3://b/golden.json")
    assert client.requests("DescribeModelPackage") == [{"ModelPackageName": ARN}]


def test_a_package_that_says_little_is_read_too() -> None:
    package = registry(describe_model_package={"ModelPackageArn": ARN})[0].find(ARN)
    assert package == ModelPackage(arn=ARN, approval="", state="")
    assert package is not None
    assert (package.approved, package.report, package.golden) == (False, None, None)


@pytest.mark.parametrize(
    ("who", "changed_by"),
    [
        ({"LastModifiedBy": {"IamIdentity": {"Arn": "arn:role"}}, "CreatedBy": {"UserProfileName": "bob"}}, "arn:role"),
        ({"LastModifiedBy": {}, "CreatedBy": {"UserProfileName": "bob"}}, "bob"),
        ({"LastModifiedBy": {}}, ""),
    ],
)
def test_who_changed_a_package_last_is_a_profile_or_an_identity(who: dict[str, Any], changed_by: str) -> None:
    package = registry(describe_model_package=DESCRIBED | who)[0].find(ARN)
    assert package is not None
    assert package.changed_by == changed_by


def test_a_package_that_is_not_registered_is_none() -> None:
    gone = client_error("ValidationException", f"ModelPackage {ARN} does not exist.")
    assert registry(describe_model_package=gone)[0].find(ARN) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", CallRefusedError),
        ("ValidationException", CallRefusedError),
        ("ThrottlingException", ServiceBusyError),
    ],
)
def test_a_refusal_is_not_taken_for_a_missing_package(code: str, error: type[Exception]) -> None:
    refused = client_error(code)
    sagemaker, _client = registry(
        describe_model_package=refused, list_model_packages=refused, update_model_package=refused
    )
    with pytest.raises(error, match=f"sagemaker:DescribeModelPackage of {ARN}.*{code}"):
        sagemaker.find(ARN)
    with pytest.raises(error, match=f"sagemaker:ListModelPackages of {GROUP}.*{code}"):
        sagemaker.approved(GROUP)
    with pytest.raises(error, match=f"sagemaker:UpdateModelPackage of {ARN}.*{code}"):
        sagemaker.decide(ARN, approved=True, description="")


def test_the_approved_versions_are_read_over_all_pages_newest_first() -> None:
    def page(*versions: int, **more: str) -> dict[str, Any]:
        arns = [{"ModelPackageArn": f"{ARN[:-1]}{version}"} for version in versions]
        return {"ModelPackageSummaryList": arns, **more}

    sagemaker, client = registry(list_model_packages=[page(9, 7, NextToken="more"), page(3)])
    assert [arn.rpartition("/")[2] for arn in sagemaker.approved(GROUP)] == ["9", "7", "3"]
    first, second = client.requests("ListModelPackages")
    assert first == {
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
    assert second == first | {"NextToken": "more"}


@pytest.mark.parametrize(("approved", "status"), [(True, "Approved"), (False, "Rejected")])
def test_a_decision_is_written_with_its_words(approved: bool, status: str) -> None:
    sagemaker, client = registry()
    sagemaker.decide(ARN, approved=approved, description="by ann: too slow")
    assert client.requests("UpdateModelPackage") == [
        {"ModelPackageArn": ARN, "ModelApprovalStatus": status, "ApprovalDescription": "by ann: too slow"}
    ]
