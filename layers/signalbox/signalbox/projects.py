"""The projects of a stack: who takes which uploads, by which pipeline, and whose a model is.

Each project and each model has a document, an SSM parameter that CloudFormation writes and that people only read; what
is in one say `project_documents` and `model_documents`, and what builds may claim in them `grants`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from signalbox import grants, names
from signalbox.aws import parameters
from signalbox.grants import Grant
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
from signalbox.project_documents import (
    LONGEST,
    Project,
    ProjectPipeline,
    ProjectUploads,
    Window,
    parse_project,
    to_json,
)

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
    "load_grants",
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
    def in_lots(self) -> bool:
        """Say whether not simply all that waits is taken: its project gives sets, or lets versions be replaced."""
        return any(each.complete or each.replace for each in self.entries)

    @property
    def entries(self) -> tuple[ProjectUploads, ...]:
        """Return those of its project's uploads that start it."""
        return tuple(each for each in self.project.uploads if each.pipeline == self.key)

    @property
    def window(self) -> Window:
        """Return when its run starts: of all that its project says for it, the longest times and the smallest batch."""
        quiet = max((each.quiet_seconds for each in self.entries), default=0)
        longest = max((each.longest_seconds or LONGEST for each in self.entries), default=LONGEST)
        return Window(
            quiet, max(quiet, longest), min((each.batch for each in self.entries if each.batch), default=None)
        )


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
    under the same prefix, the longest wins; that of the objects which name the files of a set is one of them.
    """
    project = covering(projects, key)
    if project is None:
        return None
    longest = max(len(each.prefix) for each in _over(project, key))
    fitting = [each for each in _over(project, key) if len(each.prefix) == longest and _endings(each, key)]
    return Claim(project, max(fitting, key=lambda each: max(_endings(each, key)))) if fitting else None


def load_projects(prefix: str, ssm: "SSMClient | None" = None) -> tuple[Project, ...]:
    """Return the projects of a stack, by name.

    One whose document cannot be used is left out, logged and counted, so that it stops no other project; what would be
    its uploads are nobody's until the document is mended. So are those under a prefix that it has no grant for.

    Raises:
        ProjectDocumentError: a grant cannot be read.
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    found = parameters.below(names.project_parameter(prefix, ""), ssm)
    return readable(prefix, found, load_grants(prefix, ssm))


def load_grants(prefix: str, ssm: "SSMClient | None" = None) -> dict[str, Grant]:
    """Return what people let builds claim, by project. Raises as `load_projects` does.

    Read it after the documents: whoever may claim more has the grant first.
    """
    return grants.parse(parameters.below(names.grant_parameter(prefix, ""), ssm))


def readable(prefix: str, found: Iterable[tuple[str, str]], granted: Mapping[str, Grant]) -> tuple[Project, ...]:
    """Return the projects in documents that were found by their names, as far as these can be used and are granted."""
    known = (_readable(prefix, name, text) for name, text in found)
    usable = sorted((project for project in known if project is not None), key=lambda project: project.project)
    return tuple(_granted(project, granted) for project in usable)


def load_model(prefix: str, model: str, ssm: "SSMClient | None" = None) -> ModelDocument | None:
    """Return a model's document; None where it has none, as models of stacks before projects.

    Raises:
        ProjectDocumentError: its text cannot be used, names what is another project's, or a grant cannot be read.
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    if not re.fullmatch(NAME, model):  # such a name, of another's package group, is none that a parameter may have
        return None
    text = parameters.find(names.model_parameter(prefix, model), ssm)
    if not text:
        return None
    document = parse_model(text)
    if document.model != model:
        raise ProjectDocumentError(f"model is {document.model!r}, but the parameter is that of {model!r}")
    granted = grants.parse(parameters.below(names.grant_parameter(prefix, ""), ssm))
    grants.check_model(prefix, document, granted)
    return document


def load_model_names(prefix: str, ssm: "SSMClient | None" = None) -> tuple[str, ...]:
    """Return the names of the models that have a document, sorted.

    Raises:
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    return tuple(sorted(name for name, _ in parameters.below(names.model_parameter(prefix, ""), ssm)))


def _endings(uploads: ProjectUploads, key: str) -> list[int]:
    """Return the lengths of the endings by which a key is wanted; none where it is not."""
    return [len(one) for one in (uploads.suffix, uploads.complete) if one is not None and key.endswith(one)]


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


def _granted(project: Project, granted: Mapping[str, Grant]) -> Project:
    """Return the project with those of its claims that count; the others are logged and counted."""
    refused = grants.refused(project, granted)
    if refused:
        then = "whoever made its automation runs `signalbox projects create` again, if they are to be its own"
        logger.error("claims not granted", extra={"project": project.project, "prefixes": refused, "then": then})
        count("ClaimRefused", len(refused))
    return grants.within(project, granted)


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
