"""What planning a training needs from outside."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Container:
    """One container of a model package."""

    image: str
    model_data: str | None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """A version of a model package group, as far as planning reads it."""

    arn: str
    status: str
    containers: list[Container]
    properties: dict[str, str]
    content_types: list[str]
    commit: str | None


class Packages(Protocol):
    """The model registry."""

    def find(self, arn: str) -> Package | None:
        """Return the package, or None where the registry has none of that ARN."""


class Objects(Protocol):
    """The object store."""

    def holds_data(self, uri: str) -> bool:
        """Say whether at least one object under the prefix `uri` (`s3://bucket/prefix`) has a byte in it.

        A bucket that does not exist holds no data.
        """
