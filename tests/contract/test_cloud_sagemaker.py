"""SageMaker's JSON API in our cloud, through boto3: what it keeps, and what it refuses with AWS's code."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, allow, arn, code, image, name, until
from tests.sagemaker_local.support.jobs import channel, tar_gz


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return code(caught.value), str(caught.value.response["Error"]["Message"])


def package(cloud: World, group: str, **more: Any) -> str:
    """Register a version of a group, which is made where there is none."""
    sagemaker = cloud.client("sagemaker")
    if not sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    bucket = cloud.bucket({"model.tar.gz": tar_gz({"model": "1"})})
    container = {"Image": image("echo"), "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification, **more}
    return str(sagemaker.create_model_package(**request)["ModelPackageArn"])


def training(cloud: World, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name("job"),
        "RoleArn": cloud.role(allow("s3:*")),
        "AlgorithmSpecification": {"TrainingImage": image("echo"), "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{cloud.bucket()}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


def test_a_name_that_exists_is_refused_with_the_code_of_its_kind(cloud: World) -> None:
    sagemaker = cloud.client("sagemaker")
    model, config, job, group = cloud.model(), cloud.config(), training(cloud), name("group")
    sagemaker.create_training_job(**job)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    again = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    described = sagemaker.describe_model(ModelName=model)
    same = {"PrimaryContainer": described["PrimaryContainer"], "ExecutionRoleArn": described["ExecutionRoleArn"]}

    assert refused(sagemaker.create_model, ModelName=model, **same) == (
        "ValidationException",
        f'Cannot create already existing model "{arn(f"model/{model}")}".',
    )
    assert (
        refused(sagemaker.create_endpoint_config, EndpointConfigName=config, ProductionVariants=again)[0]
        == "ValidationException"
    )
    assert refused(sagemaker.create_training_job, **job)[0] == "ResourceInUse"
    assert refused(sagemaker.create_model_package_group, ModelPackageGroupName=group)[0] == "ValidationException"


def test_what_a_job_prints_is_read_by_whoever_may_read_its_streams_alone(cloud: World) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker"
    writes = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", resource=f"{group}/*")
    printing = {
        "TrainingImage": image("echo"),
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "-c", "print('a word'); raise SystemExit(3)"],
    }
    job = training(cloud, RoleArn=cloud.role(allow("s3:*"), writes), AlgorithmSpecification=printing)
    sagemaker, place = cloud.client("sagemaker"), {"logGroupName": "/aws/sagemaker/TrainingJobs"}
    sagemaker.create_training_job(**job)
    until(lambda: sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"]).get("FailureReason"))
    find = allow("logs:DescribeLogStreams", resource=f"{group}/TrainingJobs*")
    read = allow("logs:GetLogEvents", resource=f"{group}/TrainingJobs:log-stream:job-*")
    logs = cloud.as_role(cloud.role(find, read), "logs")

    (stream,) = logs.describe_log_streams(**place, logStreamNamePrefix=f"{job['TrainingJobName']}/")["logStreams"]

    found = logs.get_log_events(**place, logStreamName=stream["logStreamName"], limit=20)["events"]
    assert [event["message"] for event in found] == ["a word"]


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("describe_model", {"ModelName": "none"}, "ValidationException"),
        ("describe_endpoint", {"EndpointName": "none"}, "ValidationException"),
        ("describe_endpoint_config", {"EndpointConfigName": "none"}, "ValidationException"),
        ("create_endpoint", {"EndpointName": "e", "EndpointConfigName": "none"}, "ValidationException"),
        ("describe_training_job", {"TrainingJobName": "none"}, "ValidationException"),
        ("describe_transform_job", {"TransformJobName": "none"}, "ResourceNotFound"),
        ("describe_processing_job", {"ProcessingJobName": "none"}, "ResourceNotFound"),
        ("describe_pipeline", {"PipelineName": "none"}, "ResourceNotFound"),
        ("describe_feature_group", {"FeatureGroupName": "none"}, "ResourceNotFound"),
        ("describe_model_package", {"ModelPackageName": arn("model-package/none/1")}, "ValidationException"),
        ("update_model_package", {"ModelPackageArn": arn("model-package/none/1")}, "ValidationException"),
        ("list_model_packages", {"ModelPackageGroupName": "none"}, "ValidationException"),
        ("list_tags", {"ResourceArn": arn("model/none")}, "ValidationException"),
        ("list_models", {"NextToken": "made-up"}, "ValidationException"),
    ],
)
def test_what_does_not_exist_is_refused(
    cloud: World, operation: str, request_: Mapping[str, str], expected: str
) -> None:
    assert refused(getattr(cloud.client("sagemaker"), operation), **request_)[0] == expected


def test_an_operation_that_is_not_emulated_is_refused_by_name(cloud: World) -> None:
    answer = refused(cloud.client("sagemaker").list_clusters)
    assert answer == ("UnknownOperationException", "ListClusters is not an operation that is emulated here.")


def test_an_unknown_image_is_refused(cloud: World) -> None:
    sagemaker = cloud.client("sagemaker")
    wrong = {"TrainingImage": image("nobody"), "TrainingInputMode": "File"}
    answer = refused(sagemaker.create_training_job, **training(cloud, AlgorithmSpecification=wrong))
    assert answer[0] == "ValidationException"
    assert f"Cannot find the requested image {image('nobody')}" in answer[1]
    model = {"ModelName": name("m"), "PrimaryContainer": {"Image": image("nobody")}}
    answer = refused(sagemaker.create_model, **model, ExecutionRoleArn=cloud.role(allow("s3:*")))
    assert f"Requested image {image('nobody')} not found" in answer[1]


def test_missing_objects_are_refused(cloud: World) -> None:
    sagemaker, bucket = cloud.client("sagemaker"), cloud.bucket()
    container = {"Image": image("echo"), "ModelDataUrl": f"s3://{bucket}/none.tar.gz"}
    answer = refused(
        sagemaker.create_model,
        ModelName=name("m"),
        PrimaryContainer=container,
        ExecutionRoleArn=cloud.role(allow("s3:*")),
    )
    assert (answer[0], "Could not access model data" in answer[1]) == ("ValidationException", True)
    job = training(cloud, InputDataConfig=[channel("train", f"s3://{bucket}/none/", "text/csv")])
    answer = refused(sagemaker.create_training_job, **job)
    assert answer[0] == "ValidationException"
    assert answer[1].startswith(f'No S3 objects found under S3 URL "s3://{bucket}/none/" given in input data source.')


@pytest.mark.parametrize("token", ["short", "x" * 129])
def test_a_token_of_the_wrong_length_is_refused(cloud: World, token: str) -> None:
    answer = refused(cloud.client("sagemaker").start_pipeline_execution, PipelineName="p", ClientRequestToken=token)
    assert answer[0] == "ValidationException"
    assert "ClientRequestToken" in answer[1]


def test_a_package_that_is_not_approved_makes_no_model(cloud: World) -> None:
    sagemaker, registered = cloud.client("sagemaker"), package(cloud, name("group"))
    request = {
        "PrimaryContainer": {"ModelPackageName": registered},
        "ExecutionRoleArn": cloud.role(allow("s3:*")),
    }
    assert (
        "is PendingManualApproval, not Approved" in refused(sagemaker.create_model, ModelName=name("m"), **request)[1]
    )
    sagemaker.update_model_package(ModelPackageArn=registered, ModelApprovalStatus="Approved")
    sagemaker.create_model(ModelName=name("m"), **request)


def test_a_group_with_packages_is_not_deleted(cloud: World) -> None:
    sagemaker, group = cloud.client("sagemaker"), name("group")
    registered = package(cloud, group)
    assert refused(sagemaker.delete_model_package_group, ModelPackageGroupName=group)[0] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=registered)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_a_wrong_state_is_refused(cloud: World) -> None:
    sagemaker, job = cloud.client("sagemaker"), training(cloud)
    sagemaker.create_training_job(**job)
    done = "Completed", "Failed", "Stopped"
    describe = sagemaker.describe_training_job
    until(lambda: describe(TrainingJobName=job["TrainingJobName"])["TrainingJobStatus"] in done)
    answer = refused(sagemaker.stop_training_job, TrainingJobName=job["TrainingJobName"])
    assert answer[0] == "ValidationException"
    assert "The request was rejected because the job is in status" in answer[1]


def test_a_transform_that_does_not_fit_is_refused_at_once(cloud: World) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/"}}
    request = {
        "TransformJobName": name("job"),
        "ModelName": cloud.model(),
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"JoinSource": "Input"},
    }
    answer = refused(cloud.client("sagemaker").create_transform_job, **request)
    assert answer == ("ValidationException", "JoinSource Input needs SplitType Line and AssembleWith Line.")


def test_lists_are_sorted_filtered_and_paged(cloud: World) -> None:
    sagemaker, group = cloud.client("sagemaker"), name("group")
    registered = [package(cloud, group) for _ in range(3)]
    sagemaker.update_model_package(ModelPackageArn=registered[1], ModelApprovalStatus="Approved")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    listed = [[item["ModelPackageArn"] for item in page["ModelPackageSummaryList"]] for page in pages]
    assert listed == [[registered[2], registered[1]], [registered[0]]]
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in approved["ModelPackageSummaryList"]] == [registered[1]]


def test_each_state_change_is_told_twice(cloud: World) -> None:
    events, sqs, group = cloud.client("events"), cloud.client("sqs"), name("group")
    queue = sqs.create_queue(QueueName=name("queue"))["QueueUrl"]
    rule = name("rule")
    pattern = f'{{"source": ["aws.sagemaker"], "detail": {{"ModelPackageGroupName": ["{group}"]}}}}'
    events.put_rule(Name=rule, EventPattern=pattern)
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rsplit('/', maxsplit=1)[-1]}"
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": target}])

    package(cloud, group)

    bodies: list[str] = []

    def all_there() -> bool:
        bodies.extend(message["Body"] for message in sqs.receive_message(QueueUrl=queue).get("Messages", []))
        return len(bodies) >= 2

    until(all_there)
    assert [body.split('"ModelPackageVersion"')[1][:4] for body in bodies] == [": 1,", ": 1,"]
    assert len({body.split('"id"')[1][:42] for body in bodies}) == 2


def test_formation_refuses_a_type_that_nobody_emulates_by_its_name(cloud: World) -> None:
    template = '{"Resources": {"A": {"Type": "AWS::SageMaker::Project"}}}'
    answer = refused(cloud.client("cloudformation").create_stack, StackName=name("stack"), TemplateBody=template)
    assert answer[0] == "ValidationError"
    assert "Unrecognized resource types: [AWS::SageMaker::Project]" in answer[1]
