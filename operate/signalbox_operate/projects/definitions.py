"""A pipeline's definition as it is sent to SageMaker: printed or read, with its texts replaced, and its jobs tagged."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from signalbox_operate.pipelines.form import Json, steps_of
from signalbox_operate.projects import scripts
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.projects.target import Target, variables, words
from signalbox_operate.stack import OperateError

PROJECT_TAG, ID_TAG = "sagemaker:project-name", "sagemaker:project-id"
# Steps whose call takes tags. A package of a group has the group's (API reference, CreateModelPackage, Tags).
_TAGGED = {"Processing", "Training", "Transform", "Model", "Tuning", "AutoML"}
_DIGEST = 12
_PROPERTIES, _COMMIT = "CustomerMetadataProperties", "commit"
_WORD = re.compile(
    r"\{(project|pipeline|region|job_role|key|data|code|output|bad_share|features|feature_group|group:[a-z0-9-]+)\}"
)


def make(project: Project, entry: PipelineEntry, target: Target) -> Json:
    """Return the definition of a pipeline, with the texts of `replace` in place.

    Raises:
        OperateError: its script or file gives none, or a text to replace is not in it.
    """
    told = words(project, entry, target)
    if entry.definition.suffix == ".json":
        made = _changed(_read(project, entry), lambda text: _WORD.sub(lambda word: told.get(word[1], word[0]), text))
    else:
        made = scripts.run(entry.definition, project.folder, variables(project, entry, target))
    if not isinstance(made, dict):
        raise OperateError(
            f"{entry.definition.name} gives no pipeline definition: a JSON object with Version and Steps"
        )
    return _replaced(made, project, entry, told)


def _read(project: Project, entry: PipelineEntry) -> Any:
    name = entry.definition.relative_to(project.folder).as_posix()
    try:
        return json.loads(entry.definition.read_text(encoding="utf-8-sig"))
    except (ValueError, UnicodeDecodeError) as error:
        raise OperateError(f"{name} is not JSON ({error})") from error


def _replaced(definition: Json, project: Project, entry: PipelineEntry, told: Mapping[str, str]) -> Json:
    if not entry.replace:
        return definition
    found: set[str] = set()
    values = {text: _filled(text, project, entry, told) for text in entry.replace}
    longest_first = sorted(values, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(text) for text in longest_first))

    def put(match: re.Match[str]) -> str:
        found.add(match[0])
        return values[match[0]]

    made: Json = _changed(definition, lambda text: pattern.sub(put, text))
    for text in set(values) - found:
        where = project.places.of("pipelines", entry.name, "replace", text)
        raise OperateError(f"{where}: the definition has no such text (any more): leave it out")
    return made


def _filled(text: str, project: Project, entry: PipelineEntry, told: Mapping[str, str]) -> str:
    """Return what stands in the place of a text, with its own `{words}` filled in."""
    wanted = entry.replace[text]
    for word in re.findall(r"\{([^{}]*)\}", wanted):
        if word not in told:
            where = project.places.of("pipelines", entry.name, "replace", text)
            known = ", ".join(f"{{{name}}}" for name in told)
            hint = "give the pipeline a code folder, or correct it" if word == "code" else f"there are {known}"
            raise OperateError(f"{where}: nothing is known for {{{word}}}: {hint}")
    return re.sub(r"\{([^{}]*)\}", lambda word: told[word[1]], wanted)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with every text in it changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    return [_changed(item, change) for item in value] if isinstance(value, list) else value


def project_tags(project: Project, project_id: str) -> dict[str, str]:
    """Return the tags of everything that is made for a project, as lineage: SageMaker's own two, and the project's."""
    return {PROJECT_TAG: project.name, ID_TAG: project_id, **project.tags}


def tag(definition: Json, tags: Mapping[str, str]) -> Json:
    """Return a definition whose jobs and models have the tags, each where it has none of that key."""
    made: Json = json.loads(json.dumps(definition))
    for step in steps_of(made):
        if step["Type"] in _TAGGED:
            own = list(step["Arguments"].get("Tags", ()))
            keys = {one.get("Key") for one in own}
            step["Arguments"]["Tags"] = own + [one for one in as_list(tags) if one["Key"] not in keys]
    return made


def committed(definition: Json, commit: str) -> Json:
    """Return a definition whose packages say which commit they are of, in their property `commit`.

    It is a property, since SageMaker itself writes into the MetadataProperties of what a pipeline registers.
    """
    made: Json = json.loads(json.dumps(definition))
    for step in _registering(made):
        step["Arguments"].setdefault(_PROPERTIES, {}).setdefault(_COMMIT, commit)
    return made


def commits(definition: Json) -> set[str]:
    """Return the commits that a definition's packages say they are of."""
    said = (step["Arguments"].get(_PROPERTIES, {}).get(_COMMIT) for step in _registering(definition))
    return {one for one in said if isinstance(one, str) and one}


def same(one: Json, other: Json) -> bool:
    """Say whether two definitions do the same: at another commit, they still do."""
    return _uncommitted(one) == _uncommitted(other)


def digest(definition: Json) -> str:
    """Return a short digest of what a definition does: the same at any commit."""
    return hashlib.sha256(json.dumps(_uncommitted(definition), sort_keys=True).encode()).hexdigest()[:_DIGEST]


def _uncommitted(definition: Json) -> Json:
    made: Json = json.loads(json.dumps(definition))
    for step in _registering(made):
        properties = step["Arguments"].get(_PROPERTIES, {})
        properties.pop(_COMMIT, None)
        if not properties:
            step["Arguments"].pop(_PROPERTIES, None)
    return made


def _registering(definition: Json) -> Iterator[Json]:
    return (step for step in steps_of(definition) if step["Type"] == "RegisterModel")


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as SageMaker and CloudFormation take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)
