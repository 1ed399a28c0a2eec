"""The model registry: groups, versions, tokens, approval, events with what was changed, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import OWN, transform
from tests.sagemaker_local.support.service import DATA, PREFIX, ROLE, SageMaker, variant

SPECIFICATION = {"Containers": [{"Image": OWN, "ModelDataUrl": DATA}], "SupportedContentTypes": ["text/csv"]}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with an empty group `g`."""
    made = SageMaker(tmp_path)
    made.call("CreateModelPackageGroup", ModelPackageGroupName="g")
    return made


def register(sagemaker: SageMaker, **more: Any) -> str:
    request = {"ModelPackageGroupName": "g", "InferenceSpecification": SPECIFICATION, **more}
    return str(sagemaker.call("CreateModelPackage", **request)["ModelPackageArn"])


def update(sagemaker: SageMaker, arn: str, **more: Any) -> None:
    sagemaker.call("UpdateModelPackage", ModelPackageArn=arn, **more)


def sent(sagemaker: SageMaker) -> dict[str, Any]:
    return sagemaker.events.details("Model Package State")[-1]


def describe(sagemaker: SageMaker, arn: str) -> dict[str, Any]:
    return sagemaker.call("DescribeModelPackage", ModelPackageName=arn)


def test_arns_are_in_lower_case_whatever_the_name_is(sagemaker: SageMaker) -> None:
    group = sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="Team-Abalone")["ModelPackageGroupArn"]

    assert group == f"{PREFIX}model-package-group/team-abalone"
    assert register(sagemaker, ModelPackageGroupName="Team-Abalone") == f"{PREFIX}model-package/team-abalone/1"


def test_an_instance_type_that_a_package_does_not_support_is_refused_where_it_would_run(sagemaker: SageMaker) -> None:
    supported = {
        "SupportedRealtimeInferenceInstanceTypes": ["ml.c5.large"],
        "SupportedTransformInstanceTypes": ["ml.c5.xlarge"],
    }
    arn = register(sagemaker, InferenceSpecification=SPECIFICATION | supported, ModelApprovalStatus="Approved")
    sagemaker.call("CreateModel", ModelName="m", Containers=[{"ModelPackageName": arn}], ExecutionRoleArn=ROLE)
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant("a")]}
    job = transform(ModelName="m") | {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}

    assert f"ml.m5.large is not supported by model package {arn}: it supports ml.c5.large." in sagemaker.refused(
        "CreateEndpointConfig", **config
    )
    assert "it supports ml.c5.xlarge." in sagemaker.refused("CreateTransformJob", **job)
    config["ProductionVariants"] = [variant("a", InstanceType="ml.c5.large")]
    sagemaker.call("CreateEndpointConfig", **config)


def test_versions_count_up_and_are_never_given_twice(sagemaker: SageMaker) -> None:
    first, second = register(sagemaker), register(sagemaker)
    sagemaker.call("DeleteModelPackage", ModelPackageName=second)
    third = register(sagemaker, ModelPackageGroupName=f"{PREFIX}model-package-group/g")

    assert [first, second, third] == [f"{PREFIX}model-package/g/{number}" for number in (1, 2, 3)]
    found = describe(sagemaker, third)
    assert (found["ModelApprovalStatus"], found["ModelPackageVersion"]) == ("PendingManualApproval", 3)
    assert found["CreatedBy"]["IamIdentity"]["Arn"] == sagemaker.caller.principal


def test_a_token_that_was_seen_answers_with_its_version_even_at_the_same_moment(sagemaker: SageMaker) -> None:
    with ThreadPoolExecutor(4) as pool:
        arns = list(pool.map(lambda _: register(sagemaker, ClientToken="once"), range(8)))
    assert set(arns) == {f"{PREFIX}model-package/g/1"}
    assert register(sagemaker, ClientToken="twice") == f"{PREFIX}model-package/g/2"
    assert len(sagemaker.events.details("Model Package")) == 2


