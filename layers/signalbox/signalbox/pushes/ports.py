"""What the journey of a push needs from outside, where tests have memory twins of it."""

from collections.abc import Sequence
from typing import Protocol

from signalbox.pushes.model import Automation, Branch, Build, Changed, TrainedImage


class Repositories(Protocol):
    """The repositories of code."""

    def head(self, repository: str, branch: str) -> str | None:
        """Return a branch's newest commit; None where there is no such branch.

        Raises:
            RepositoryUnknownError: there is no such repository.
        """

    def address(self, repository: str, commit: str) -> str:
        """Return the e-mail address of who made a commit, as they wrote it; "" where there is none."""


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
