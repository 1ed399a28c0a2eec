"""IAM decides in our cloud, in AWS's words: about SageMaker's calls, and by every policy that a role has."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, allow, arn, code, image, name, until
from tests.sagemaker_local.support.jobs import tar_gz

JOB: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": image("echo"), "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def denial(role: str, action: str, resource: str) -> str:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rsplit('/', maxsplit=1)[-1]}/test"
    return (
        f"User: {session} is not authorized to perform: {action} on resource: {resource} because no identity-based "
        f"policy allows the {action} action"
    )


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return code(caught.value), str(caught.value.response["Error"]["Message"])


def test_a_role_without_the_permission_is_denied_in_awss_words(cloud: World) -> None:
    role = cloud.role(allow("sagemaker:DescribeModel"))
    group, client = name("group"), cloud.as_role(role, "sagemaker")

    answer = refused(client.create_model_package_group, ModelPackageGroupName=group)

    resource = arn(f"model-package-group/{group}")
    assert answer == ("AccessDeniedException", denial(role, "sagemaker:CreateModelPackageGroup", resource))


def test_a_permission_for_one_resource_is_none_for_another(cloud: World) -> None:
    group = name("group")
    own = allow("sagemaker:*", resource=[arn(f"model-package-group/{group}")])
    client = cloud.as_role(cloud.role(own), "sagemaker")

    client.create_model_package_group(ModelPackageGroupName=group)

    assert refused(client.create_model_package_group, ModelPackageGroupName=f"{group}-2")[0] == "AccessDeniedException"


def test_an_explicit_deny_is_said_to_be_one(cloud: World) -> None:
    deny = {"Effect": "Deny", "Action": "sagemaker:ListModels", "Resource": "*"}
    client = cloud.as_role(cloud.role(allow("sagemaker:*"), deny), "sagemaker")

    assert "with an explicit deny in an identity-based policy" in refused(client.list_models)[1]


def test_a_role_may_what_only_an_attached_policy_allows_and_no_more(cloud: World) -> None:
    group, iam, role = f"/aws/lambda/{name('prefix')}/announce", cloud.client("iam"), cloud.role()
    cloud.client("logs").create_log_group(logGroupName=group)
    place = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group.rpartition('/')[0]}/*"
    document = {
        "Version": "2012-10-17",
        "Statement": [allow("logs:CreateLogStream", "logs:PutLogEvents", resource=place)],
    }
    policy = iam.create_policy(PolicyName=name("policy"), PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    logs, stream = cloud.as_role(role, "logs"), {"logGroupName": group, "logStreamName": "a"}
    events = [{"timestamp": int(time.time() * 1000), "message": "upload recorded"}]

    without = refused(logs.create_log_stream, **stream)
    iam.attach_role_policy(RoleName=role.rsplit("/", maxsplit=1)[-1], PolicyArn=policy)
    logs.create_log_stream(**stream)
    logs.put_log_events(**stream, logEvents=events)

    assert without[0] == "AccessDeniedException"
    assert refused(logs.create_log_stream, logGroupName="/aws/lambda/elsewhere", logStreamName="a")[0] == without[0]
    assert refused(logs.delete_log_stream, **stream)[0] == without[0]


def test_a_role_is_passed_only_by_who_may_pass_it(cloud: World) -> None:
    job_role = cloud.role(allow("s3:*"))
    request = {"TrainingJobName": name("job"), "OutputDataConfig": {"S3OutputPath": "s3://b/"}, **JOB}
    role = cloud.role(allow("sagemaker:*"))
    client = cloud.as_role(role, "sagemaker")

    answer = refused(client.create_training_job, RoleArn=job_role, **request)

    assert answer == ("AccessDeniedException", denial(role, "iam:PassRole", job_role))


def test_a_role_is_passed_only_to_the_service_that_the_policy_names(cloud: World) -> None:
    job_role = cloud.role(allow("s3:*"))
    pass_role = allow("iam:PassRole", resource=job_role)
    to_lambda = {**pass_role, "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}
    to_sagemaker = {**pass_role, "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}
    request = {"RoleArn": job_role, "OutputDataConfig": {"S3OutputPath": "s3://b/"}, **JOB}

    wrong = cloud.as_role(cloud.role(allow("sagemaker:*"), to_lambda), "sagemaker")
    right = cloud.as_role(cloud.role(allow("sagemaker:*"), to_sagemaker), "sagemaker")

    assert refused(wrong.create_training_job, TrainingJobName=name("job"), **request)[0] == "AccessDeniedException"
    right.create_training_job(TrainingJobName=name("job"), **request)


@pytest.mark.parametrize("trusted", ["lambda.amazonaws.com", None])
def test_sagemaker_assumes_only_a_role_that_exists_and_trusts_it(cloud: World, trusted: str | None) -> None:
    role = cloud.role(service=trusted) if trusted else f"arn:aws:iam::{ACCOUNT}:role/{name('nobody')}"
    request = {"RoleArn": role, "OutputDataConfig": {"S3OutputPath": "s3://b/"}, **JOB}

    answer = refused(cloud.client("sagemaker").create_training_job, TrainingJobName=name("job"), **request)

    assert answer[0] == "ValidationException"
    assert f"Could not assume role {role}." in answer[1]


def test_tags_at_creation_need_the_right_to_tag(cloud: World) -> None:
    role = cloud.role(allow("sagemaker:CreateModelPackageGroup"))
    group, tags = name("group"), [{"Key": "a", "Value": "b"}]

    answer = refused(
        cloud.as_role(role, "sagemaker").create_model_package_group, ModelPackageGroupName=group, Tags=tags
    )

    assert answer[1] == denial(role, "sagemaker:AddTags", arn(f"model-package-group/{group}"))


def test_an_endpoint_needs_the_right_to_its_configuration_too(cloud: World) -> None:
    config, endpoint = cloud.config(), name("endpoint")
    role = cloud.role(allow("sagemaker:CreateEndpoint", resource=arn(f"endpoint/{endpoint}")))

    create = cloud.as_role(role, "sagemaker").create_endpoint

    answer = refused(create, EndpointName=endpoint, EndpointConfigName=config)
    assert answer[1] == denial(role, "sagemaker:CreateEndpoint", arn(f"endpoint-config/{config}"))


def test_a_pipeline_is_decided_on_its_arn_in_lower_case(cloud: World) -> None:
    pipeline = name("Pipeline")
    role = cloud.role(allow("sagemaker:DescribePipeline", resource=arn(f"pipeline/{pipeline.lower()}")))

    answer = refused(cloud.as_role(role, "sagemaker").describe_pipeline, PipelineName=pipeline)

    assert answer[0] == "ResourceNotFound"


def test_a_batch_of_records_is_decided_on_each_of_its_groups(cloud: World) -> None:
    role = cloud.role(allow("sagemaker:BatchGetRecord", resource=arn("feature-group/mine")))
    runtime = cloud.as_role(role, "sagemaker-featurestore-runtime")
    mine, theirs = (
        {"FeatureGroupName": group, "RecordIdentifiersValueAsString": ["1"]} for group in ("mine", "theirs")
    )

    assert runtime.batch_get_record(Identifiers=[mine])["Errors"][0]["ErrorCode"] == "ResourceNotFound"
    assert refused(runtime.batch_get_record, Identifiers=[mine, theirs])[0] == "AccessDeniedException"
    assert refused(runtime.batch_get_record, Identifiers=[theirs, mine])[0] == "AccessDeniedException"


def test_invoking_is_decided_on_the_endpoint(cloud: World) -> None:
    endpoint = name("endpoint")
    role = cloud.role(allow("sagemaker:InvokeEndpoint", resource=arn("endpoint/other")))
    runtime = cloud.as_role(role, "sagemaker-runtime")

    answer = refused(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1")

    assert answer == ("AccessDeniedException", denial(role, "sagemaker:InvokeEndpoint", arn(f"endpoint/{endpoint}")))
    assert refused(runtime.invoke_endpoint, EndpointName="other", Body=b"1")[0] == "ValidationError"


def test_a_model_is_read_as_its_role_and_not_as_its_maker(cloud: World) -> None:
    bucket = cloud.bucket({"model.tar.gz": tar_gz({"model": "1"})})
    container = {"Image": image("echo"), "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    elsewhere = cloud.role(allow("s3:GetObject", resource="arn:aws:s3:::other/*"))

    answer = refused(
        cloud.client("sagemaker").create_model,
        ModelName=name("model"),
        PrimaryContainer=container,
        ExecutionRoleArn=elsewhere,
    )

    assert answer[0] == "ValidationException"
    assert f"Could not access model data at s3://{bucket}/model.tar.gz" in answer[1]


def test_every_decision_is_in_the_record_of_calls(cloud: World, local_cloud: Any) -> None:
    role = cloud.role(allow("sagemaker:ListModels"))
    client = cloud.as_role(role, "sagemaker")
    client.list_models()
    refused(client.list_endpoints)

    mine = [call for call in local_cloud.calls() if role.rsplit("/", maxsplit=1)[-1] in call["principal"]]

    assert [(call["action"], call["resource"], call["allowed"]) for call in mine] == [
        ("sagemaker:ListModels", "*", True),
        ("sagemaker:ListEndpoints", "*", False),
    ]


def test_the_approval_status_of_a_package_is_decided_by_a_condition(cloud: World) -> None:
    group = name("group")
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    pending = {"StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    places = [arn(f"model-package/{group}/*"), arn(f"model-package-group/{group}")]
    own = allow("sagemaker:CreateModelPackage", resource=places) | {"Condition": pending}
    # Whoever registers a package reads its image.
    reads = allow("ecr:BatchGetImage", "ecr:DescribeImages")
    client = cloud.as_role(cloud.role(own, reads), "sagemaker")
    package = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {"Containers": [{"Image": image("echo")}]},
    }

    client.create_model_package(**package)
    client.create_model_package(**package, ModelApprovalStatus="PendingManualApproval")

    assert refused(client.create_model_package, **package, ModelApprovalStatus="Approved")[0] == "AccessDeniedException"


def test_an_images_digest_is_asked_of_its_own_registry(cloud: World) -> None:
    theirs = "111122223333"
    asked = {"repositoryName": "echo", "imageIds": [{"imageTag": "latest"}]}
    own = allow("ecr:BatchGetImage", resource=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*")
    client = cloud.as_role(cloud.role(own), "ecr")

    [found] = client.batch_get_image(registryId=ACCOUNT, **asked)["images"]

    assert found["imageId"]["imageDigest"].startswith("sha256:")
    with pytest.raises(ClientError, match="not authorized"):
        client.batch_get_image(registryId=theirs, **asked)
    anybodys = allow("ecr:BatchGetImage", resource=f"arn:aws:ecr:{REGION}:*:repository/*")
    assert cloud.as_role(cloud.role(anybodys), "ecr").batch_get_image(registryId=theirs, **asked)["images"] == [found]


def test_outputs_of_a_job_are_encrypted_with_the_key_that_it_names(cloud: World) -> None:
    key, bucket = stack_key(cloud), cloud.bucket()

    ended = trained(cloud, cloud.role(allow("s3:*")), bucket, key)

    assert ended["TrainingJobStatus"] == "Completed", ended
    place = ended["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    kept = cloud.client("s3").head_object(Bucket=bucket, Key=place)
    assert (kept["ServerSideEncryption"], kept["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.parametrize(
    ("denied", "sentence"), [(True, "is not authorized to perform: kms:GenerateDataKey"), (False, "does not exist")]
)
def test_a_job_fails_whose_role_may_not_use_the_key_of_its_outputs(cloud: World, denied: bool, sentence: str) -> None:
    key = stack_key(cloud) if denied else f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name('none')}"
    statements = [allow("s3:*"), {**allow("kms:GenerateDataKey"), "Effect": "Deny"}] if denied else [allow("s3:*")]

    ended = trained(cloud, cloud.role(*statements), cloud.bucket(), key)

    assert ended["TrainingJobStatus"] == "Failed"
    assert sentence in ended["FailureReason"]


def stack_key(cloud: World) -> str:
    """Return the ARN of a key that whoever is in the account may use through S3."""
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    through = {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    used = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"]}
    used["Condition"] = {"StringEquals": through}
    policy = {"Version": "2012-10-17", "Statement": [{**entry, "Resource": "*"} for entry in (account, used)]}
    return str(cloud.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"])


def trained(cloud: World, role: str, bucket: str, key: str) -> dict[str, Any]:
    """Return how a training job ended whose outputs go into `bucket`, under `key`."""
    client, job = cloud.client("sagemaker"), name("job")
    output = {"S3OutputPath": f"s3://{bucket}/out", "KmsKeyId": key}
    client.create_training_job(TrainingJobName=job, RoleArn=role, OutputDataConfig=output, **JOB)
    until(lambda: client.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] != "InProgress")
    found: dict[str, Any] = client.describe_training_job(TrainingJobName=job)
    return found
