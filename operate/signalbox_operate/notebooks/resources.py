"""What the commands do alike with notebook instances and with what Studio has: tags, and waits until nothing moves."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, Self

from signalbox_operate.notebooks.model import NotebookError
from signalbox_operate.projects.definitions import as_list

_POLL_SECONDS = (0.2, 10.0)  # the first wait, and the longest
_PATIENCE_SECONDS = 1800


class Tagged(Protocol):
    """Something of SageMaker that has an ARN, and so tags."""

    @property
    def arn(self) -> str:
        """Return its ARN."""
        ...


class Moving(Protocol):
    """Something of SageMaker that has a status."""

    @property
    def status(self) -> str:
        """Return its status."""
        ...


class SageMakerResources:
    """What a SageMaker client sees of one kind; `sleep` is what waits, in seconds."""

    def __init__(self, sagemaker: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sagemaker = sagemaker
        self.sleep = sleep

    def while_waiting(self, renew: Callable[[], None]) -> Self:
        """Return the same, which calls something each time that it waits."""

        def sleep(seconds: float) -> None:
            renew()
            self.sleep(seconds)

        return type(self)(self._sagemaker, sleep)

    def tag(self, resource: Tagged, tags: Mapping[str, str]) -> None:
        """Set tags of a resource."""
        self._sagemaker.add_tags(ResourceArn=resource.arn, Tags=as_list(tags))

    def untag(self, resource: Tagged, *keys: str) -> None:
        """Remove tags of a resource; those that it has not are no error."""
        self._sagemaker.delete_tags(ResourceArn=resource.arn, TagKeys=list(keys))

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of an ARN."""
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {one["Key"]: one["Value"] for page in pages for one in page["Tags"]}

    def at_rest[Found: Moving](self, name: str, look: Callable[[], Found], moving: Collection[str]) -> Found:
        """Return what a look finds, once its status is none of those in which it moves.

        Raises:
            NotebookError: it moves for half an hour.
        """
        wait, waited = _POLL_SECONDS[0], 0.0
        while (found := look()).status in moving:
            if waited > _PATIENCE_SECONDS:
                raise NotebookError(name, f"it is {found.status} for half an hour: look why, then repeat")
            self.sleep(wait)
            waited += wait
            wait = min(wait * 1.5, _POLL_SECONDS[1])
        return found