def test_the_event_of_a_new_package_says_its_state_and_no_changes(sagemaker: SageMaker) -> None:
    arn = register(sagemaker, MetadataProperties={"GeneratedBy": "pipeline"}, CustomerMetadataProperties={"a": "b"})
    detail = sent(sagemaker)
    assert (detail["ModelPackageArn"], detail["ModelApprovalStatus"]) == (arn, "PendingManualApproval")
    assert (detail["ModelPackageVersion"], detail["MetadataProperties"]) == (1, {"GeneratedBy": "pipeline"})
    assert detail["CreationTime"].endswith("Z")
    assert detail["UpdatedModelPackageFields"] == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (
            {"ModelApprovalStatus": "Approved", "ApprovalDescription": "ann"},
            ["ModelApprovalStatus", "ApprovalDescription"],
        ),
        ({"CustomerMetadataProperties": {"a": "1"}}, ["CustomerMetadataProperties"]),
        ({"CustomerMetadataPropertiesToRemove": ["a"]}, ["CustomerMetadataProperties"]),
        ({"SourceUri": "s3://x"}, ["sourceUri"]),
        ({"ModelLifeCycle": {"Stage": "Staging", "StageStatus": "Approved"}}, ["ModelLifeCycle"]),
        ({"InferenceSpecification": SPECIFICATION}, ["InferenceSpecification"]),
    ],
)
def test_the_event_of_a_change_says_what_was_changed(
    sagemaker: SageMaker, change: dict[str, Any], fields: list[str]
) -> None:
    arn = register(sagemaker, ModelApprovalStatus="Rejected")
    update(sagemaker, arn, **change)
    assert sent(sagemaker)["UpdatedModelPackageFields"] == fields
    # The current approval status is repeated whatever was changed.
    assert sent(sagemaker)["ModelApprovalStatus"] == change.get("ModelApprovalStatus", "Rejected")


def test_a_change_leaves_the_rest_and_names_who_made_it(sagemaker: SageMaker) -> None:
    arn = register(sagemaker, CustomerMetadataProperties={"a": "1", "b": "2"})
    additional = [{"Name": "more", "Containers": SPECIFICATION["Containers"]}]
    update(sagemaker, arn, CustomerMetadataProperties={"c": "3"}, CustomerMetadataPropertiesToRemove=["a"])
    update(sagemaker, arn, AdditionalInferenceSpecificationsToAdd=additional)
    update(sagemaker, arn, ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Draft"})

    found = describe(sagemaker, arn)
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert found["AdditionalInferenceSpecifications"] == additional
    assert found["ModelCard"]["ModelCardStatus"] == "Draft"
    assert found["LastModifiedBy"]["IamIdentity"]["Arn"] == sagemaker.caller.principal
    assert found["LastModifiedTime"] > found["CreationTime"]


def test_a_package_keeps_at_most_fifty_properties_however_they_come(sagemaker: SageMaker) -> None:
    arn = register(sagemaker, CustomerMetadataProperties={str(number): "x" for number in range(50)})
    request = {"ModelPackageArn": arn, "CustomerMetadataProperties": {"one": "more"}}
    assert "at most 50" in sagemaker.refused("UpdateModelPackage", **request)
    assert len(describe(sagemaker, arn)["CustomerMetadataProperties"]) == 50


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"InferenceSpecification": SPECIFICATION}, "outside a group"),
        (
            {"ModelPackageGroupName": "none", "InferenceSpecification": SPECIFICATION},
            "model-package-group/none does not",
        ),
        ({"ModelPackageGroupName": "g"}, "needs an InferenceSpecification"),
        ({"ModelPackageGroupName": "g", "ModelPackageName": "p", "SourceUri": "s"}, "no ModelPackageName and no Tags"),
        ({"ModelPackageGroupName": "g", "SourceUri": "s", "Tags": [{"Key": "a", "Value": "b"}]}, "and no Tags"),
        ({"ModelPackageGroupName": "g", "SourceUri": "s", "ModelApprovalStatus": "Maybe"}, "enum value set"),
        ({"ModelPackageGroupName": "g", "SourceUri": "s", "ClientToken": "x" * 37}, "less than or equal to 36"),
    ],
)
def test_what_cannot_be_registered_is_refused(sagemaker: SageMaker, request_: dict[str, Any], sentence: str) -> None:
    refused = sagemaker.refused("CreateModelPackage", **request_)
    assert refused.startswith("ValidationException")
    assert sentence in refused


@pytest.mark.parametrize("operation", ["DescribeModelPackage", "DeleteModelPackage", "UpdateModelPackage"])
def test_a_package_that_is_not_there_is_refused(sagemaker: SageMaker, operation: str) -> None:
    arn = f"{PREFIX}model-package/g/7"
    member = "ModelPackageArn" if operation == "UpdateModelPackage" else "ModelPackageName"
    assert sagemaker.refused(operation, **{member: arn}) == f"ValidationException: ModelPackage {arn} does not exist."


