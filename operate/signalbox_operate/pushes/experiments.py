"""A commit of another branch is an experiment: pipelines and package groups of its own, and nothing of it is released.

They run as the project's roles, on the data of main's last run. What was made is written down, so that it is removed
with the branch.
"""

import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws.errors import code_of
from signalbox.project_documents import Project as Document
from signalbox_operate.pipelines.form import Json
from signalbox_operate.projects import checking, code, definitions, pipelines, target
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.projects.place import Place
from signalbox_operate.projects.target import Target
from signalbox_operate.pushes.source import Source
from signalbox_operate.stack import OperateError


@dataclass(frozen=True)
class BranchTarget(Target):
    """The stack, with the names that a project's branch has there."""

    owner: str = ""
    branch: str = ""

    def group(self, model: str) -> str:
        """Return the branch's package group of a model."""
        return names.branch_group(self.prefix, self.owner, model, self.branch)

    def pipeline(self, project: str, pipeline: str) -> str:
        """Return SageMaker's name of the branch's pipeline."""
        return names.branch_pipeline(self.prefix, project, pipeline, self.branch)

    def code(self, project: Project, entry: PipelineEntry) -> str | None:
        """Return the URI that the code of a branch's pipeline is put under: a folder that no run of main reads."""
        return None if entry.code is None else self.artifacts(code.key(_folder(project), code.read(entry.code)))

    def feature_group(self, project: Project) -> str:
        """Return "": the features of a branch are files of its runs, and none of main's records."""
        del project
        return ""

    def features(self, project: Project) -> str | None:
        """Return the URI that the branch's features' job is put under; None where there are no features."""
        return self.artifacts(code.key(_folder(project), project.features.files())) if project.features else None


def _folder(project: Project) -> str:
    return f"{project.name}/branches"


def publish(project: Project, built: Source, place: Place) -> None:
    """Put a branch's pipelines in place, and start those that this commit changed.

    Raises:
        OperateError: main was never deployed, or SageMaker refuses something.
    """
    main = place.find(project.name)
    if main is None:
        raise OperateError(f"the project {project.name} is not deployed: push its main branch first")
    outputs = place.stack_of(project.name).outputs()
    made = _checked(project, built, outputs["JobRoleArn"], place)
    for entry in project.pipelines.values():
        if entry.code is not None:
            code.upload(_folder(project), code.read(entry.code), made.target.artifacts_bucket, place.client("s3"))
    if project.features:
        code.upload(_folder(project), project.features.files(), made.target.artifacts_bucket, place.client("s3"))
    _note(project, built, made, place)
    _put(made, main.id, outputs["PipelineRoleArn"], place)
    for name in project.pipelines:
        _start(made, name, main, built, place)
    for name in project.containers:
        place.say(f"the container {name} is built and trained on main only")


def _checked(project: Project, built: Source, job_role_arn: str, place: Place) -> Checked:
    known = target.of_stack(place.stack, place.region, job_role_arn)
    fields = {name: getattr(known, name) for name in Target.__dataclass_fields__}
    made = checking.check(project, BranchTarget(**fields, owner=project.name, branch=built.branch))
    committed = {name: definitions.committed(one, built.commit) for name, one in made.definitions.items()}
    return replace(made, definitions=committed)


def _note(project: Project, built: Source, made: Checked, place: Place) -> None:
    """Write down what the branch has, before it is made: a build that dies leaves nothing that nobody knows."""
    models = [model for entry in project.pipelines.values() for model in entry.models]
    text = {
        "branch": built.branch,
        "commit": built.commit,
        "pipelines": {name: made.target.pipeline(project.name, name) for name in project.pipelines},
        "groups": {model: made.target.group(model) for model in models},
    }
    name = names.experiment_parameter(place.prefix, project.name, built.branch)
    place.client("ssm").put_parameter(
        Name=name, Value=json.dumps(text, ensure_ascii=False), Type="String", Overwrite=True
    )


def _put(made: Checked, project_id: str, role_arn: str, place: Place) -> None:
    project, aim, sagemaker = made.project, made.target, place.client("sagemaker")
    tags = definitions.project_tags(project, project_id)
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    for entry in project.pipelines.values():
        for model in entry.models:
            group = aim.group(model)
            arn = f"arn:{partition}:sagemaker:{place.region}:{account}:model-package-group/{group}"
            pipelines.put_group(group, arn, tags, sagemaker)
    for name in project.pipelines:
        called = aim.pipeline(project.name, name)
        outcome = pipelines.put(called, role_arn, definitions.tag(made.definitions[name], tags), tags, sagemaker)
        place.say(f"pipeline {called} {outcome}")


def _start(made: Checked, name: str, main: Document, built: Source, place: Place) -> None:
    """Start a branch's pipeline with what main's last run was given; the same definition is started once."""
    sagemaker, called = place.client("sagemaker"), made.target.pipeline(made.project.name, name)
    digest, taken = definitions.digest(made.definitions[name]), made.inputs[name]
    if any(_name(one).endswith(f"-{digest}") for one in _executions(called, sagemaker)):
        place.say(f"pipeline {called} has run as it is")
        return
    values: list[dict[str, str]] = []
    if taken.parameter is not None:
        value = _last_value(main, name, sagemaker)
        if value is None:
            place.say(f"pipeline {called} is not started: main's pipeline {name} has had no run, so there are no data")
            return
        values = [{"Name": taken.parameter, "Value": value}]
    sagemaker.start_pipeline_execution(
        PipelineName=called,
        ClientRequestToken=secrets.token_hex(),  # that of a branch which had this name before would start nothing
        PipelineExecutionDisplayName=f"commit-{built.commit[:12]}-{digest}",
        PipelineParameters=values,
    )
    place.say(f"pipeline {called} started, on the data of main's last run")


def _last_value(main: Document, name: str, sagemaker: Any) -> str | None:
    """Return what main's pipeline was given last, preferably by a run that succeeded; None where it has had no run."""
    own = main.pipelines.get(name)
    if own is None or own.parameter is None:
        return None
    found = sorted(_executions(own.name, sagemaker), key=lambda one: one["PipelineExecutionStatus"] != "Succeeded")
    if not found:
        return None
    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=found[0]["PipelineExecutionArn"])
    return {each["Name"]: str(each["Value"]) for each in listed["PipelineParameters"]}.get(own.parameter)


def _executions(pipeline: str, sagemaker: Any) -> list[Json]:
    """Return the newest executions of a pipeline, the newest first; none where there is no such pipeline."""
    try:
        found = sagemaker.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=100
        )
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return []
    return list(found["PipelineExecutionSummaries"])


def _name(execution: Json) -> str:
    return str(execution.get("PipelineExecutionDisplayName", ""))
