"""Make a project of a pipeline definition that somebody has: its models, its roles and its input are found in it."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from signalbox_operate.new import ci, folders, remaining
from signalbox_operate.pipelines.form import Json, check_form, steps_of
from signalbox_operate.projects import inputs
from signalbox_operate.projects.inputs import Input
from signalbox_operate.projects.model import PipelineEntry, Places
from signalbox_operate.stack import OperateError

PIPELINE = "train"
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")
_MODEL = re.compile(r"[^a-z0-9]+")
_LONGEST = 30
_README = """\
# {project}

A pipeline that was made elsewhere: `pipeline/definition.json` is its definition, as it was. Texts that have to be other
ones in a stack are under `replace` in `signalbox.yaml`.

```sh
signalbox check .               # what is wrong, before anything is written
signalbox run . --data FILE     # on the local cloud
signalbox deploy .              # into the stack
```
"""


def read(file: Path) -> Json:
    """Return the definition in a file.

    Raises:
        OperateError: it is none.
        PipelineError: its form is not that of a definition.
    """
    try:
        made = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise OperateError(f"{file} is not JSON ({error}): give the definition as SageMaker takes it") from error
    check_form(made)
    return dict(made)


def write(project: str, file: Path, folder: Path, services: Sequence[str] = ()) -> list[str]:
    """Write a project of the definition in a file, or nothing; return what a person has to do before it is deployed.

    Raises:
        OperateError: the file has no definition, or the folder is there.
        PipelineError: as `read`.
    """
    definition = read(file)
    models = named(definition, project)
    with folders.made(folder) as inside:
        (inside / "pipeline").mkdir()
        shutil.copyfile(file, inside / "pipeline" / "definition.json")
        texts = {"signalbox.yaml": described(project, definition, models), "README.md": _README.format(project=project)}
        folders.write(inside, texts)
        ci.write(inside, services)
    return remaining.of(folder)


def named(definition: Json, project: str) -> dict[str, str]:
    """Return the models that a definition registers, by the package groups that it names."""
    defaults = {one["Name"]: one.get("DefaultValue") for one in definition.get("Parameters") or ()}
    given = [
        step["Arguments"].get("ModelPackageGroupName")
        for step in steps_of(definition)
        if step["Type"] == "RegisterModel"
    ]
    groups = [defaults.get(_parameter(one)) if isinstance(one, dict) else one for one in given]
    known = list(dict.fromkeys(group for group in groups if isinstance(group, str)))
    if len(known) <= 1:
        return dict.fromkeys(known, project)
    return {group: _MODEL.sub("-", group.lower()).strip("-")[:_LONGEST].strip("-") for group in known}


def _parameter(reference: dict[str, Any]) -> str:
    return str(reference.get("Get", "")).removeprefix("Parameters.")


def described(project: str, definition: Json, models: dict[str, str]) -> str:
    """Return the `signalbox.yaml` of a definition."""
    taken = _taken(definition)
    lines = [f"project: {project}"]
    if taken.parameter:
        lines.append(f"uploads: {{prefix: incoming/{project}/, pipeline: {PIPELINE}}}")
    lines += ["pipelines:", f"  {PIPELINE}:", "    definition: pipeline/definition.json"]
    lines.append(f"    models: [{', '.join(models.values())}]")
    if taken.parameter:
        lines += [f"    parameter: {taken.parameter}", f"    takes: {taken.takes}"]
    roles = sorted({text for text in _texts(definition["Steps"]) if _ROLE.fullmatch(text)})
    replaced = {
        **dict.fromkeys(roles, "{job_role}"),
        **{group: f"{{group:{model}}}" for group, model in models.items()},
    }
    if replaced:
        lines.append("    replace:")
        lines += [f"      {json.dumps(text)}: {json.dumps(wanted)}" for text, wanted in replaced.items()]
    return "\n".join(lines) + "\n"


def _taken(definition: Json) -> Input:
    """Return how the definition takes uploads; nothing where it is not clear."""
    entry = PipelineEntry(PIPELINE, Path(), None, (), None, None, {})
    try:
        return inputs.find(definition, entry, Places(), wanted=True)
    except OperateError:
        return inputs.find(definition, entry, Places(), wanted=False)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)
