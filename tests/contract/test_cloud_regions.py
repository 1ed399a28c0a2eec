"""Regions of our cloud do not see each other: what is made in one has its ARN, and nobody finds it from another."""

import io
import zipfile
from typing import Any

from sagemaker_local.server import ACCOUNT
from tests.contract.stacks import Stack
from tests.contract.test_cloud_sagemaker import refused
from tests.contract.world import World, allow, image, name, until

ELSEWHERE = "eu-west-1"


def test_a_group_of_one_region_is_not_there_in_another(cloud: World) -> None:
    here, there = cloud.client("sagemaker"), cloud.client("sagemaker", region=ELSEWHERE)
    group = name("group")

    arn = there.create_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]

    assert arn == f"arn:aws:sagemaker:{ELSEWHERE}:{ACCOUNT}:model-package-group/{group}"
    assert here.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"] == []
    assert refused(here.describe_model_package_group, ModelPackageGroupName=group)[0] == "ValidationException"
    named = refused(here.add_tags, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert named == ("ValidationException", f"ResourceArn {arn}: nothing of another region or account is here.")
    here.create_model_package_group(ModelPackageGroupName=group)
    assert there.list_tags(ResourceArn=arn)["Tags"] == []


def test_a_job_of_another_region_works_and_logs_there(cloud: World) -> None:
    there, job = cloud.client("sagemaker", region=ELSEWHERE), name("job")
    request: dict[str, Any] = {
        "TrainingJobName": job,
        "RoleArn": cloud.role(allow("s3:*", "logs:*")),
        "OutputDataConfig": {"S3OutputPath": f"s3://{cloud.bucket()}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    algorithm = {"TrainingInputMode": "File", "ContainerEntrypoint": ["python3", "-c", "print('hello')"]}
    at_home = {**algorithm, "TrainingImage": image("echo")}
    away = {**algorithm, "TrainingImage": image("echo").replace("us-east-1", ELSEWHERE)}

    assert (
        "does not lie in ECR of this region"
        in refused(there.create_training_job, **request, AlgorithmSpecification=at_home)[1]
    )
    there.create_training_job(**request, AlgorithmSpecification=away)

    done = until(lambda: there.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] != "InProgress")
    assert done
    assert there.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "Completed"
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": job}
    until(lambda: cloud.client("logs", region=ELSEWHERE).describe_log_streams(**group)["logStreams"])


def test_a_stack_makes_its_resources_in_its_own_region(cloud: World) -> None:
    stack, group = Stack(cloud, region=ELSEWHERE), name("group")
    here, there = cloud.client("sagemaker"), cloud.client("sagemaker", region=ELSEWHERE)
    properties = {"ModelPackageGroupName": group}
    resources = {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}}

    made = stack.create(resources, {"Arn": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}})

    assert made["Outputs"][0]["OutputValue"] == f"arn:aws:sagemaker:{ELSEWHERE}:{ACCOUNT}:model-package-group/{group}"
    assert there.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupStatus"] == "Completed"
    assert refused(here.describe_model_package_group, ModelPackageGroupName=group)[0] == "ValidationException"
    assert stack.delete() == "DELETE_COMPLETE"
    assert there.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"] == []


def test_a_stack_fills_its_repository_in_its_own_region(cloud: World) -> None:
    packed, repository = io.BytesIO(), name("repository")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("README.md", "hello")
    code = {"S3": {"Bucket": cloud.bucket({"code.zip": packed.getvalue()}), "Key": "code.zip"}}
    properties = {"RepositoryName": repository, "Code": code}
    there = cloud.client("codecommit", region=ELSEWHERE)

    made = Stack(cloud, region=ELSEWHERE).create(
        {"Repository": {"Type": "AWS::CodeCommit::Repository", "Properties": properties}}
    )

    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert there.get_file(repositoryName=repository, filePath="README.md")["fileContent"] == b"hello"
    assert repository not in {
        one["repositoryName"] for one in cloud.client("codecommit").list_repositories()["repositories"]
    }
