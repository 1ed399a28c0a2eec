"""What a run is trained and tested with: as the stack is set up, and as its model's project says."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Self

from signalbox.training.model import InvalidRequestError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import VpcConfigTypeDef

    from signalbox.model_documents import ModelDocument
    from signalbox.settings import PlanTraining

# A job on spot instances may wait for them as long as it may run (API reference, StoppingCondition).
_WAITS = 2
# The machine ends unheard after a year, and its release alone may take 330 days of it.
LONGEST_TRAINING = 4 * 86_400


class Setup(NamedTuple):
    """The roles of a run, its instances and its limits; `tags` are those of its project.

    `key` encrypts outputs. Times are in seconds, `volume_gb` is that of each training instance, `vpc` the network of
    the containers.
    """

    job_role: str
    test_role: str
    key: str
    training_type: str
    transform_type: str
    training_count: int = 1
    volume_gb: int = 30
    max_seconds: int = 4 * 3_600
    spot: bool = False
    environment: Mapping[str, str] = {}
    vpc: "VpcConfigTypeDef | None" = None
    tags: Mapping[str, str] = {}

    @classmethod
    def of(cls, settings: "PlanTraining", document: "ModelDocument | None") -> Self:
        """Return the setup of a model's run; a model without a document has the stack's.

        Raises:
            InvalidRequestError: the training may take longer than the machine can wait.
        """
        setup = cls(
            job_role=settings.job_role_arn,
            test_role=settings.test_role_arn,
            key=settings.key_arn,
            training_type=settings.training_instance_type,
            transform_type=settings.transform_instance_type,
        )
        if document is None:
            return setup
        own = setup._replace(job_role=document.roles.job, test_role=document.roles.test, tags=document.resource_tags)
        training = document.training
        if training is None:
            return own
        if training.max_seconds > LONGEST_TRAINING:
            raise InvalidRequestError(
                f"a training of {document.model} may take {training.max_seconds:,} seconds, and is waited for at most "
                f"{LONGEST_TRAINING:,}: change max_seconds in the project"
            )
        return own._replace(
            training_type=training.instance_type or setup.training_type,
            training_count=training.instance_count,
            volume_gb=training.volume_gb,
            max_seconds=training.max_seconds,
            spot=training.spot,
            environment=training.environment,
            vpc=document.vpc,
        )

    @property
    def longest(self) -> int:
        """Return how many seconds the training may take, its wait for spot instances included."""
        return min(self.max_seconds * _WAITS, LONGEST_TRAINING) if self.spot else self.max_seconds
