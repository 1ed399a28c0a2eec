"""Keeps the model that a run tests where no job may write, and says what it is by content.

What is tested, approved and served is this one content: whoever replaces what a job has written replaces nothing of it.
Safe to repeat: a second copy takes the place of the first, and only the last answer counts.
"""

from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from signalbox.aws.objects import ObjectCopy
from signalbox.observability import count, logger
from signalbox.training.model import InvalidRequestError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ContainerDefinitionTypeDef

    from signalbox.contracts.training import ModelContent, Pinned, PinQuestion


class Copier(Protocol):
    """Copies of objects: see `aws.copying.ObjectCopier`."""

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """Copy an object; None where there is none."""


class Images(Protocol):
    """The images: see `aws.images.ImageRegistry`."""

    def by_digest(self, image: str) -> str:
        """Return the image's path by digest."""


class PinningPorts(NamedTuple):
    """What pinning needs."""

    copies: Copier
    images: Images


def pin(question: "PinQuestion", ports: PinningPorts) -> "Pinned":
    """Return the model by content, and the request that makes exactly it.

    Raises:
        InvalidRequestError: the model's data are not there.
        ImageMissingError: its image is in no registry that can be asked.
        ServiceBusyError: S3 or ECR could not answer in this moment.
        CallRefusedError: they refused, for example because the model's data were replaced while they were copied.
    """
    plan, given = question["plan"], cast("ContainerDefinitionTypeDef", question["model"]["PrimaryContainer"])
    source = given["ModelDataUrl"]
    copy = ports.copies.copy(source, plan["target"])
    if copy is None:
        raise InvalidRequestError(f"the model's data {source} do not exist: look at the job that should write them")
    content: ModelContent = {
        "image": ports.images.by_digest(given["Image"]),
        "source": source,
        "source_etag": copy.source_etag,
        "model_data": copy.uri,
        "version": copy.version,
        "etag": copy.etag,
        "environment": dict(given.get("Environment", {})),
        "specification": plan["specification"],
    }
    pinned = {**given, "Image": content["image"], "ModelDataUrl": content["model_data"]}
    logger.info("model pinned", extra={**content})
    count("ModelPinned")
    return {"content": content, "model": {**question["model"], "PrimaryContainer": pinned}}
