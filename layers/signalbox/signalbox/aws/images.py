"""Container images in ECR, named by their paths (`<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`)."""

import re
from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import or_none

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_PATH = r"(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?"


class ImageMissingError(Exception):
    """An image is in no registry that can be asked."""

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(f"image {image} {reason}: push it to ECR, and name it by its path there")


class ImageRegistry:
    """The images. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, ecr: "ECRClient | None" = None) -> None:
        self._ecr: ECRClient = ecr or clients.client("ecr")

    def by_digest(self, image: str) -> str:
        """Return the image's path by digest, which names the same content for ever; a tag is moved by each push.

        Raises:
            ImageMissingError: it is not in ECR.
        """
        if "@" in image:
            return image
        path = re.fullmatch(_PATH, image)
        if path is None:
            raise ImageMissingError(image, "is not the path of an image in ECR")
        found = or_none(
            f"ecr:BatchGetImage of {image}",
            self._ecr.batch_get_image,
            registryId=path["account"],
            repositoryName=path["repository"],
            imageIds=[{"imageTag": path["tag"] or "latest"}],
        )
        if not found or not found["images"]:
            raise ImageMissingError(image, "is not there")
        digest = found["images"][0]["imageId"]["imageDigest"]
        return f"{image.rsplit('/', 1)[0]}/{path['repository'].rsplit('/', 1)[-1]}@{digest}"
