"""The SageMaker service as ministack sees it: the ARN that each request is decided on, and both protocols."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import ministack, regions, service
from tests.sagemaker_local.support.service import PREFIX, SageMaker

EXECUTION = f"{PREFIX}pipeline/Abalone/execution/x"
STATUS = "sagemaker:ModelApprovalStatus"


@pytest.fixture
def sagemaker(tmp_path: Path) -> Any:
    """The service among fakes."""
    return service.Service(SageMaker(tmp_path).cloud)


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("CreateModel", {"ModelName": "m"}, "model/m"),
        ("CreateTransformJob", {"TransformJobName": "t", "ModelName": "m"}, "transform-job/t"),
        ("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "endpoint/e"),
        ("DescribePipeline", {"PipelineName": "Abalone"}, "pipeline/abalone"),
        ("DescribePipeline", {"PipelineName": f"{PREFIX}pipeline/Abalone"}, "pipeline/abalone"),
        ("DescribePipelineExecution", {"PipelineExecutionArn": EXECUTION}, "pipeline/abalone/execution/x"),
        ("ListPipelineExecutions", {"PipelineName": "Abalone"}, "pipeline/abalone"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("ListModelPackages", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("DescribeModelPackage", {"ModelPackageName": f"{PREFIX}model-package/g/1"}, "model-package/g/1"),
        ("UpdateModelPackage", {"ModelPackageArn": f"{PREFIX}model-package/g/1"}, "model-package/g/1"),
        ("AddTags", {"ResourceArn": f"{PREFIX}endpoint/e"}, "endpoint/e"),
        ("StartNotebookInstance", {"NotebookInstanceName": "Mine"}, "notebook-instance/mine"),
        ("ListTags", {"ResourceArn": f"{PREFIX}notebook-instance/Mine"}, "notebook-instance/mine"),
        (
            "DeleteNotebookInstanceLifecycleConfig",
            {"NotebookInstanceLifecycleConfigName": "C"},
            "notebook-instance-lifecycle-config/c",
        ),
        ("CreateDomain", {"DomainName": "d"}, "domain/*"),
        ("DescribeDomain", {"DomainId": "d-1"}, "domain/d-1"),
        ("UpdateUserProfile", {"DomainId": "d-1", "UserProfileName": "Ana"}, "user-profile/d-1/ana"),
        ("CreateSpace", {"DomainId": "d-1", "SpaceName": "Lab"}, "space/d-1/lab"),
        (
            "DeleteApp",
            {"DomainId": "d-1", "SpaceName": "Lab", "AppType": "JupyterLab", "AppName": "default"},
            "app/d-1/lab/jupyterlab/default",
        ),
        ("ListTags", {"ResourceArn": f"{PREFIX}space/d-1/Lab"}, "space/d-1/lab"),
        ("CreateStudioLifecycleConfig", {"StudioLifecycleConfigName": "C"}, "studio-lifecycle-config/c"),
        ("DescribeFeatureGroup", {"FeatureGroupName": f"{PREFIX}feature-group/g"}, "feature-group/g"),
    ],
)
def test_a_request_is_decided_on_the_resource_that_it_names(
    sagemaker: Any, operation: str, request_: dict[str, str], resource: str
) -> None:
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    assert sagemaker.resource_arn("POST", "/", headers, json.dumps(request_).encode()) == f"{PREFIX}{resource}"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("ListModels", b'{"NameContains": "m"}'),
        ("ListSpaces", b'{"DomainIdEquals": "d-1"}'),
        ("CreateModel", b"{"),
        ("A", b"[]"),
        ("A", b""),
    ],
)
def test_a_request_that_names_no_resource_is_decided_on_any(sagemaker: Any, operation: str, body: bytes) -> None:
    assert sagemaker.resource_arn("POST", "/", {"x-amz-target": f"SageMaker.{operation}"}, body) == "*"


@pytest.mark.parametrize(
    ("path", "body", "resource"),
    [
        ("/endpoints/e/invocations", b"\xff", "endpoint/e"),
        ("/FeatureGroup/g", b"", "feature-group/g"),
        ("/FeatureGroup/arn%3Aaws%3Asagemaker%3Aus-east-1%3A123456789012%3Afeature-group%2Fg", b"", "feature-group/g"),
        (
            "/BatchGetRecord",
            b'{"Identifiers": [{"FeatureGroupName": "g"}, {"FeatureGroupName": "h"}]}',
            "feature-group/g",
        ),
        ("/BatchWriteRecord", b'{"Entries": [{"FeatureGroupName": "g"}]}', "feature-group/g"),
        ("/BatchWriteRecord", b"{}", "feature-group/*"),
    ],
)
def test_a_run_time_call_is_decided_on_its_endpoint_or_group(
    sagemaker: Any, path: str, body: bytes, resource: str
) -> None:
    assert sagemaker.resource_arn("POST", path, {}, body) == f"{PREFIX}{resource}"


def test_a_run_time_path_of_nothing_is_decided_on_any(sagemaker: Any) -> None:
    assert sagemaker.resource_arn("GET", "/other", {}, b"") == "*"


def test_both_protocols_are_answered(sagemaker: Any) -> None:
    headers = {"x-amz-target": "SageMaker.ListModels"}
    status, _, body = asyncio.run(sagemaker.handle("POST", "/", headers, b"{}", {}))
    assert (status, json.loads(body)) == (200, {"Models": []})
    query = {"RecordIdentifierValueAsString": ["1"], "FeatureName": ["a", "b"], "other": "x"}
    status, headers, _ = asyncio.run(sagemaker.handle("GET", "/FeatureGroup/g", {}, b"", query))
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFound")


def test_the_service_is_attached_by_its_signing_name(sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ministack, "add_service", lambda *arguments: added.append(arguments))
    regions.attach(sagemaker)
    assert [(name, prefix) for name, _, prefix, *_ in added] == [("sagemaker", "SageMaker.")]


@pytest.mark.parametrize(
    ("action", "body", "keys"),
    [
        ("sagemaker:CreateModelPackage", b'{"ModelApprovalStatus": "Approved"}', {STATUS: "Approved"}),
        (
            "sagemaker:AddTags",
            b'{"Tags": [{"Key": "A", "Value": "1"}, {"Key": "b", "Value": "2"}]}',
            {"aws:requesttag/a": "1", "aws:requesttag/b": "2", "aws:TagKeys": ["A", "b"]},
        ),
        ("sagemaker:DeleteTags", b'{"TagKeys": ["a"]}', {"aws:TagKeys": ["a"]}),
        ("sagemaker:AddTags", b'{"Tags": "a", "TagKeys": 1}', {}),
        ("sagemaker:UpdateModelPackage", b'{"ModelApprovalStatus": "Rejected"}', {STATUS: "Rejected"}),
        ("sagemaker:UpdateModelPackage", b"{}", {}),
        ("sagemaker:CreateModelPackage", b"no JSON", {}),
        ("sagemaker:CreateModelPackage", b"[]", {}),
        ("sagemaker:CreateModel", b'{"ModelApprovalStatus": "Approved"}', {}),
    ],
)
def test_the_approval_status_and_the_tags_of_a_request_are_condition_keys(
    action: str, body: bytes, keys: dict[str, str | list[str]]
) -> None:
    assert regions.condition_keys(action, body) == keys
