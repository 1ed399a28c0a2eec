"""Pipeline definitions (version 2020-12-01), read and checked."""

import json
import re
from collections.abc import Iterator
from typing import Any

from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.pipelines.checks import definition_problems
from sagemaker_local.pipelines.expressions import ExpressionError, references
from sagemaker_local.pipelines.model import CREATES, Branch, Definition, Step, own_expressions
from sagemaker_local.pipelines.parameters import read_parameters

MOST_BYTES = 1_048_576  # PipelineDefinition of the API
MOST_STEPS = 50  # service quota, not adjustable

_VERSION = "2020-12-01"
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_TOP = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
STEP_TYPES = {*CREATES, "Condition", "Fail", "Lambda"}
REFUSED_STEP_TYPES = frozenset(
    [
        "Tuning",
        "AutoML",
        "Callback",
        "QualityCheck",
        "ClarifyCheck",
        "EMR",
        "EMRServerless",
        "EndpointConfig",
        "Endpoint",
        "InferenceComponent",
        "Lineage",
        "Job",
        "NotebookJob",
        "Cleanup",
        "ForEach",
    ]
)
_FIELDS = frozenset(
    [
        "Name",
        "Type",
        "Arguments",
        "DependsOn",
        "DisplayName",
        "Description",
        "CacheConfig",
        "RetryPolicies",
        "PropertyFiles",
        "FunctionArn",
        "OutputParameters",
    ]
)


def parse(text: str) -> Definition:
    """Return the definition that `text` holds.

    Raises:
        ApiError: ValidationException, naming each step and what is wrong with it.
    """
    document = _document(text)
    parameters = read_parameters(document.get("Parameters") or [])
    steps: dict[str, Step] = {}
    for step in _steps(document.get("Steps"), None):
        if step.name in steps:
            raise _unable(f"Step '{step.name}': the name is used twice")
        steps[step.name] = step
    if len(steps) > MOST_STEPS:
        raise _unable(f"It has {len(steps)} steps, more than {MOST_STEPS}")
    definition = Definition(parameters, steps, document.get("PipelineExperimentConfig"))
    problems = list(definition_problems(definition))
    if problems:
        raise _unable("; ".join(problems))
    return definition


def _document(text: str) -> dict[str, Any]:
    if len(text.encode()) > MOST_BYTES:
        raise _unable(f"It is larger than {MOST_BYTES} bytes")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _unable(f"It is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _unable("It must be a JSON object")
    unknown = sorted(set(document) - _TOP)
    if unknown:
        raise _unable(f"'{unknown[0]}' is not a member of a definition")
    if document.get("Version", _VERSION) != _VERSION:
        raise _unable(f"Version must be {_VERSION}, not {document['Version']!r}")
    return document


def _steps(entries: Any, branch: Branch | None) -> Iterator[Step]:
    """Yield steps as written, and after each Condition step those of its branches."""
    if not isinstance(entries, list) or not (entries or branch):
        raise _unable("Steps must be a list of at least one step" if branch is None else "a branch must be a list")
    for entry in entries:
        step = _step(entry, branch)
        yield step
        if step.type == "Condition":
            if branch:
                raise _unable(f"Step '{step.name}': a Condition step cannot lie inside the branch of another one")
            for name, outcome in (("IfSteps", True), ("ElseSteps", False)):
                yield from _steps(step.arguments.get(name) or [], Branch(step.name, outcome))


def _step(entry: Any, branch: Branch | None) -> Step:
    name = entry.get("Name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _unable(f"Step {name!r}: Name must match {_NAME.pattern}")
    kind = entry.get("Type")
    if not isinstance(kind, str):
        raise _unable(f"Step '{name}': Type must be a string, not {kind!r}")
    if kind in REFUSED_STEP_TYPES:
        raise _unable(f"Step '{name}': steps of type {kind} are not emulated here")
    if kind not in STEP_TYPES:
        raise _unable(f"Step '{name}': Type {kind!r} is unknown")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise _unable(f"Step '{name}': '{unknown[0]}' is not a member of a step")
    if not isinstance(entry.get("Arguments", {} if kind == "Lambda" else None), dict):
        raise _unable(f"Step '{name}': Arguments must be an object")
    try:
        used = {item.name for item in references(own_expressions(kind, entry)) if item.root == "Steps"}
    except ExpressionError as error:
        raise _unable(f"Step '{name}': {error}") from None
    dependencies = used | set(_depends_on(name, entry)) | ({branch.condition} if branch else set())
    return Step(name, kind, entry, frozenset(dependencies), branch)


def _depends_on(name: str, entry: dict[str, Any]) -> Iterator[str]:
    """Yield the names in DependsOn: strings, or objects of Step and Trigger, of which only Completed is emulated."""
    listed = entry.get("DependsOn") or []
    if not isinstance(listed, list):
        raise _unable(f"Step '{name}': DependsOn must be a list")
    for item in listed:
        if isinstance(item, str):
            yield item
        elif not isinstance(item, dict) or not isinstance(item.get("Step"), str):
            raise _unable(f"Step '{name}': DependsOn must hold names of steps, not {item!r}")
        elif item.get("Trigger", "Completed") != "Completed":
            raise _unable(f"Step '{name}': DependsOn with the trigger {item['Trigger']!r} is not emulated here")
        else:
            yield item["Step"]


def _unable(problem: str) -> ApiError:
    return invalid(f"Unable to parse pipeline definition. {problem}.")