def test_packages_are_listed_by_group_and_approval_oldest_first_unless_asked(sagemaker: SageMaker) -> None:
    sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="h")
    arns = [register(sagemaker), register(sagemaker, ModelApprovalStatus="Approved")]
    other = register(sagemaker, ModelPackageGroupName="h")

    def listed(**request: Any) -> list[str]:
        answer = sagemaker.call("ListModelPackages", **request)["ModelPackageSummaryList"]
        return [item["ModelPackageArn"] for item in answer]

    assert listed(ModelPackageGroupName="g") == arns
    assert listed(ModelPackageGroupName=f"{PREFIX}model-package-group/g", SortOrder="Descending") == arns[::-1]
    assert listed(ModelPackageGroupName="g", ModelApprovalStatus="Approved") == arns[1:]
    assert listed(ModelPackageType="Versioned") == [*arns, other]
    assert listed() == listed(ModelPackageType="Unversioned", ModelPackageGroupName="g") == []
    assert "does not exist" in sagemaker.refused("ListModelPackages", ModelPackageGroupName="none")


def test_a_group_is_deleted_when_it_is_empty(sagemaker: SageMaker) -> None:
    arn = register(sagemaker)
    assert sagemaker.refused("DeleteModelPackageGroup", ModelPackageGroupName="g").startswith("ConflictException")
    sagemaker.call("DeleteModelPackage", ModelPackageName=arn)
    sagemaker.call("DeleteModelPackageGroup", ModelPackageGroupName="g")
    assert sagemaker.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []
    assert "does not exist" in sagemaker.refused("DescribeModelPackageGroup", ModelPackageGroupName="g")


def test_a_group_has_a_description_and_its_name_once(sagemaker: SageMaker) -> None:
    assert (
        sagemaker.call("DescribeModelPackageGroup", ModelPackageGroupName="g")["ModelPackageGroupStatus"] == "Completed"
    )
    assert "already exists" in sagemaker.refused("CreateModelPackageGroup", ModelPackageGroupName="g")


def test_only_an_approved_package_makes_a_model(sagemaker: SageMaker) -> None:
    arn = register(sagemaker)
    request = {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": ROLE}
    assert "is PendingManualApproval, not Approved" in sagemaker.refused("CreateModel", **request)
    update(sagemaker, arn, ModelApprovalStatus="Approved")
    sagemaker.call("CreateModel", **request)
    lost = {**request, "PrimaryContainer": {"ModelPackageName": f"{arn}9"}}
    assert "Could not find model package" in sagemaker.refused("CreateModel", **lost)


GROUP = f"{PREFIX}model-package-group/g"


def test_a_package_is_registered_in_a_group_and_its_image_and_data_are_read_by_who_registers(
    sagemaker: SageMaker,
) -> None:
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/own:1"
    register(
        sagemaker, InferenceSpecification={**SPECIFICATION, "Containers": [{"Image": image, "ModelDataUrl": DATA}]}
    )
    repository = "arn:aws:ecr:eu-west-1:123456789012:repository/team/own"
    asked = sagemaker.access.asked
    assert ("sagemaker:CreateModelPackage", GROUP) in asked
    assert {("ecr:BatchGetImage", repository), ("ecr:DescribeImages", repository)} <= set(asked)
    assert {("s3:ListBucket", "arn:aws:s3:::models"), ("s3:GetObject", "arn:aws:s3:::models/m.tar.gz")} <= set(asked)


@pytest.mark.parametrize(
    "forbidden",
    [("sagemaker:CreateModelPackage", GROUP), ("ecr:DescribeImages", "*"), ("s3:GetObject", "*")],
)
def test_a_caller_without_one_of_the_rights_registers_nothing(sagemaker: SageMaker, forbidden: tuple[str, str]) -> None:
    sagemaker.access.forbidden.add(forbidden)
    assert sagemaker.refused(
        "CreateModelPackage", ModelPackageGroupName="g", InferenceSpecification=SPECIFICATION
    ).startswith("AccessDeniedException")
    sagemaker.access.forbidden.clear()
    assert register(sagemaker).endswith("/1")


def test_packages_are_listed_by_who_may_list_their_group(sagemaker: SageMaker) -> None:
    sagemaker.access.forbidden.add(("sagemaker:ListModelPackages", GROUP))
    assert sagemaker.refused("ListModelPackages", ModelPackageGroupName="g").startswith("AccessDeniedException")


def test_a_model_of_a_package_is_made_by_who_may_make_it_of_the_package(sagemaker: SageMaker) -> None:
    arn = register(sagemaker, ModelApprovalStatus="Approved")
    sagemaker.access.forbidden.add(("sagemaker:CreateModel", arn))
    model = {"ModelName": "m", "Containers": [{"ModelPackageName": arn}], "ExecutionRoleArn": ROLE}
    assert sagemaker.refused("CreateModel", **model).startswith("AccessDeniedException")
    sagemaker.access.forbidden.clear()
    sagemaker.call("CreateModel", **model)
