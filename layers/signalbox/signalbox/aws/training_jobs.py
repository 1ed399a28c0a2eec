"""SageMaker's training jobs."""

from typing import TYPE_CHECKING, NamedTuple

from signalbox.aws import clients
from signalbox.aws.errors import or_none

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeTrainingJobResponseTypeDef


class TrainingJob(NamedTuple):
    """A training job that has ended: where its model is, and how many seconds it took.

    `instance_type` is "" where it had several types, or spot instances, whose price is another one every time.
    """

    model_data: str
    seconds: float
    instance_type: str
    instance_count: int


class TrainingJobs:
    """The training jobs of the account."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def find(self, name: str) -> TrainingJob | None:
        """Return a job, or None where there is none.

        Raises:
            ServiceBusyError, CallRefusedError: see `errors.translated`.
        """
        operation = f"sagemaker:DescribeTrainingJob of {name}"
        found = or_none(operation, self._sagemaker.describe_training_job, TrainingJobName=name)
        return _job(found) if found else None


def _job(found: "DescribeTrainingJobResponseTypeDef") -> TrainingJob:
    cluster = found["ResourceConfig"]
    spot = found.get("EnableManagedSpotTraining", False)
    return TrainingJob(
        model_data=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        seconds=found.get("TrainingTimeInSeconds", 0),
        instance_type="" if spot else cluster.get("InstanceType", ""),
        instance_count=cluster.get("InstanceCount", 0),
    )
