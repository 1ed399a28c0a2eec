"""A small world of code for tests: repositories, builds, branches and trainings that remember."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from signalbox.code_events import BranchTold
from signalbox.contracts.endings import BuildFailure
from signalbox.pushes import rules
from signalbox.pushes.building import PushPorts
from signalbox.pushes.model import (
    Automation,
    Branch,
    BranchConflictError,
    Build,
    Changed,
    HeadUntoldError,
    Move,
    RepositoryUnknownError,
    TrainedImage,
)
from signalbox.pushes.publishing import PublishingPorts
from tests.support.samples import sample, with_detail
from tests.support.uploads import MemoryDeadLetterQueue, a_project

if TYPE_CHECKING:
    from signalbox.pushes.model import (
        Published,
    )

WINE = Automation("wine", "codecommit", "signalbox-wine", "main", "signalbox-wine", "signalbox-wine--branches")
HOOKED = WINE._replace(provider="github", repository="acme/wine")
PUSHED = sample("codecommit/branch-updated")
BUILT = sample("codebuild/build-succeeded")
PUBLISHED = sample("ssm/published-updated")
STACK_APPROVERS = ("chief@example.com",)
_TOKEN_TIME = timedelta(minutes=5)


def commit(number: int) -> str:
    """Return the id of a commit."""
    return f"{number:040x}"


def pushed(branch: str = "main", repository: str = WINE.repository, by: str = "user/ann") -> dict[str, Any]:
    """Return the event of a push."""
    arn = f"arn:aws:iam::123456789012:{by}"
    return with_detail(PUSHED, referenceName=branch, repositoryName=repository, callerUserArn=arn)


def told(
    before: str | None,
    after: str | None,
    *,
    branch: str = "main",
    delivery: str = "",
    at: str = "2026-11-20T12:00:00.000000Z",
    by: str = "ann",
    address: str = "",
    provider: str = "github",
) -> dict[str, Any]:
    """Return the message about a branch that a webhook told of."""
    name = delivery or f"{before}-{after}"
    return BranchTold("wine", branch, before, after, at, by, address, name, provider).message()


def built(build: str, status: str = "SUCCEEDED") -> dict[str, Any]:
    """Return the event of a build's end."""
    arn = f"arn:aws:codebuild:us-east-1:123456789012:build/{build}"
    return with_detail(BUILT, **{"build-id": arn, "project-name": build.partition(":")[0], "build-status": status})


def published(project: str = "wine") -> dict[str, Any]:
    """Return the event of a publication."""
    return with_detail(PUBLISHED, name=f"/signalbox/published/{project}")


class MemoryRepositories:
    """Repositories: the newest commit of each branch, and the address in each commit."""

    def __init__(self) -> None:
        self.heads: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.gone = False

    def head(self, repository: str, branch: str) -> str | None:
        """Return a branch's newest commit."""
        if self.gone or repository != WINE.repository:
            raise RepositoryUnknownError(repository)
        return self.heads.get(branch)

    def address(self, repository: str, commit: str) -> str:
        """Return the address of who made a commit."""
        if self.gone or repository != WINE.repository:
            raise RepositoryUnknownError(repository)
        return self.addresses.get(commit, "")


class MemoryHeads:
    """What webhooks told of branches."""

    def __init__(self) -> None:
        self.moves: dict[tuple[str, str], list[Move]] = {}

    def tell(self, automation: Automation, branch: str, move: Move) -> None:
        """Write down that a branch was moved."""
        known = self.moves.setdefault((automation.project, branch), [])
        known += [] if any(one.delivery == move.delivery for one in known) else [move]

    def newest(self, automation: Automation, branch: str) -> Move:
        """Return the move that led to where a branch is now."""
        known = self.moves.get((automation.project, branch))
        if not known:
            raise HeadUntoldError(automation.repository, branch)
        return rules.newest_move(known)


