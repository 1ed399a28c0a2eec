"""The branches of a stack's projects: how each was built last, what it runs, and its metrics beside main's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import parameters
from signalbox.aws.errors import code_of
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.evaluation import registered
from signalbox.project_documents import Project as Document
from signalbox.pushes.documents import PushDocumentError, parse_note
from signalbox.pushes.model import BranchNote
from signalbox.pushes.table import BranchTable
from signalbox_operate.projects.place import Place


@dataclass(frozen=True)
class Metrics:
    """A model's metrics on a branch, and those of main's newest package, by name; each as it was registered."""

    model: str
    branch: Mapping[str, float]
    main: Mapping[str, float]


@dataclass(frozen=True)
class BranchView:
    """A branch: `build` is how its last build stands, "" where nothing builds it here.

    `runs` are the newest runs of its pipelines by their keys, as SageMaker's statuses; main's are shown by `runs`.
    """

    project: str
    branch: str
    commit: str
    build: str = ""
    runs: Mapping[str, str] | None = None
    metrics: Sequence[Metrics] = ()


def of_projects(projects: Sequence[Document], place: Place) -> Iterator[BranchView]:
    """Yield the branches of projects: first those that were built, then those that other CI has published."""
    table = BranchTable(Table(place.stack.output("PushesTable"), place.client("dynamodb")))
    for project in projects:
        made = _made(project.project, place)
        for branch in table.all(project.project):
            own = made.pop(branch.name, None)
            yield _view(project.project, branch.name, branch.commit, branch.status, own, place)
        for name, own in made.items():
            yield _view(project.project, name, own.commit, "", own, place)


def _made(project: str, place: Place) -> dict[str, BranchNote]:
    """Return what branches have made, by their names; a note that cannot be read is named, and left out."""
    return {note.branch: note for _, note in notes(project, place) if note is not None}


def notes(project: str, place: Place) -> Iterator[tuple[str, BranchNote | None]]:
    """Yield what builds wrote down that branches have made, by its parameter; one that cannot be read is told."""
    folder = names.experiment_parameter(place.prefix, project, "")
    for key, text in parameters.below(folder, place.client("ssm")):
        note = None
        try:
            note = parse_note(text)
        except PushDocumentError as error:
            place.say(f"note: what a branch has made cannot be read in {folder}{key}: {error}")
        yield f"{folder}{key}", note


def _view(project: str, name: str, commit: str, build: str, made: BranchNote | None, place: Place) -> BranchView:
    if made is None:
        return BranchView(project, name, commit, build)
    sagemaker = place.client("sagemaker")
    runs = {key: _status(pipeline, sagemaker) for key, pipeline in made.pipelines.items()}
    metrics = [
        Metrics(model, _metrics(group, place), _metrics(names.package_group(place.prefix, model), place))
        for model, group in made.groups.items()
    ]
    return BranchView(project, name, commit, build, runs, metrics)


def _status(pipeline: str, sagemaker: Any) -> str:
    """Return how the newest run of a pipeline stands; "-" where it has had none."""
    try:
        found = sagemaker.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
        )["PipelineExecutionSummaries"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return "-"
    return str(found[0]["PipelineExecutionStatus"]) if found else "-"


def _metrics(group: str, place: Place) -> dict[str, float]:
    """Return the metrics that the newest package of a group was registered with; none where there is none."""
    sagemaker = place.client("sagemaker")
    try:
        found = sagemaker.list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
        )["ModelPackageSummaryList"]
    except ClientError as error:
        if code_of(error) not in {"ResourceNotFound", "ValidationException"}:
            raise
        return {}
    package = ModelRegistry(sagemaker).find(found[0]["ModelPackageArn"]) if found else None
    if package is None or not package.statistics:
        return {}
    known = registered.read_metrics(package.statistics, ObjectStore(place.client("s3"))).metrics
    return {name: metric["value"] for name, metric in known.items()}
