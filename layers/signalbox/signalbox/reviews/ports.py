"""What the review journey needs from outside."""

from typing import Protocol

from signalbox.reviews.model import Review, Texts


class TaskClosedError(Exception):
    """The task waits no more: it was answered before, or it timed out, or its execution ended."""

    def __init__(self) -> None:
        super().__init__("the task that asked for this review waits no more: it was answered, or ran out of time")


class Store(Protocol):
    """Where reviews are kept."""

    def get(self, review_id: str) -> Review | None:
        """Return the review as it is now."""

    def current(self, execution_arn: str, kind: str, stage: str) -> Review | None:
        """Return the newest review that this execution asked for."""

    def of_package(self, package: str) -> list[Review]:
        """Return all reviews of a model package, oldest first."""

    def create(self, review: Review, instead_of: Review | None) -> bool:
        """Keep a new review as the execution's newest, in one transaction; an open one that it replaces is superseded.

        False if nothing was written: the review exists, or `instead_of` is no longer the newest or no longer as read.
        """

    def change(self, review_id: str, expected: Texts, changes: Texts) -> Review | None:
        """Change fields if all of `expected` still hold ("" and (): absent); None, and no change, if they do not."""


class Tasks(Protocol):
    """The state machines' tasks that wait for a review."""

    def succeed(self, token: str, output: dict[str, str]) -> None:
        """Answer the task. Raises TaskClosedError."""

    def fail(self, token: str, error: str, cause: dict[str, str]) -> None:
        """Fail the task with a named error. Raises TaskClosedError."""


class Registry(Protocol):
    """The model registry."""

    def decide(self, package: str, *, approved: bool, description: str) -> None:
        """Write the decision on a model package. Raises RegistryError."""


class Reports(Protocol):
    """Where evaluation reports are kept."""

    def read(self, uri: str) -> str:
        """Return the report's text. Raises ReviewError if it is not there or is too large."""
