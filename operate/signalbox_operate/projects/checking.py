"""Everything that can be known of a project before anything is written: without AWS, or with a stack's answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from signalbox.evaluation import project_requests
from signalbox.evaluation.model import EvaluationError
from signalbox_operate.datasets import files, putting
from signalbox_operate.datasets.model import DataError
from signalbox_operate.pipelines import check as check_definition
from signalbox_operate.pipelines.form import Json, PipelineError, steps_of
from signalbox_operate.projects import code, definitions, documents, feature_groups, inputs, promises, roles, template
from signalbox_operate.projects.inputs import Input
from signalbox_operate.projects.model import PipelineEntry, Project, ProjectError
from signalbox_operate.projects.target import Target
from signalbox_operate.stack import OperateError

if TYPE_CHECKING:
    from signalbox.contracts.problems import Problem

_ID = f"example-{'0' * 12}"


@dataclass(frozen=True)
class Checked:
    """A project that can be deployed to a target: the definition and the input of each of its pipelines."""

    project: Project
    target: Target
    definitions: Mapping[str, Json]
    inputs: Mapping[str, Input]

    def statements(self, accounts: tuple[str, ...] = ()) -> dict[str, list[roles.Statement]]:
        """Return what each of the project's roles may do; `accounts` are those whose images may be registered."""
        project, target = self.project, self.target
        steps = [step for made in self.definitions.values() for step in steps_of(made)]
        functions = sorted({str(step["FunctionArn"]) for step in steps if step["Type"] == "Lambda"})
        made = {
            "JobRole": roles.job(project, target, network=self._network(steps)),
            "TestRole": roles.test(project, target),
            "ModelRole": roles.model(project, target),
            "PipelineRole": roles.pipeline(project, target, [step["Type"] for step in steps], functions, accounts),
        }
        group = feature_groups.wanted(project, target)
        return made | {"FeatureRole": roles.features(project, target)} if group and group.place else made

    def contents(
        self, project_id: str, container_policy: str, accounts: tuple[str, ...] = (), boundary: str = ""
    ) -> template.Contents:
        """Return what the project's stack has; see `template.Contents`, and `statements` for `accounts`.

        Raises:
            ProjectError: a document is larger than a parameter may be.
        """
        project, target = self.project, self.target
        models = {model: documents.of_model(project, project_id, model, target) for model in project.models}
        return template.Contents(
            target.prefix,
            project.name,
            documents.of_project(project, project_id, self.inputs, target),
            models,
            self.statements(accounts),
            container_policy,
            definitions.project_tags(project, project_id),
            boundary,
            {"FeatureRole": feature_groups.role_name(project.name, target)},
            target.feature_group(project),
        )

    def _network(self, steps: list[Json]) -> bool:
        """Tell whether a job of the project lies in a network of its own."""
        return any(entry.given.get("subnets") for entry in self.project.containers.values()) or any(
            _names(step, "VpcConfig") for step in steps
        )


def check(project: Project, target: Target) -> Checked:
    """Return a project with its definitions as they are for a target.

    Raises:
        ProjectError: it has a line for each thing that is wrong.
    """
    made: dict[str, Json] = {}
    found: dict[str, Input] = {}
    problems: list[str] = []
    for name, entry in project.pipelines.items():
        try:
            made[name] = _definition(project, entry, target)
            found[name] = inputs.find(made[name], entry, project.places, wanted=_wanted(project, name))
            problems += promises.broken(made[name], project, entry, target)
        except (OperateError, PipelineError) as error:
            problems.append(_located(str(error), project, name))
    problems += [*_unusable_data(project), *_unusable_golden(project)]
    if problems:
        raise ProjectError(problems)
    checked = Checked(project, target, made, found)
    template.make(checked.contents(_ID, target.job_role_arn))  # refuses what is too large
    return checked


def _unusable_data(project: Project) -> Iterator[str]:
    """Yield what is wrong with the data that lie in the project, for containers."""
    for name, entry in project.containers.items():
        try:
            datasets = [files.collect(kind, [path]) for kind, path in entry.data.items()]
            list(putting.check(datasets, cast("Problem", entry.problem), entry.given.get("content_type", putting.CSV)))
        except DataError as error:
            yield f"{project.places.of('containers', name)}: {error}"


def _unusable_golden(project: Project) -> Iterator[str]:
    """Yield what is wrong with the golden requests of models that pipelines register."""
    for name, entry in project.pipelines.items():
        for model, file in entry.golden.items():
            problem = _golden_problem(entry, model, file)
            if problem:
                yield f"{project.places.of('pipelines', name, 'golden', model)}: {problem}"


def _golden_problem(entry: PipelineEntry, model: str, file: str) -> str | None:
    if model not in entry.models:
        return f"the pipeline registers {', '.join(entry.models) or 'no model'}: name one of its models"
    content = code.read(entry.code).get(file) if entry.code else None
    if content is None:
        return f"there is no {file} in the pipeline's code: put it there, with a request in each line"
    try:
        project_requests.parse(content.decode(), file)
    except (EvaluationError, UnicodeDecodeError) as error:
        return str(error)
    return None


def _definition(project: Project, entry: PipelineEntry, target: Target) -> Json:
    if entry.code is not None:
        code.read(entry.code)
    made = definitions.make(project, entry, target)
    check_definition(made)
    return made


def _wanted(project: Project, pipeline: str) -> bool:
    return any(entry.pipeline == pipeline for entry in project.uploads)


def _located(problem: str, project: Project, pipeline: str) -> str:
    """Return a problem with where its pipeline stands in the file, unless it says so."""
    if problem.startswith(project.places.file):
        return problem
    return f"{project.places.of('pipelines', pipeline)}: {problem}"


def _names(value: Any, field: str) -> bool:
    """Tell whether there is such a field in a value, however deep."""
    if isinstance(value, dict):
        return field in value or any(_names(item, field) for item in value.values())
    return isinstance(value, list) and any(_names(item, field) for item in value)
