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

    from signalbox.contracts.common import AwsRequest
    from signalbox.contracts.training import ContainerContent, ModelContent, Pinned, PinQuestion


class Copier(Protocol):
    """Copies of objects: see `aws.copying.ObjectCopier`."""

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """Copy an object; None where there is none."""

    def copy_under(self, source: str, target: str) -> ObjectCopy | None:
        """Copy the objects under a prefix; None where there are none."""


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
        UnfitPrefixError: its data cannot be kept: too many objects, or others write to them.
        ImageMissingError: an image is in no registry that can be asked.
        ServiceBusyError: S3 or ECR could not answer in this moment.
        CallRefusedError: they refused, for example because the model's data were replaced while they were copied.
    """
    plan, given = question["plan"], _containers(question["model"])
    kept = [_kept(container, _target(plan["target"], index, container), ports) for index, container in enumerate(given)]
    behind = {"behind": kept[1:]} if kept[1:] else {}
    content = cast("ModelContent", {**kept[0], "specification": plan["specification"], **behind})
    pinned = [_pinned(*one) for one in zip(given, kept, strict=True)]
    logger.info("model pinned", extra={**content})
    count("ModelPinned")
    made = {"Containers": pinned} if "Containers" in question["model"] else {"PrimaryContainer": pinned[0]}
    return {"content": content, "model": {**question["model"], **made}}


def _containers(model: "AwsRequest") -> "list[ContainerDefinitionTypeDef]":
    given = model.get("Containers") or [model["PrimaryContainer"]]
    return cast("list[ContainerDefinitionTypeDef]", given)


def _target(archive: str, index: int, container: "ContainerDefinitionTypeDef") -> str:
    """Return where a container's data are kept: the first one's archive at `archive`, all others in folders beside it.

    A file keeps its name, by which a container may know it.
    """
    source = _source(container)
    if not index and "ModelDataSource" not in container:
        return archive
    return f"{archive.rpartition('/')[0]}/{index}/{source.rpartition('/')[2]}"


def _source(container: "ContainerDefinitionTypeDef") -> str:
    if "ModelDataSource" in container:
        return container["ModelDataSource"]["S3DataSource"]["S3Uri"]
    return container.get("ModelDataUrl", "")


def _kept(container: "ContainerDefinitionTypeDef", target: str, ports: PinningPorts) -> "ContainerContent":
    """Return what a container is, once its data are copied."""
    data = container["ModelDataSource"]["S3DataSource"] if "ModelDataSource" in container else None
    source = _source(container)
    copy = ObjectCopy("", None, "", "")
    if source:
        under = data is not None and data["S3DataType"] == "S3Prefix"
        made = ports.copies.copy_under(source, target) if under else ports.copies.copy(source, target)
        if made is None:
            raise InvalidRequestError(f"the model's data {source} do not exist: look at the job that should write them")
        copy = made
    content: ContainerContent = {
        "image": ports.images.by_digest(container["Image"]),
        "source": source,
        "source_etag": copy.source_etag,
        "model_data": copy.uri,
        "version": copy.version,
        "etag": copy.etag,
        "environment": dict(container.get("Environment", {})),
    }
    if data:
        content |= {"data_type": data["S3DataType"], "compression": data["CompressionType"]}
    return content


def _pinned(container: "ContainerDefinitionTypeDef", content: "ContainerContent") -> "ContainerDefinitionTypeDef":
    """Return the container with the image and the data that are kept."""
    pinned: ContainerDefinitionTypeDef = {**container, "Image": content["image"]}
    if "ModelDataSource" in container:
        source = container["ModelDataSource"]["S3DataSource"]
        pinned["ModelDataSource"] = {"S3DataSource": {**source, "S3Uri": content["model_data"]}}
    elif content["model_data"]:
        pinned["ModelDataUrl"] = content["model_data"]
    return pinned
