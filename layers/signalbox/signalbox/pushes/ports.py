"""What the journey of a push needs from outside, where tests have memory twins of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from signalbox.code_events import BranchTold
from signalbox.pushes.model import Automation, Branch, Build, Changed, Move, TrainedImage


class Repositories(Protocol):
    """The repositories of code."""

    def head(self, repository: str, branch: str) -> str | None:
        """Return a branch's newest commit; None where there is no such branch.

        Raises:
            RepositoryUnknownError: there is no such repository.
        """

    def address(self, repository: str, commit: str) -> str:
        """Return the e-mail address of who made a commit, as they wrote it; "" where there is none."""


class ToldHeads(Protocol):
    """The newest commits of branches whose repositories only webhooks tell of."""

    def tell(self, automation: Automation, branch: str, move: Move) -> None:
        """Write down that a branch was moved; told twice, it counts once.

        Raises:
            BranchConflictError: somebody else was told of the branch in this moment.
        """

    def newest(self, automation: Automation, branch: str) -> Move:
        """Return the move that led to where a branch is now.

        Raises:
            HeadUntoldError: nobody was told of the branch.
        """


class Builds(Protocol):
    """The builds of code."""

    def start(self, automation: Automation, branch: Branch) -> str:
        """Start the build of a branch, or find the one that was started a moment ago; return its id."""

    def newest(self, automation: Automation, branch: Branch) -> Sequence[Build]:
        """Return the newest builds of the branch's CodeBuild project, the newest first."""

    def look(self, build: str) -> Build | None:
        """Return a build; None where there is none (any more)."""

    def log(self, build: Build) -> tuple[str, ...]:
        """Return the last lines of a build's log, none where it cannot be read."""


class BranchStore(Protocol):
    """How the branches of projects were built last, and which images were trained."""

    def find(self, project: str, branch: str) -> Branch | None:
        """Return a branch; None where it was never built."""

    def put(self, branch: Branch, before: Branch | None) -> Branch:
        """Write a branch down if it still is as it was `before`, and return it.

        Raises:
            BranchConflictError: it is not.
        """

    def remove(self, branch: Branch) -> None:
        """Forget a branch."""

    def trained(self, project: str, image: TrainedImage) -> bool:
        """Say whether the training of an image was started."""

    def note_trained(self, project: str, image: TrainedImage) -> None:
        """Write down that the training of an image was started."""


class Experiments(Protocol):
    """What branches have made beside main."""

    def remove(self, project: str, branch: str) -> Sequence[str]:
        """Delete the pipelines and package groups of a branch; return what they were called.

        Raises:
            ServiceBusyError: something of it still runs, and was stopped.
        """


class Trainings(Protocol):
    """The runs and trainings that a push asks for."""

    def run_again(self, pipeline: str, changed: Changed) -> None:
        """Ask for a run of a pipeline that a commit has changed; asked twice, it is done once."""

    def train(self, image: TrainedImage, by: str) -> bool:
        """Train an image; False if that was started before."""


class Deliveries(Protocol):
    """The deliveries of webhooks."""

    def note(self, project: str, delivery: str, now: datetime) -> str | None:
        """Write a delivery down; return when it came first, and None where all that it tells was sent."""

    def sent(self, project: str, delivery: str, now: datetime) -> None:
        """Write down that what a delivery tells is in the queue."""


class PushQueue(Protocol):
    """The queue of pushes."""

    def send(self, told: Sequence[BranchTold]) -> None:
        """Send a message about each branch that a webhook told of; sent twice, it counts once."""
