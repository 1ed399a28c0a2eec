"""The projects of a stack: who takes which uploads, by which pipeline, and whose a model is.

Each project and each model has a document, an SSM parameter that CloudFormation writes and that people only read; what
is in one say `project_documents` and `model_documents`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from signalbox import names
from signalbox.aws import clients, parameters
from signalbox.aws.errors import none_if_missing, translated
from signalbox.model_documents import (
    NAME,
    ModelDocument,
    ModelRoles,
    ModelTest,
    ModelTraining,
    ProjectDocumentError,
    parse_model,
)
from signalbox.observability import count, logger
from signalbox.project_documents import Project, ProjectPipeline, ProjectUploads, parse_project, to_json

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

__all__ = [
    "Claim",
    "ModelDocument",
    "ModelRoles",
    "ModelTest",
    "ModelTraining",
    "OwnedPipeline",
    "Project",
    "ProjectDocumentError",
    "ProjectPipeline",
    "ProjectUploads",
    "claim",
    "covering",
    "load_model",
    "load_model_names",
    "load_projects",
    "owner",
    "parse_model",
    "parse_project",
    "readable",
    "to_json",
]


class Claim(NamedTuple):
    """Whose an upload is: the project, and the pipeline and the window of those of its `uploads` that fit the key."""

    project: Project
    uploads: ProjectUploads

    @property
    def pipeline(self) -> ProjectPipeline:
        """Return the pipeline that takes it."""
        return self.project.pipelines[self.uploads.pipeline]


class OwnedPipeline(NamedTuple):
    """A pipeline and whose it is; `key` is what its project calls it."""

    project: Project
    key: str
    pipeline: ProjectPipeline

    @property
    def quiet_seconds(self) -> int:
        """Return how long no upload may have come before its run starts: the longest that its project says for it."""
        return max((each.quiet_seconds for each in self.project.uploads if each.pipeline == self.key), default=0)


def owner(projects: Sequence[Project], pipeline: str) -> OwnedPipeline | None:
    """Return whose a SageMaker pipeline is; None where no project has it (any more)."""
    for project in projects:
        for key, each in project.pipelines.items():
            if each.name == pipeline:
                return OwnedPipeline(project, key, each)
    return None


def covering(projects: Sequence[Project], key: str) -> Project | None:
    """Return the project whose the place of a key is: the longest prefix wins, and of equal ones the first by name."""
    found = [(-len(each.prefix), project.project, project) for project in projects for each in _over(project, key)]
    return min(found, key=lambda one: one[:2])[2] if found else None


def claim(projects: Sequence[Project], key: str) -> Claim | None:
    """Return who takes an upload; None where nobody has its place, or whoever has it wants no key of this ending.

    A place is one project's alone (see `covering`): what it does not want, no other gets. Of several endings that fit
    under the same prefix, the longest wins.
    """
    project = covering(projects, key)
    if project is None:
        return None
    longest = max(len(each.prefix) for each in _over(project, key))
    fitting = [each for each in _over(project, key) if len(each.prefix) == longest and key.endswith(each.suffix)]
    return Claim(project, max(fitting, key=lambda each: len(each.suffix))) if fitting else None


def load_projects(prefix: str, ssm: "SSMClient | None" = None) -> tuple[Project, ...]:
    """Return the projects of a stack, by name.

    One whose document cannot be used is left out, logged and counted, so that it stops no other project; what would be
    its uploads are nobody's until the document is mended.

    Raises:
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    return readable(prefix, parameters.below(names.project_parameter(prefix, ""), ssm))


def readable(prefix: str, found: Iterable[tuple[str, str]]) -> tuple[Project, ...]:
    """Return the projects in documents that were found by their names, without those that cannot be used."""
    known = (_readable(prefix, name, text) for name, text in found)
    return tuple(sorted((project for project in known if project is not None), key=lambda project: project.project))


def load_model(prefix: str, model: str, ssm: "SSMClient | None" = None) -> ModelDocument | None:
    """Return a model's document; None where it has none, as models of stacks before projects.

    Raises:
        ProjectDocumentError: its text cannot be used.
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    if not re.fullmatch(NAME, model):  # such a name, of another's package group, is none that a parameter may have
        return None
    client: SSMClient = ssm or clients.client("ssm")
    parameter = names.model_parameter(prefix, model)
    with translated(f"ssm:GetParameter of {parameter}"), none_if_missing():
        return parse_model(client.get_parameter(Name=parameter)["Parameter"]["Value"])
    return None


def load_model_names(prefix: str, ssm: "SSMClient | None" = None) -> tuple[str, ...]:
    """Return the names of the models that have a document, sorted.

    Raises:
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    return tuple(sorted(name for name, _ in parameters.below(names.model_parameter(prefix, ""), ssm)))


def _over(project: Project, key: str) -> Iterator[ProjectUploads]:
    return (each for each in project.uploads if key.startswith(each.prefix))


def _readable(prefix: str, name: str, text: str) -> Project | None:
    """Return the project in a parameter's text, or None for one that cannot be used."""
    try:
        return _own(prefix, name, parse_project(text))
    except ProjectDocumentError as error:
        logger.error("project not understood", extra={"project": name, "reason": str(error)})
        count("ProjectNotUnderstood")
        return None


def _own(prefix: str, name: str, project: Project) -> Project:
    """Return the project if all that it names is its own: no document starts or passes on what is another's."""
    if project.project != name:
        raise ProjectDocumentError(f"project is {project.project!r}, but the parameter is that of {name!r}")
    for key, pipeline in project.pipelines.items():
        own = names.pipeline(prefix, name, key)
        if pipeline.name != own:
            raise ProjectDocumentError(
                f"pipelines.{key}.name is {pipeline.name!r}, but the pipeline of this name is {own!r}"
            )
    return project
