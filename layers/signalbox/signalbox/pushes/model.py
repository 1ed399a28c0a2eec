"""What the journey of a push speaks of: automations, branches, builds, and what may go wrong with them."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

# The states of a branch whose build is not over; the others are CodeBuild's own words for how a build ended.
STARTING = "STARTING"  # its commit is chosen, and it has no build that we know of
BUILDING = "BUILDING"
OPEN = frozenset({STARTING, BUILDING})
SUCCEEDED = "SUCCEEDED"

CODECOMMIT = "codecommit"
# Whose repositories webhooks tell of.
GITHUB, GITLAB, BITBUCKET = "github", "gitlab", "bitbucket"
HOOKED = frozenset({GITHUB, GITLAB, BITBUCKET})


class Automation(NamedTuple):
    """How a project is built: its repository, and CodeBuild's projects for its main branch and for the others.

    `provider` is whose the repository is, and `repository` how they call it. Without `branches` only the main branch is
    built.
    """

    project: str
    provider: str
    repository: str
    main: str
    build: str
    branches: str | None = None

    def build_of(self, branch: str) -> str | None:
        """Return the CodeBuild project of a branch; None where its branches are not built."""
        return self.build if branch == self.main else self.branches

    @property
    def hooked(self) -> bool:
        """Say whether webhooks tell of its pushes: nobody here may ask its repository."""
        return self.provider in HOOKED


class Branch(NamedTuple):
    """A branch as it was built last: `status` is one of `OPEN`, or how its build ended.

    `number` counts its builds, and `at` is when the last one was chosen, as `moments.text_of` writes it. `by` is who
    pushed `commit`, and `next_by` who pushed while it was built; "" where nobody knows. `notified` is the build whose
    failure people were mailed.
    """

    project: str
    name: str
    commit: str
    status: str
    number: int
    at: str
    by: str = ""
    build: str = ""
    next_by: str = ""
    notified: str = ""

    @property
    def open(self) -> bool:
        """Say whether its build is not over."""
        return self.status in OPEN


class Move(NamedTuple):
    """A branch was moved from one commit to another, as its repository's provider told by a webhook.

    `before` is "" where the push made the branch, and `after` where it deleted it. `at` is when it was pushed as far as
    the provider says so, else when it was told, as `moments.text_of` writes it; `delivery` is the provider's id of what
    it told, and `address` the e-mail address in the commit.
    """

    before: str
    after: str
    at: str
    delivery: str
    address: str = ""


class Build(NamedTuple):
    """A build as CodeBuild has it: `status` is None while it is not over.

    `phase` is the one that failed and `reason` CodeBuild's words about it, `group` and `stream` where its log is, and
    `url` a link to it; each "" where there is none.
    """

    id: str
    commit: str
    branch: str
    status: str | None
    started_at: datetime
    phase: str = ""
    reason: str = ""
    group: str = ""
    stream: str = ""
    url: str = ""


class TrainedImage(NamedTuple):
    """What a push wants trained: a model's image, which the commit was built into."""

    model: str
    image: str
    commit: str


class Changed(NamedTuple):
    """A pipeline as its definition was changed last: by which commit, and a digest of what it was changed to.

    `number` counts its changes, of which several may lead to the same commit: a push may be forced back to it.
    """

    commit: str
    digest: str
    number: int = 1


class Published(NamedTuple):
    """What a project's main branch has published: its pipelines by their keys, and the images of its models.

    `by` is the ARN of who published.
    """

    commit: str
    by: str
    pipelines: Mapping[str, Changed] = {}
    images: tuple[TrainedImage, ...] = ()


class BranchNote(NamedTuple):
    """What a branch's build wrote down before it made it: pipelines by their keys, package groups by their models."""

    branch: str
    commit: str
    pipelines: Mapping[str, str]
    groups: Mapping[str, str]


class BranchConflictError(Exception):
    """Somebody else works on the same branch at the same time; one of the two gives way."""

    def __init__(self, project: str, branch: str) -> None:
        super().__init__(
            f"the branch {branch} of {project} was changed meanwhile: the message comes back by itself and looks again"
        )


class RepositoryUnknownError(Exception):
    """There is no such repository any more."""

    def __init__(self, repository: str) -> None:
        super().__init__(f"the repository {repository} does not exist: nothing of it is built")


class HeadUntoldError(Exception):
    """No webhook has told of a branch."""

    def __init__(self, repository: str, branch: str) -> None:
        super().__init__(
            f"no webhook of {repository} has told of its branch {branch}: the next push to it does, and is built"
        )
