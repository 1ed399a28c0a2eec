"""What a promotion speaks of: the two stacks, the run, and what is put in the place of what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from signalbox.project_documents import Project as Document
from signalbox.project_documents import ProjectPipeline
from signalbox_operate.pipelines.form import Json
from signalbox_operate.projects.place import Place
from signalbox_operate.projects.target import Target

# Git's own null id: it stands in the request of a run whose definition says no commit.
NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Side:
    """One of the two stacks, and who works there: `caller` is the ARN that STS knows."""

    place: Place
    account: str
    caller: str

    @property
    def title(self) -> str:
        """Return what people call it."""
        return f"the stack {self.place.stack.name} (account {self.account}, {self.place.region})"


@dataclass(frozen=True)
class Deployed:
    """A project's pipeline as it is deployed in a stack: its documents, and what the stack gives it."""

    side: Side
    document: Document
    key: str
    target: Target
    pipeline_role_arn: str

    @property
    def pipeline(self) -> ProjectPipeline:
        """Return the pipeline as the project's document has it."""
        return self.document.pipelines[self.key]


@dataclass(frozen=True)
class Wanted:
    """What somebody wants promoted: the run called `run`, else the newest good one, of a `commit` where one is given.

    `values` are other defaults of its parameters; without `start` the pipeline is put in place and not run.
    """

    project: str
    pipeline: str | None = None
    run: str | None = None
    commit: str | None = None
    values: Mapping[str, str] | None = None
    start: bool = True


@dataclass(frozen=True)
class Ran:
    """A run that has succeeded, and the definition that it ran; `commit` is "" where that says none."""

    execution: str
    definition: Json
    sha256: str
    commit: str

    @property
    def name(self) -> str:
        """Return the execution's id."""
        return self.execution.rpartition("/")[2]


@dataclass(frozen=True)
class Difference:
    """What the two stacks call differently."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Replacement:
    """A difference as it was found in a definition, in so many places."""

    what: str
    before: str
    after: str
    places: int


@dataclass(frozen=True)
class Plan:
    """A promotion that can be carried out; `there` says that nothing is left to do, and `code` are files by digest."""

    wanted: Wanted
    source: Deployed
    target: Deployed
    ran: Ran
    definition: Json
    digest: str
    replacements: Sequence[Replacement]
    notes: Sequence[str]
    code: Mapping[str, Mapping[str, bytes]]
    there: bool
