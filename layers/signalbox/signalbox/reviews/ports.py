"""What the review journey needs from outside, where tests have a twin of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from signalbox.reviews.model import Review, Texts

if TYPE_CHECKING:
    from signalbox.contracts.reviews import ReviewKind


class ReviewStore(Protocol):
    """Where reviews are kept. Every method raises ServiceBusyError and CallRefusedError."""

    def get(self, review_id: str) -> Review | None:
        """Return the review as it is now."""

    def current(self, execution_arn: str, kind: "ReviewKind", stage: str) -> Review | None:
        """Return the newest review that this execution asked for."""

    def of_package(self, package: str) -> list[Review]:
        """Return all reviews of a model package, oldest first."""

    def create(self, review: Review, instead_of: Review | None) -> bool:
        """Keep a new review as the execution's newest, in one transaction; an open one that it replaces is superseded.

        False if nothing was written: the review exists, or `instead_of` is no longer the newest or no longer as read.
        """

    def change(self, review_id: str, expected: Texts, changes: Texts) -> Review | None:
        """Change fields if all of `expected` still hold ("" and (): absent); None, and no change, if they do not."""


class WaitingTasks(Protocol):
    """The state machines' tasks that wait for a review. `aws.machines.StateMachines` has them."""

    def goes_on(self, execution: str) -> bool:
        """Say whether an execution is at work, or came to its end. Raises ServiceBusyError and CallRefusedError."""

    def succeed(self, token: str, output: Mapping[str, object]) -> None:
        """Answer the task. Raises TaskClosedError, ServiceBusyError and CallRefusedError."""

    def fail(self, token: str, error: str, cause: Mapping[str, object]) -> None:
        """Fail the task with a named error. Raises TaskClosedError, ServiceBusyError and CallRefusedError."""


class ApprovalWriter(Protocol):
    """Where the model registry takes decisions. `aws.registry.ModelRegistry` is it."""

    def decide(self, arn: str, *, approved: bool, description: str) -> None:
        """Write the decision on a model package. Raises ServiceBusyError and CallRefusedError."""
