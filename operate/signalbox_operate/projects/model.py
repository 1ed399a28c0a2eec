"""What a `signalbox.yaml` says, with the line that each field stands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signalbox_operate.datasets.model import TEST, TRAIN, kind_of
from signalbox_operate.projects.schema import FILE
from signalbox_operate.stack import OperateError

if TYPE_CHECKING:
    from signalbox_operate.features.project_features import ProjectFeatures

type Field = tuple[str | int, ...]


class ProjectError(OperateError):
    """A project cannot be used; the message has a line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Places:
    """The lines of a file's fields, counted from 1."""

    file: str = FILE
    lines: Mapping[Field, int] = field(default_factory=dict)

    def line(self, path: Field) -> int:
        """Return the line of a field, or of the one that it is in; 0 where none is known."""
        around = (path[:length] for length in range(len(path), -1, -1))
        return next((self.lines[one] for one in around if one in self.lines), 0)

    def of(self, *path: str | int) -> str:
        """Return where a field stands, as `signalbox.yaml, line 4, uploads.prefix`."""
        line = self.line(path)
        return f"{self.file}{f', line {line}' if line else ''}{f', {dotted(path)}' if path else ''}"


def dotted(path: Field) -> str:
    """Return a field's path as people write it: `uploads[0].prefix`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


@dataclass(frozen=True)
class Uploads:
    """Which uploads start which pipeline, and when (see `project_documents.ProjectUploads`)."""

    prefix: str
    suffix: str
    quiet_seconds: int
    pipeline: str
    longest_seconds: int | None = None
    batch: int | None = None
    complete: str | None = None
    replace: bool = False


@dataclass(frozen=True)
class PipelineEntry:
    """A pipeline: `parameter` and `takes` are None where they are to be found in its definition.

    `golden` are files of its code with golden requests, by the models that they are for. `bad_share` is the share of a
    run's files that may be bad, from 0 to 1, which its definition is told.
    """

    name: str
    definition: Path
    code: Path | None
    models: tuple[str, ...]
    parameter: str | None
    takes: str | None
    replace: Mapping[str, str]
    golden: Mapping[str, str] = field(default_factory=dict)
    bad_share: float = 0


@dataclass(frozen=True)
class ContainerEntry:
    """A container that trains and serves a model; `train` and `test` are its data in the project, if they are there."""

    name: str
    model: str
    problem: str
    folder: Path | None
    train: Path | None
    test: Path | None
    channel: str
    channels: Mapping[str, Path]
    """Its further channels, each with its data in the project."""
    hyperparameters: Mapping[str, str]
    given: Mapping[str, Any]
    """The other fields, as they are in the file."""

    @property
    def data(self) -> dict[str, Path]:
        """Return its data in the project by kind, the training data first."""
        rows = {TRAIN: self.train, TEST: self.test}
        further = {kind_of(channel): path for channel, path in self.channels.items()}
        return {kind: path for kind, path in {**rows, **further}.items() if path}


@dataclass(frozen=True)
class Project:
    """A project as its file describes it; `folder` is where the file lies."""

    folder: Path
    name: str
    uploads: tuple[Uploads, ...] = ()
    pipelines: Mapping[str, PipelineEntry] = field(default_factory=dict)
    containers: Mapping[str, ContainerEntry] = field(default_factory=dict)
    branches: Mapping[str, Any] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()
    stages: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    places: Places = field(default_factory=Places)
    features: "ProjectFeatures | None" = None

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of its models, each once, in the order of the file."""
        trained = [model for entry in self.pipelines.values() for model in entry.models]
        return tuple(dict.fromkeys([*trained, *(entry.model for entry in self.containers.values())]))

    def pipeline_of(self, model: str) -> PipelineEntry | None:
        """Return the pipeline that registers a model; None where a container trains it."""
        return next((entry for entry in self.pipelines.values() if model in entry.models), None)

    def container_of(self, model: str) -> ContainerEntry | None:
        """Return the container that trains a model; None where a pipeline does."""
        return next((entry for entry in self.containers.values() if entry.model == model), None)
