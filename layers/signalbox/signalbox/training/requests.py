"""The requests to SageMaker of one run, as the mlops machine passes them on."""

from typing import TYPE_CHECKING, cast

from signalbox.aws.model import ModelContainer
from signalbox.settings import PlanTraining
from signalbox.training.model import CONTENT_TYPE, Candidate, TrainingRun

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import TrainingInstanceTypeType, TransformInstanceTypeType
    from mypy_boto3_sagemaker.type_defs import (
        ChannelTypeDef,
        ContainerDefinitionTypeDef,
        CreateModelInputTypeDef,
        CreateModelPackageGroupInputTypeDef,
        CreateTrainingJobRequestTypeDef,
        CreateTransformJobRequestTypeDef,
        TagTypeDef,
    )

    from signalbox.contracts.training import Fleet

_TRAINING_INSTANCES = 1
_VOLUME_GB = 30
_TRAINING_SECONDS = 4 * 3_600


def training_job(
    candidate: Candidate, run: TrainingRun, train_data: str, settings: PlanTraining
) -> "CreateTrainingJobRequestTypeDef":
    """Return the CreateTrainingJob request that trains an image."""
    instance = cast("TrainingInstanceTypeType", settings.training_instance_type)
    return {
        "TrainingJobName": run.names["training"],
        "AlgorithmSpecification": {"TrainingImage": candidate.image, "TrainingInputMode": "File"},
        "RoleArn": settings.job_role_arn,
        "InputDataConfig": [_channel(train_data)],
        # The compression that `TrainingRun.model_data` counts on.
        "OutputDataConfig": {
            "S3OutputPath": run.training_output,
            "CompressionType": "GZIP",
            "KmsKeyId": settings.key_arn,
        },
        "ResourceConfig": {
            "InstanceType": instance,
            "InstanceCount": _TRAINING_INSTANCES,
            "VolumeSizeInGB": _VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": _TRAINING_SECONDS},
        "HyperParameters": candidate.hyperparameters,
        # Without a network a container has neither credentials nor anybody to tell what it was given.
        "EnableNetworkIsolation": candidate.isolated,
        "Tags": _tags(candidate, run),
    }


def fleet(settings: PlanTraining) -> "Fleet":
    """Return what an image is trained on."""
    return {"instance_type": settings.training_instance_type, "instance_count": _TRAINING_INSTANCES}


def model(candidate: Candidate, run: TrainingRun, settings: PlanTraining) -> "CreateModelInputTypeDef":
    """Return the CreateModel request for the model that the batch transform runs.

    The transform reads and writes as its role (API reference, CreateModel, ExecutionRoleArn). No job has this one, so
    nobody but the tested model writes what it answered.
    """
    request: CreateModelInputTypeDef = {
        "ModelName": run.names["model"],
        "ExecutionRoleArn": settings.test_role_arn,
        "EnableNetworkIsolation": candidate.isolated,
        "Tags": _tags(candidate, run),
    }
    containers = [_container(one) for one in candidate.containers]
    if containers[1:]:
        request["Containers"] = containers
    else:
        request["PrimaryContainer"] = containers[0]
    return request


def transform_job(
    candidate: Candidate, run: TrainingRun, test_data: str, settings: PlanTraining
) -> "CreateTransformJobRequestTypeDef":
    """Return the CreateTransformJob request that predicts the test data.

    The label in front is kept from the model, and joined to its answer: a row of the output is label, features,
    prediction.
    """
    instance = cast("TransformInstanceTypeType", settings.transform_instance_type)
    return {
        "TransformJobName": run.names["transform"],
        "ModelName": run.names["model"],
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": candidate.max_payload_mb,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": test_data}},
            "ContentType": CONTENT_TYPE,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": run.predictions,
            "Accept": CONTENT_TYPE,
            "AssembleWith": "Line",
            "KmsKeyId": settings.key_arn,
        },
        "TransformResources": {"InstanceType": instance, "InstanceCount": 1},
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
        "Tags": _tags(candidate, run),
    }


def package_group(candidate: Candidate) -> "CreateModelPackageGroupInputTypeDef":
    """Return the CreateModelPackageGroup request for the group that an image is registered in."""
    return {"ModelPackageGroupName": candidate.group, "Tags": [_model_tag(candidate)]}


def _container(container: ModelContainer) -> "ContainerDefinitionTypeDef":
    given: ContainerDefinitionTypeDef = {"Image": container.image, "Environment": container.environment}
    if container.data_type and container.compression:
        given["ModelDataSource"] = {
            "S3DataSource": {
                "S3Uri": container.model_data or "",
                "S3DataType": container.data_type,
                "CompressionType": container.compression,
            }
        }
    elif container.model_data:
        given["ModelDataUrl"] = container.model_data
    return given


def _channel(train_data: str) -> "ChannelTypeDef":
    return {
        "ChannelName": "train",
        "ContentType": CONTENT_TYPE,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": train_data,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _tags(candidate: Candidate, run: TrainingRun) -> "list[TagTypeDef]":
    return [_model_tag(candidate), {"Key": "signalbox:execution", "Value": run.execution}]


def _model_tag(candidate: Candidate) -> "TagTypeDef":
    return {"Key": "signalbox:model", "Value": candidate.model}
