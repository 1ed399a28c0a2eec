"""Images are built by a buildspec's docker, pushed to ECR by the role's rights, and trained and served by SageMaker."""

from pathlib import Path
from typing import Any

import pytest
from tests.contract.world import allow, name, until
from tests.sagemaker_local.support.builds import Builder, builder, environment, spec

from sagemaker_local.server import ACCOUNT, REGION

__all__ = ["builder"]
IRIS = Path(__file__).parents[2] / "projects" / "iris" / "iris-decision-tree"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
READ = allow("s3:GetObject", "ecr:GetAuthorizationToken")
PUSH = allow(
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
LOGIN = (
    "python -c 'import base64, boto3;"
    ' token = boto3.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"];'
    ' print(base64.b64decode(token).decode().partition(":")[2])\''
    f" | docker login --username AWS --password-stdin {HOST}"
)
ECHO = {
    "Dockerfile": 'FROM python:3.13-slim\nCOPY train /opt/program/\nENV PATH="/opt/program:${PATH}"\n',
    "train": '#!/usr/bin/env python3\nprint("trained")\n',
}


def pushed(builder: Builder, files: dict[str, str], repository: str, *rights: Any, tag: str = "v1") -> dict[str, Any]:
    """Build and push an image of files in a privileged build."""
    uri = f"{HOST}/{repository}:{tag}"
    commands = ("chmod +x train serve 2>/dev/null || true", LOGIN, f"docker build -t {uri} .", f"docker push {uri}")
    source = {"type": "S3", "location": builder.put({**files, "buildspec.yml": spec(*commands)})}
    return builder.built("", READ, *rights, source=source, environment=environment(privilegedMode=True))


def repository(builder: Builder, **more: Any) -> str:
    made = name("repository")
    builder.world.client("ecr").create_repository(repositoryName=made, **more)
    return made


def test_the_image_of_the_iris_project_is_built_and_trains_and_answers(builder: Builder) -> None:
    files = {
        str(path.relative_to(IRIS)): path.read_text(encoding="utf-8")
        for path in IRIS.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    where = repository(builder)

    build = pushed(builder, files, where, PUSH)

    assert build["buildStatus"] == "SUCCEEDED", builder.log(build)
    [digest] = [one["imageDigest"] for one in builder.world.client("ecr").list_images(repositoryName=where)["imageIds"]]
    model = trained(builder, f"{HOST}/{where}@{digest}", {"max_leaf_nodes": "4"})
    assert answered(builder, f"{HOST}/{where}:v1", model) == "0"


def trained(builder: Builder, image: str, hyperparameters: dict[str, str]) -> str:
    """Train an image on rows of two kinds, and return where its model is."""
    sagemaker, job, bucket = builder.world.client("sagemaker"), name("job"), builder.put({}).partition("/")[0]
    rows = "".join(
        f"{kind},{5 + kind},{3 + row / 100},{1 + 4 * kind},{0.2 + kind}\n" for kind in (0, 1) for row in range(20)
    )
    builder.world.client("s3").put_object(Bucket=bucket, Key="train/rows.csv", Body=rows)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}}
    sagemaker.create_training_job(
        TrainingJobName=job,
        RoleArn=builder.world.role(allow("*")),
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=hyperparameters,
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=job)
        return found if found["TrainingJobStatus"] != "InProgress" else None

    found = until(ended)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return str(found["ModelArtifacts"]["S3ModelArtifacts"])


def answered(builder: Builder, image: str, model: str) -> str:
    """Serve a model with an image, and return its answer to one row."""
    sagemaker, made = builder.world.client("sagemaker"), name("model")
    container = {"Image": image, "ModelDataUrl": model}
    role = builder.world.role(allow("*"))
    sagemaker.create_model(ModelName=made, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "a", "ModelName": made, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=made, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=made, EndpointConfigName=made)

    def settled() -> str | None:
        status = str(sagemaker.describe_endpoint(EndpointName=made)["EndpointStatus"])
        return status if status != "Creating" else None

    assert until(settled) == "InService", sagemaker.describe_endpoint(EndpointName=made)
    runtime = builder.world.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=made, ContentType="text/csv", Body="5,3,1,0.2")
    sagemaker.delete_endpoint(EndpointName=made)
    return str(answer["Body"].read().decode().strip())


def test_a_role_without_rights_to_a_repository_is_denied_the_push(builder: Builder) -> None:
    build = pushed(builder, ECHO, repository(builder))

    assert build["buildStatus"] == "FAILED"
    assert "denied: User: arn:aws:sts::" in builder.log(build)
    assert "not authorized to perform: ecr:BatchCheckLayerAvailability" in builder.log(build)


def test_a_tag_of_an_immutable_repository_is_not_moved_and_the_same_image_may_come_again(builder: Builder) -> None:
    where = repository(builder, imageTagMutability="IMMUTABLE")
    other = {**ECHO, "train": '#!/usr/bin/env python3\nprint("otherwise")\n'}

    first, again, moved = (pushed(builder, files, where, PUSH) for files in (ECHO, ECHO, other))

    assert first["buildStatus"] == again["buildStatus"] == "SUCCEEDED"
    assert moved["buildStatus"] == "FAILED"
    assert "cannot be overwritten because the repository is immutable" in builder.log(moved)
    assert pushed(builder, other, where, PUSH, tag="v2")["buildStatus"] == "SUCCEEDED"


def test_an_image_is_pulled_by_another_build_and_built_upon(builder: Builder) -> None:
    where = repository(builder)
    assert pushed(builder, ECHO, where, PUSH)["buildStatus"] == "SUCCEEDED"
    uri = f"{HOST}/{where}:v1"
    dockerfile = f'FROM {uri}\nLABEL more=yes\nCMD ["train"]\n'
    commands = (
        LOGIN,
        f"docker pull {uri}",
        "docker build -t mine:1 .",
        "docker tag mine:1 mine:2",
        "docker images",
        "docker inspect --format '{{.Config.Labels.more}} {{json .Config.Cmd}} {{index .RepoTags 1}}' mine:2",
    )
    source = {"type": "S3", "location": builder.put({"Dockerfile": dockerfile, "buildspec.yml": spec(*commands)})}
    rights = allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")

    build = builder.built("", READ, rights, source=source, environment=environment(privilegedMode=True))

    log = builder.log(build)
    assert build["buildStatus"] == "SUCCEEDED", log
    assert '\nyes ["train"] mine:2\n' in log


def test_nobody_logs_in_with_a_password_that_is_no_token(builder: Builder) -> None:
    login = f"echo nonsense | docker login --username AWS --password-stdin {HOST}"

    build = builder.built(spec(login), environment=environment(privilegedMode=True))

    assert "login attempt to" in builder.log(build)
    assert build["buildStatus"] == "FAILED"


def test_a_job_is_refused_an_image_that_its_repository_lacks(builder: Builder) -> None:
    where = repository(builder)

    with pytest.raises(Exception, match=f"Cannot find the requested image {HOST}/{where}:none"):
        trained(builder, f"{HOST}/{where}:none", {})
