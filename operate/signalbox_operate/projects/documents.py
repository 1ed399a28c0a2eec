"""The documents of a project and of its models, as the stack's functions read them."""

import json
from typing import TYPE_CHECKING, Any, cast

from signalbox import projects, stages
from signalbox.projects import ModelDocument, ModelRoles, ModelTest, ModelTraining, ProjectPipeline, ProjectUploads
from signalbox_operate.datasets.model import TRAIN, kind_of
from signalbox_operate.projects.model import ContainerEntry, Project, ProjectError
from signalbox_operate.projects.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox.contracts.problems import Problem
    from signalbox_operate.projects.inputs import Input

LIMIT = 4096  # bytes of a standard parameter (Systems Manager API reference, PutParameter)
# ARNs of roles have at most 31 characters, a path and 64 characters of a name: the texts below stand for them.
_LONG_ARN = ":".join(("arn", "partition", "iam", "", "111122223333", f"role/{'x' * 140}"))
ROLES = ModelRoles(*(f"{_LONG_ARN}/{kind}" for kind in ("JobRole", "TestRole", "ModelRole")))


def of_project(project: Project, project_id: str, inputs: "Mapping[str, Input]", target: Target) -> str:
    """Return the text of a project's document; `inputs` says of each pipeline how it takes uploads.

    Raises:
        ProjectError: it is larger than a parameter may be.
    """
    pipelines = {
        name: ProjectPipeline(
            target.pipeline(project.name, name), entry.models, inputs[name].takes, inputs[name].parameter
        )
        for name, entry in project.pipelines.items()
    }
    uploads = tuple(
        ProjectUploads(
            one.prefix,
            one.pipeline,
            one.suffix,
            one.quiet_seconds,
            one.longest_seconds,
            one.batch,
            one.complete,
            one.replace or None,  # what is not said stands in no document, which stacks of before read, too
        )
        for one in project.uploads
    )
    made = projects.Project(project.name, project_id, uploads, pipelines, project.approvers, project.tags)
    return _checked(projects.to_json(made), "the project's document: name fewer pipelines, approvers or tags")


def of_model(project: Project, project_id: str, model: str, target: Target) -> str:
    """Return the text of a model's document; `ROLES` stand for its roles, which CloudFormation makes.

    Raises:
        ProjectError: it is larger than a parameter may be.
    """
    container = project.container_of(model)
    given = container.given if container else {}
    made = ModelDocument(
        model,
        project.name,
        project_id,
        ROLES,
        project.approvers,
        stages.parse(json.dumps({"stages": list(project.stages)})).stages if project.stages else (),
        project.tags,
        _training(container, target) if container else None,
        ModelTest(given.get("content_type", "text/csv"), _golden(project, model, target)),
    )
    return _checked(
        projects.to_json(made), f"the document of model {model}: give it fewer hyperparameters, variables or stages"
    )


def _golden(project: Project, model: str, target: Target) -> str | None:
    """Return the URI of a model's golden requests, which lie with its pipeline's code."""
    entry = project.pipeline_of(model)
    file = entry.golden.get(model) if entry else None
    return f"{target.code(project, entry)}/code/{file}" if entry and file else None


def _training(container: ContainerEntry, target: Target) -> ModelTraining:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in container.given.items()
        if name != "content_type"
    }
    data = f"s3://{target.data_bucket}/models/{container.model}"
    further = {channel: f"{data}/{kind_of(channel)}/" for channel in container.channels}
    return ModelTraining(
        cast("Problem", container.problem),
        hyperparameters=container.hyperparameters,
        channels={container.channel: f"{data}/{TRAIN}/", **further},
    )._replace(**given)


def _checked(text: str, what: str) -> str:
    size = len(text.encode())
    if size > LIMIT:
        raise ProjectError([f"{size:,} bytes are more than the {LIMIT:,} that an SSM parameter may have for {what}"])
    return text
