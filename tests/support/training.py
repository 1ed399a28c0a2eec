"""Builders for the tests of planning: the stack's settings, data in S3, a registered package, and the question."""

from typing import Any

from signalbox.aws.registry import ModelRegistry
from signalbox.aws.training_jobs import TrainingJobs
from signalbox.contracts.training import TrainingQuestion
from signalbox.model_documents import ModelDocument
from signalbox.settings import PlanTraining
from signalbox.stages import Stage, StagesDocument
from signalbox.training.planning import TrainingPorts
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.objects import RememberedObjects

SETTINGS = PlanTraining(
    prefix="signalbox",
    data_bucket="data-bucket",
    artifacts_bucket="artifacts-bucket",
    job_role_arn="arn:aws:iam::123456789012:role/jobs",
    test_role_arn="arn:aws:iam::123456789012:role/tests",
    key_arn="arn:aws:kms:us-east-1:123456789012:key/stack",
    training_instance_type="ml.m5.xlarge",
    transform_instance_type="ml.m5.large",
    image_accounts="123456789012,683313688378",
    stages_parameter="/signalbox/stages",
)
EXECUTION_ARN = "arn:aws:states:us-east-1:123456789012:execution:mlops:run-1"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:8c1d"
IMAGE_INPUT = {"image": IMAGE, "commit": "8c1d", "problem": "multiclass", "hyperparameters": {"max_leaf_nodes": "30"}}
HOME = "s3://data-bucket/models/iris-decision-tree"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
TEST_DATA = "s3://artifacts-bucket/pipelines/abalone/test/"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://artifacts-bucket/model.tar.gz", "Environment": {"A": "b"}}
PACKAGE: dict[str, Any] = {
    "ModelPackageArn": ARN,
    "ModelPackageStatus": "Completed",
    "InferenceSpecification": {"Containers": [CONTAINER], "SupportedContentTypes": ["text/csv"]},
    "CustomerMetadataProperties": {"test-data": TEST_DATA, "problem": "regression"},
    "MetadataProperties": {"CommitId": "8c1d"},
}
DATA = {f"{HOME}/train/a.csv": "9,M", f"{HOME}/test/a.csv": "10,F", f"{TEST_DATA}a.csv": "9,M"}


STAGES = StagesDocument((Stage("staging", "ml.m5.large", 1), Stage("prod", "ml.m5.xlarge", 2)))


JOB_NAME = "pipelines-p4jn9xou8a8s-Train-dM3nlsvGkI"
JOB_MODEL = f"s3://artifacts-bucket/pipelines/abalone/runs/p4jn9xou8a8s/model/{JOB_NAME}/output/model.tar.gz"
# The training job of a pipeline, as SageMaker describes it.
JOB: dict[str, Any] = {
    "TrainingJobName": JOB_NAME,
    "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB_NAME}",
    "ModelArtifacts": {"S3ModelArtifacts": JOB_MODEL},
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "CreationTime": 0,
    "TrainingTimeInSeconds": 61,
}
NO_JOB = client_error("ValidationException", "Requested resource not found.")


def ports(
    package: Any = PACKAGE,
    data: dict[str, str] | None = None,
    job: Any = NO_JOB,
    document: ModelDocument | None = None,
) -> TrainingPorts:
    """Return real adapters over an S3 with `data`, and a SageMaker that answers with `package` and training `job`.

    `document` is that of the one model that has one.
    """
    registry: Any = RecordingClient("sagemaker", {"describe_model_package": package, "describe_training_job": job})

    def documents(model: str) -> ModelDocument | None:
        return document if document and document.model == model else None

    objects = RememberedObjects(DATA if data is None else data).store
    return TrainingPorts(SETTINGS, objects, ModelRegistry(registry), TrainingJobs(registry), lambda: STAGES, documents)


def question(machine_input: object) -> TrainingQuestion:
    return {"execution": "run-1", "execution_arn": EXECUTION_ARN, "input": machine_input}
