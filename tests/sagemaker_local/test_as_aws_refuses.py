"""Requests that AWS refuses are refused, and what it shows is shown: found by programs that were written for AWS."""

from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import OWN, channel, container, transform
from tests.sagemaker_local.support.service import DATA, ROLE, SageMaker
from tests.sagemaker_local.test_jobs_control import ended, request

FOREIGN = "arn:aws:sagemaker:eu-west-1:123456789012:"
OTHERS = "arn:aws:sagemaker:us-east-1:000000000000:"
SPOT = {"EnableManagedSpotTraining": True}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with the model `m`."""
    made = SageMaker(tmp_path)
    made.model()
    return made


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (SPOT, "Invalid MaxWaitTimeInSeconds. It must be present"),
        (
            SPOT | {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}},
            "greater than or equal",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}}, "managed spot training only"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 432_001}}, "longer than the longest run time"),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "a", "TrainingImage": OWN, "TrainingInputMode": "File"}},
            "AlgorithmSpecification.AlgorithmName is not emulated here: give a TrainingImage.",
        ),
    ],
)
def test_a_training_job_that_aws_refuses_is_refused(
    sagemaker: SageMaker, changes: dict[str, Any], sentence: str
) -> None:
    refused = sagemaker.refused("CreateTrainingJob", **request(**changes))
    assert refused.startswith("ValidationException")
    assert sentence in refused


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MaxPayloadInMB": 101}, "is over 100 MB"),
        ({"MaxPayloadInMB": 101, "MaxConcurrentTransforms": 0}, "is over 100 MB"),
        ({"MaxPayloadInMB": 51, "MaxConcurrentTransforms": 2}, "is over 100 MB"),
        (
            {"BatchStrategy": "MultiRecord", "TransformInput": {"SplitType": "None"}},
            "BatchStrategy MultiRecord needs a SplitType",
        ),
    ],
)
def test_a_transform_job_that_aws_refuses_is_refused(
    sagemaker: SageMaker, changes: dict[str, Any], sentence: str
) -> None:
    instances = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    refused = sagemaker.refused("CreateTransformJob", **transform(**changes), TransformResources=instances)
    assert refused.startswith("ValidationException")
    assert sentence in refused


@pytest.mark.parametrize(
    "image",
    [
        "own:latest",
        "registry.example.com/own:latest",
        OWN.replace("us-east-1", "eu-west-1"),
        "000000000000.dkr.ecr.us-east-1.amazonaws.com/",
    ],
)
def test_an_image_that_does_not_lie_in_ecr_of_the_region_is_refused(sagemaker: SageMaker, image: str) -> None:
    training = request(AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
    model = {"ModelName": "n", "PrimaryContainer": {"Image": image}, "ExecutionRoleArn": ROLE}
    assert f"Cannot find the requested image {image}" in sagemaker.refused("CreateTrainingJob", **training)
    assert f"Requested image {image} not found" in sagemaker.refused("CreateModel", **model)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("AddTags", {"ResourceArn": f"{FOREIGN}model/m", "Tags": [{"Key": "a", "Value": "b"}]}),
        ("AddTags", {"ResourceArn": f"{OTHERS}model/m", "Tags": [{"Key": "a", "Value": "b"}]}),
        ("ListTags", {"ResourceArn": f"{FOREIGN}model/m"}),
        ("DescribeModelPackageGroup", {"ModelPackageGroupName": f"{OTHERS}model-package-group/g"}),
        ("DescribeFeatureGroup", {"FeatureGroupName": f"{FOREIGN}feature-group/g"}),
        (
            "CreateModel",
            {
                "ModelName": "n",
                "PrimaryContainer": {"ModelPackageName": f"{OTHERS}model-package/g/1"},
                "ExecutionRoleArn": ROLE,
            },
        ),
    ],
)
def test_the_arn_of_another_region_or_account_names_nothing_here(
    sagemaker: SageMaker, operation: str, given: dict[str, Any]
) -> None:
    refused = sagemaker.refused(operation, **given)
    assert refused.startswith("ValidationException: ")
    assert refused.endswith(": nothing of another region or account is here.")
    if operation == "AddTags":
        assert sagemaker.call("ListTags", ResourceArn=f"{OTHERS}model/m".replace("0" * 12, "123456789012")) == {
            "Tags": []
        }


def test_the_key_of_an_output_is_shown_as_an_empty_text_where_there_is_none(sagemaker: SageMaker) -> None:
    sagemaker.access.s3.put("s3://data/test/1", "1\n")
    sagemaker.call("CreateTrainingJob", **request())
    resources = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}
    sagemaker.call("CreateTransformJob", **transform(), **resources)

    assert ended(sagemaker)["OutputDataConfig"]["KmsKeyId"] == ""
    assert ended(sagemaker, "Transform")["TransformOutput"]["KmsKeyId"] == ""


def test_checkpoints_are_kept_in_the_folder_that_the_job_names(sagemaker: SageMaker) -> None:
    sagemaker.access.s3.put("s3://keep/c/old", "old")
    program = "import os; here = os.environ['SAGEMAKER_BASE_DIR'] + '/here/'; os.rename(here + 'old', here + 'new')"
    container(sagemaker.containers, train=program)
    sagemaker.call(
        "CreateTrainingJob", **request(CheckpointConfig={"S3Uri": "s3://keep/c", "LocalPath": "/opt/ml/here"})
    )

    job = ended(sagemaker)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert sagemaker.access.s3.get("s3://keep/c/new") == b"old"


@pytest.mark.parametrize(("isolation", "status"), [(True, "Completed"), (False, "Failed")])
def test_a_processing_job_without_a_network_has_no_credentials(
    sagemaker: SageMaker, isolation: bool, status: str
) -> None:
    code = "import os, sys; sys.exit('AWS_ENDPOINT_URL' in os.environ)"
    sagemaker.access.role = {"AWS_ENDPOINT_URL": "http://127.0.0.1", "AWS_REGION": "us-east-1"}
    sagemaker.call(
        "CreateProcessingJob",
        ProcessingJobName="job",
        AppSpecification={"ImageUri": OWN, "ContainerEntrypoint": ["python3", "-c", code]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        NetworkConfig={"EnableNetworkIsolation": isolation},
        RoleArn=ROLE,
    )
    assert ended(sagemaker, "Processing")["ProcessingJobStatus"] == status


@pytest.mark.parametrize(
    ("data", "there"),
    [
        ({"ModelDataUrl": "s3://models"}, False),
        ({"ModelDataUrl": "s3://models/"}, False),
        ({"ModelDataUrl": DATA}, True),
        ({"ModelDataSource": ("s3://models/m", "S3Prefix")}, True),
        ({"ModelDataSource": ("s3://models/none/", "S3Prefix")}, False),
        ({"ModelDataSource": ("s3://models/m", "S3Object")}, False),
    ],
)
def test_the_data_of_a_model_have_to_be_there_however_they_are_named(
    sagemaker: SageMaker, data: dict[str, Any], there: bool
) -> None:
    if source := data.get("ModelDataSource"):
        named = {"S3Uri": source[0], "S3DataType": source[1], "CompressionType": "None"}
        data = {"ModelDataSource": {"S3DataSource": named}}
    asked = {"ModelName": "n", "PrimaryContainer": {"Image": OWN, **data}, "ExecutionRoleArn": ROLE}
    if there:
        sagemaker.call("CreateModel", **asked)
    else:
        assert "Could not access model data at s3://models" in sagemaker.refused("CreateModel", **asked)


@pytest.mark.parametrize(
    ("operation", "filters"),
    [
        ("ListTrainingJobs", {"WarmPoolStatusEquals": "Available"}),
        ("ListTrainingJobs", {"TrainingPlanArnEquals": "arn:aws:sagemaker:us-east-1:123456789012:training-plan/p"}),
        ("ListFeatureGroups", {"OfflineStoreStatusEquals": "Blocked"}),
        ("ListFeatureGroups", {"FeatureGroupStatusEquals": "Deleting"}),
        ("ListModelPackageGroups", {"CrossAccountFilterOption": "CrossAccount"}),
    ],
)
def test_a_filter_that_nothing_passes_lists_nothing(
    sagemaker: SageMaker, operation: str, filters: dict[str, str]
) -> None:
    sagemaker.call("CreateTrainingJob", **request(InputDataConfig=[channel("a", DATA)]))
    sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="g")
    sagemaker.call(
        "CreateFeatureGroup",
        FeatureGroupName="g",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://f/x"}},
        RoleArn=ROLE,
    )
    [everything] = (found for found in sagemaker.call(operation).values() if isinstance(found, list))
    [nothing] = (found for found in sagemaker.call(operation, **filters).values() if isinstance(found, list))
    assert (len(everything), nothing) == (1, [])
    ended(sagemaker)


def test_feature_groups_are_listed_by_the_status_of_their_offline_store(sagemaker: SageMaker) -> None:
    for name, status in (("a", "Disabled"), ("b", "Active"), ("c", "Blocked")):
        made = {"FeatureGroupName": name, "OfflineStoreStatus": {"Status": status}}
        times = {"CreationTime": sagemaker.now, "LastModifiedTime": sagemaker.now}
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:feature-group/{name}"
        sagemaker.cloud.store.create("FeatureGroup", name, {**made, **times, "FeatureGroupArn": arn})
    asked = {"SortBy": "OfflineStoreStatus", "SortOrder": "Ascending"}
    listed = sagemaker.call("ListFeatureGroups", **asked)["FeatureGroupSummaries"]
    assert [item["FeatureGroupName"] for item in listed] == ["b", "c", "a"]
    active = sagemaker.call("ListFeatureGroups", OfflineStoreStatusEquals="Active")["FeatureGroupSummaries"]
    assert [item["FeatureGroupName"] for item in active] == ["b"]


def test_tags_are_listed_page_by_page(sagemaker: SageMaker) -> None:
    arn = sagemaker.call("DescribeModel", ModelName="m")["ModelArn"]
    sagemaker.call("AddTags", ResourceArn=arn, Tags=[{"Key": key, "Value": "v"} for key in "abc"])
    first = sagemaker.call("ListTags", ResourceArn=arn, MaxResults=50)
    assert [tag["Key"] for tag in first["Tags"]] == ["a", "b", "c"]
    after = sagemaker.call("ListTags", ResourceArn=arn, NextToken="2")
    assert [tag["Key"] for tag in after["Tags"]] == ["c"]


def test_the_concurrency_of_a_serverless_variant_is_changed_and_shown(sagemaker: SageMaker) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "a", "ModelName": "m", "ServerlessConfig": serverless}
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="s", ProductionVariants=[variant])
    sagemaker.endpoint("s")
    wanted = [{"VariantName": "a", "ServerlessUpdateConfig": {"MaxConcurrency": 3}}]
    sagemaker.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted)
    [shown] = sagemaker.describe()["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 3}
