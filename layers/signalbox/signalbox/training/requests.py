"""The requests to SageMaker of one run, as the mlops machine passes them on."""

from typing import TYPE_CHECKING, cast

from signalbox.aws.model import ModelContainer
from signalbox.training.model import CONTENT_TYPE, Candidate, TrainingRun
from signalbox.training.setup import Setup

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


def training_job(candidate: Candidate, run: TrainingRun, setup: Setup) -> "CreateTrainingJobRequestTypeDef":
    """Return the CreateTrainingJob request that trains an image."""
    request: CreateTrainingJobRequestTypeDef = {
        "TrainingJobName": run.names["training"],
        "AlgorithmSpecification": {"TrainingImage": candidate.image, "TrainingInputMode": "File"},
        "RoleArn": setup.job_role,
        "InputDataConfig": [_channel(*channel) for channel in candidate.channels.items()],
        # The compression that `TrainingRun.model_data` counts on.
        "OutputDataConfig": {"S3OutputPath": run.training_output, "CompressionType": "GZIP", "KmsKeyId": setup.key},
        "ResourceConfig": {
            "InstanceType": cast("TrainingInstanceTypeType", setup.training_type),
            "InstanceCount": setup.training_count,
            "VolumeSizeInGB": setup.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": setup.max_seconds},
        "HyperParameters": candidate.hyperparameters,
        # Without a network a container has neither credentials nor anybody to tell what it was given.
        "EnableNetworkIsolation": candidate.isolated,
        "Tags": _tags(candidate, run, setup),
    }
    if setup.environment:
        request["Environment"] = setup.environment
    if setup.spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = setup.longest
    if setup.vpc:
        request["VpcConfig"] = setup.vpc
    return request


def fleet(setup: Setup) -> "Fleet":
    """Return what an image is trained on."""
    return {"instance_type": setup.training_type, "instance_count": setup.training_count}


def model(candidate: Candidate, run: TrainingRun, setup: Setup) -> "CreateModelInputTypeDef":
    """Return the CreateModel request for the model that the batch transform runs.

    The transform reads and writes as its role (API reference, CreateModel, ExecutionRoleArn). No job has this one, so
    nobody but the tested model writes what it answered.
    """
    request: CreateModelInputTypeDef = {
        "ModelName": run.names["model"],
        "ExecutionRoleArn": setup.test_role,
        "EnableNetworkIsolation": candidate.isolated,
        "Tags": _tags(candidate, run, setup),
    }
    containers = [_container(one) for one in candidate.containers]
    if containers[1:]:
        request["Containers"] = containers
    else:
        request["PrimaryContainer"] = containers[0]
    if setup.vpc:
        request["VpcConfig"] = setup.vpc
    return request


def transform_job(
    candidate: Candidate, run: TrainingRun, test_data: str, setup: Setup
) -> "CreateTransformJobRequestTypeDef":
    """Return the CreateTransformJob request that predicts the test data.

    The label in front is kept from the model, and joined to its answer: a row of the output is label, features,
    prediction.
    """
    instance = cast("TransformInstanceTypeType", setup.transform_type)
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
            "KmsKeyId": setup.key,
        },
        "TransformResources": {"InstanceType": instance, "InstanceCount": 1},
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
        "Tags": _tags(candidate, run, setup),
    }


def package_group(candidate: Candidate, setup: Setup) -> "CreateModelPackageGroupInputTypeDef":
    """Return the CreateModelPackageGroup request for the group that an image is registered in."""
    return {"ModelPackageGroupName": candidate.group, "Tags": _model_tags(candidate, setup)}


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


def _channel(name: str, data: str) -> "ChannelTypeDef":
    return {
        "ChannelName": name,
        "ContentType": CONTENT_TYPE,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data, "S3DataDistributionType": "FullyReplicated"}
        },
    }


def _tags(candidate: Candidate, run: TrainingRun, setup: Setup) -> "list[TagTypeDef]":
    return [*_model_tags(candidate, setup), {"Key": "signalbox:execution", "Value": run.execution}]


def _model_tags(candidate: Candidate, setup: Setup) -> "list[TagTypeDef]":
    pairs = {"signalbox:model": candidate.model, **setup.tags}
    return [{"Key": key, "Value": value} for key, value in pairs.items()]