class MemoryBuilds:
    """Builds: the same token within minutes is the same build."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.all: dict[str, Build] = {}
        self.tokens: dict[str, tuple[datetime, str]] = {}
        self.lines: tuple[str, ...] = ("pip install", "error: no such version")

    def start(self, automation: Automation, branch: Branch) -> str:
        """Start a build."""
        token, now = rules.build_token(automation, branch), self.clock()
        if token in self.tokens and now - self.tokens[token][0] < _TOKEN_TIME:
            return self.tokens[token][1]
        return self.begin(str(automation.build_of(branch.name)), branch.name, branch.commit, token)

    def begin(self, project: str, branch: str, commit: str, token: str = "") -> str:
        """Begin a build, as people do by hand where there is no token."""
        identity = f"{project}:{len(self.all) + 1}"
        self.all[identity] = Build(identity, commit, branch, None, self.clock(), group="/aws/codebuild/x", stream="1")
        if token:
            self.tokens[token] = (self.clock(), identity)
        return identity

    def newest(self, automation: Automation, branch: Branch) -> Sequence[Build]:
        """Return the builds of a branch's CodeBuild project, the newest first."""
        project = automation.build_of(branch.name)
        return [one for one in reversed(self.all.values()) if one.id.startswith(f"{project}:")]

    def look(self, build: str) -> Build | None:
        """Return a build."""
        return self.all.get(build)

    def log(self, build: Build) -> tuple[str, ...]:
        """Return the last lines of a build."""
        return self.lines

    @property
    def running(self) -> list[str]:
        """Return the builds that are not over."""
        return [identity for identity, build in self.all.items() if build.status is None]

    def end(self, build: str, status: str = "SUCCEEDED") -> dict[str, Any]:
        """Let a build end; return the event about it."""
        phase, reason = ("", "") if status == "SUCCEEDED" else ("BUILD", "exit status 1")
        self.all[build] = self.all[build]._replace(status=status, phase=phase, reason=reason)
        return built(build, status)


class MemoryBranches:
    """The table of branches."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Branch] = {}
        self.images: dict[tuple[str, str], str] = {}

    def find(self, project: str, branch: str) -> Branch | None:
        """Return a branch."""
        return self.items.get((project, branch))

    def put(self, branch: Branch, before: Branch | None) -> Branch:
        """Write a branch down if it still is as it was before."""
        place = (branch.project, branch.name)
        if self.items.get(place) != before:
            raise BranchConflictError(*place)
        self.items[place] = branch
        return branch

    def remove(self, branch: Branch) -> None:
        """Forget a branch."""
        self.items.pop((branch.project, branch.name), None)

    def trained(self, project: str, image: TrainedImage) -> bool:
        """Say whether the training of an image was started."""
        return self.images.get((project, image.model)) == image.image

    def note_trained(self, project: str, image: TrainedImage) -> None:
        """Write down that the training of an image was started."""
        self.images[project, image.model] = image.image


class MemoryExperiments:
    """What branches have made."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], list[str]] = {}
        self.removed: list[str] = []

    def remove(self, project: str, branch: str) -> Sequence[str]:
        """Delete what a branch has made."""
        self.removed.append(branch)
        return self.made.pop((project, branch), [])


class MemoryTrainings:
    """The runs and trainings that were asked for."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str]] = []
        self.images: list[TrainedImage] = []

    def run_again(self, pipeline: str, changed: Changed) -> None:
        """Ask for a run."""
        self.runs.append((pipeline, changed.commit))

    def train(self, image: TrainedImage, by: str) -> bool:
        """Train an image."""
        new = image not in self.images
        self.images += [image] if new else []
        return new


class PushClock:
    """A clock that is put forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the moment that it is put to."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Put the clock forward."""
        self.now += timedelta(seconds=seconds)


class PushWorld:
    """The journey of a push, with what is around it."""

    def __init__(self) -> None:
        self.clock = PushClock()
        self.automations = [WINE]
        self.repositories = MemoryRepositories()
        self.heads = MemoryHeads()
        self.builds = MemoryBuilds(self.clock)
        self.branches = MemoryBranches()
        self.experiments = MemoryExperiments()
        self.trainings = MemoryTrainings()
        self.dead_letters = MemoryDeadLetterQueue()
        self.projects = [a_project("wine", "incoming/wine/")]
        self.published: dict[str, Published] = {}
        self.models = {"wine": "wine", "abalone": "abalone"}
        self.approvers: tuple[Sequence[str], bool] = (STACK_APPROVERS, False)
        self.mails: list[BuildFailure] = []
        self.mail_fails = False

    def notify(self, failure: BuildFailure) -> None:
        """Mail a failed build."""
        if self.mail_fails:
            raise RuntimeError("no mail")
        self.mails.append(failure)

    def ports(self) -> PushPorts:
        """Return the journey's ports."""
        return PushPorts(
            prefix="signalbox",
            automations=lambda: self.automations,
            repositories=self.repositories,
            heads=self.heads,
            builds=self.builds,
            branches=self.branches,
            experiments=self.experiments,
            publishing=PublishingPorts(
                published=self.published.get,
                projects=lambda: self.projects,
                project_of=self.models.get,
                branches=self.branches,
                trainings=self.trainings,
            ),
            dead_letters=self.dead_letters,
            approvers_of=lambda _: self.approvers,
            notify=self.notify,
            clock=self.clock,
        )
