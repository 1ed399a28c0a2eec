"""What a definition has to keep to, so that its runs are let through: roles, places and package groups."""

from collections.abc import Iterator
from typing import Any

from signalbox_operate.pipelines.form import Json, branches, steps_of
from signalbox_operate.projects import roles
from signalbox_operate.projects.definitions import ID_TAG, PROJECT_TAG
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.projects.target import Target

_ROLES = {"RoleArn", "ExecutionRoleArn"}
_READ, _WRITTEN = {"S3Input", "S3DataSource"}, {"S3Output", "OutputDataConfig", "TransformOutput", "CheckpointConfig"}
_URIS = {"S3Uri", "S3OutputPath", "ModelDataUrl"}
# Steps that end by themselves, and need no right of the pipeline's role.
_OF_PIPELINES = {"Condition", "Fail"}


def broken(definition: Json, project: Project, entry: PipelineEntry, target: Target) -> Iterator[str]:
    """Yield a sentence for each thing that SageMaker or IAM would refuse at a run, with what to write instead."""
    for step in steps_of(definition):
        name, own = step["Name"], _own(step)
        if step["Type"] not in roles.STEPS and step["Type"] not in _OF_PIPELINES:
            known = ", ".join(sorted({*roles.STEPS, *_OF_PIPELINES}))
            yield f"step {name}: a project's role has no right for steps of type {step['Type']}, only for {known}"
        yield from _foreign_roles(name, own, target)
        yield from _foreign_places(name, own, project, target)
        yield from _foreign_tags(name, own, project)
    yield from _groups(definition, project, entry, target)


def _own(step: Json) -> Any:
    """Return the arguments of a step, without the steps of its branches, which speak for themselves."""
    arguments = step.get("Arguments") or {}
    return {key: value for key, value in arguments.items() if not (branches(step) and key in {"IfSteps", "ElseSteps"})}


def _foreign_roles(step: str, arguments: Any, target: Target) -> Iterator[str]:
    for role in {value for key, value in _members(arguments) if key in _ROLES and isinstance(value, str)}:
        if role != target.job_role_arn:
            yield (
                f'step {step} runs as {role}, and a project\'s jobs run as its own role: replace: {{"{role}": '
                '"{job_role}"}, or take it from SIGNALBOX_JOB_ROLE'
            )


def _foreign_places(step: str, arguments: Any, project: Project, target: Target) -> Iterator[str]:
    reads, writes = roles.read_places(project, target), roles.write_places(project, target)
    for kind, value in _members(arguments):
        for uri in _uris(value) if kind in _READ | _WRITTEN else ():
            allowed, verb = (writes, "writes to") if kind in _WRITTEN else (reads, "reads")
            if not any(uri.startswith(place) or f"{uri}/" == place for place in allowed):
                yield (
                    f"step {step} {verb} {uri}, which is not the project's: replace it, with {{output}} or "
                    f"{{code}}/code in its place, or name it under access.{'write' if kind in _WRITTEN else 'read'}"
                )


def _foreign_tags(step: str, arguments: Any, project: Project) -> Iterator[str]:
    for one in arguments.get("Tags") or ():
        if one.get("Key") == ID_TAG or (one.get("Key") == PROJECT_TAG and one.get("Value") != project.name):
            yield f"step {step} has a tag {one['Key']} of its own: leave it out, the project's is put there"


def _groups(definition: Json, project: Project, entry: PipelineEntry, target: Target) -> Iterator[str]:
    """Yield what is wrong about where packages are registered; a group that is a reference is known at a run only."""
    own = {target.group(model): model for model in entry.models}
    defaults = {one["Name"]: one.get("DefaultValue") for one in definition.get("Parameters") or ()}
    steps = [step for step in steps_of(definition) if step["Type"] == "RegisterModel"]
    groups = {step["Name"]: _known(step["Arguments"].get("ModelPackageGroupName"), defaults) for step in steps}
    where = project.places.of("pipelines", entry.name)
    for step, group in groups.items():
        if group is not None and group not in own:
            model = next(iter(entry.models), "MODEL")
            yield (
                f"{where}: step {step} registers in the package group {group}, which is of none of its models "
                f'({", ".join(entry.models) or "none"}): replace: {{"{group}": "{{group:{model}}}"}}, or name the model'
            )
    other = any(step["Type"] in {"Lambda", "Callback"} for step in steps_of(definition))
    for group, model in own.items():
        if group not in groups.values() and None not in groups.values() and not other:
            yield f"{where}: models has {model}, and no step registers a package in its group {group}"


def _known(value: Any, defaults: dict[str, Any]) -> str | None:
    """Return a text, or the default of the parameter that stands for it; None where only a run tells."""
    if isinstance(value, dict):
        value = defaults.get(str(value.get("Get", "")).removeprefix("Parameters."))
    return value if isinstance(value, str) else None


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field in a value, however deep, with what it holds."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _uris(value: Any) -> Iterator[str]:
    """Yield the places in a source or target: a URI, or the text that a joined one begins with."""
    for key, item in _members(value):
        if key in _URIS:
            text = _beginning(item)
            if text and text.startswith("s3://"):
                yield text


def _beginning(value: Any) -> str | None:
    if isinstance(value, dict) and "Std:Join" in value:
        joined = value["Std:Join"]
        texts: list[str] = []
        for part in joined.get("Values") or ():
            if not isinstance(part, str):
                return str(joined.get("On", "")).join([*texts, ""])
            texts.append(part)
        return str(joined.get("On", "")).join(texts)
    return value if isinstance(value, str) else None
