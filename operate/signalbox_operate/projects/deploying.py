"""Deploy a project: everything is checked, then code, roles and documents, and last its pipelines.

Safe to repeat, and to break off anywhere. A pipeline that is not there yet postpones the runs of its uploads.
"""

import secrets
from dataclasses import replace

from signalbox import names
from signalbox.project_documents import Project as Document
from signalbox_operate.automations import automation
from signalbox_operate.features import groups
from signalbox_operate.projects import (
    checking,
    claims,
    code,
    definitions,
    feature_groups,
    pipelines,
    target,
    template,
    use,
)
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.model import Project, ProjectError
from signalbox_operate.projects.place import Place
from signalbox_operate.projects.target import Target

_ID_BYTES = 6  # 12 hexadecimal digits


def check(project: Project, place: Place, *, covered: bool = True) -> Checked:
    """Return a project that can be deployed to a stack, within what its automation covers where it has to be `covered`.

    Raises:
        ProjectError: it cannot, for each of the reasons.
    """
    made = checking.check(project, _target(project, place))
    watched = place.stack.parameters.get("UploadPrefix", "")
    others = {name: prefixes for name, prefixes in place.claimed().items() if name != project.name}
    problems = list(claims.refused(project, made.target, watched, others, place.owners()))
    known = automation.of(project.name, place)
    if covered:
        problems += known.uncovered(project, made.target, made.statements())
    if problems:
        raise ProjectError(problems)
    for remark in claims.shared(project, others):
        place.say(f"note: {remark}")
    if covered and known.old:
        place.say(
            f"note: functions believe whatever the builds of {project.name} write into its documents: whoever made its "
            "automation runs `signalbox projects create` again, and they are held against what it grants"
        )
    return made


def deploy(project: Project, place: Place, commit: str = "") -> Checked:
    """Deploy a project to a stack, and say what was done; return it as it was deployed.

    What those register says that it is of the `commit`, where one is given.

    Raises:
        OperateError: it cannot be deployed; nothing was written before that was checked.
    """
    made = _at(commit, check(project, place))
    before = place.find(project.name)
    _check_left_out(project, before, place)
    _check_features(made, place)
    project_id = before.id if before else f"{project.name}-{secrets.token_hex(_ID_BYTES)}"
    _try_pipelines(made, project_id, place)
    _upload_code(project, made.target, place)
    outputs = _put_stack(made, project_id, place)
    _put_features(made, project_id, place)  # before pipelines, whose jobs write to the group
    if outputs["JobRoleArn"] != made.target.job_role_arn:  # it was the stack's, before the project had a role
        made = _at(commit, checking.check(project, _target(project, place)))
    _put_pipelines(made, project_id, outputs["PipelineRoleArn"], place)
    return made


def _at(commit: str, made: Checked) -> Checked:
    if not commit:
        return made
    known = {name: definitions.committed(definition, commit) for name, definition in made.definitions.items()}
    return replace(made, definitions=known)


def _target(project: Project, place: Place) -> Target:
    """Return the target, whose job role is the whole stack's until the project's own is there."""
    role = place.stack_of(project.name).outputs().get("JobRoleArn") or place.stack.output("JobRoleArn")
    return target.of_stack(place.stack, place.region, role)


def _check_left_out(project: Project, before: Document | None, place: Place) -> None:
    """Refuse to take a pipeline or model out of a project that is in use.

    Raises:
        ProjectError: one is, for each reason.
    """
    pipelines_before = before.pipelines if before else {}
    gone = [one.name for key, one in pipelines_before.items() if key not in project.pipelines]
    models = [model for model in place.models_of(project.name) if model not in project.models]
    problems = [f"{project.places.of()}: {reason}" for reason in use.reasons(gone, models, place)]
    if problems:
        raise ProjectError(problems)
    for pipeline in gone:
        place.say(f"note: the pipeline {pipeline} is not the project's any more, and is left as it is")


def _check_features(made: Checked, place: Place) -> None:
    """Refuse features that the group which is there cannot have, before anything is written.

    Raises:
        ProjectError: for each reason.
    """
    group = feature_groups.wanted(made.project, made.target)
    told = groups.problems(group, place.client("sagemaker")) if group else []
    if told:
        raise ProjectError(told)


def _put_features(made: Checked, project_id: str, place: Place) -> None:
    group = feature_groups.wanted(made.project, made.target)
    if group:
        tags = definitions.as_list(definitions.project_tags(made.project, project_id))
        outcome = groups.put(group, tags, place.client("sagemaker"))
        place.say(f"feature group {group.name} {outcome}, with {len(group.features):,} features")


def _upload_code(project: Project, aim: Target, place: Place) -> None:
    for entry in project.pipelines.values():
        if entry.code is not None:
            code.upload(project.name, code.read(entry.code), aim.artifacts_bucket, place.client("s3"))
    if project.features:
        code.upload(project.name, project.features.files(), aim.artifacts_bucket, place.client("s3"))


def _try_pipelines(made: Checked, project_id: str, place: Place) -> None:
    """Let SageMaker read the definitions, as the project's own role; as the stack's, where it has none yet.

    A build may not pass the stack's: the first definitions that it deploys are read when they are put.
    """
    role = place.stack_of(made.project.name).outputs().get("PipelineRoleArn")
    if role is None and automation.of(made.project.name, place).boundary:
        return
    tags, role = definitions.project_tags(made.project, project_id), role or place.stack.output("PipelineRoleArn")
    for name, definition in made.definitions.items():
        called = names.pipeline(place.prefix, made.project.name, name)
        pipelines.try_out(called, role, definitions.tag(definition, tags), tags, place.client("sagemaker"))


def _put_stack(made: Checked, project_id: str, place: Place) -> dict[str, str]:
    accounts = tuple(filter(None, place.stack.parameters.get("ImageAccounts", "").split(",")))
    boundary = automation.of(made.project.name, place).boundary
    contents = made.contents(project_id, place.stack.output("ContainerPolicyArn"), accounts, boundary)
    stack = place.stack_of(made.project.name)
    outcome = stack.put(template.make(contents), contents.tags)
    place.say(f"stack {stack.name} {outcome}")
    return stack.outputs()


def _put_pipelines(made: Checked, project_id: str, role_arn: str, place: Place) -> None:
    project, aim, sagemaker = made.project, made.target, place.client("sagemaker")
    tags = definitions.project_tags(project, project_id)
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    for model in project.models:
        group = aim.group(model)
        arn = f"arn:{partition}:sagemaker:{place.region}:{account}:model-package-group/{group}"
        pipelines.put_group(group, arn, tags, sagemaker)
    for name in project.pipelines:
        called = names.pipeline(place.prefix, project.name, name)
        outcome = pipelines.put(called, role_arn, definitions.tag(made.definitions[name], tags), tags, sagemaker)
        taken = made.inputs[name]
        given = f"; uploads are given in its parameter {taken.parameter}" if taken.parameter else ""
        place.say(f"pipeline {called} {outcome}{given}")
