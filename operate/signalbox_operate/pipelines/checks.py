"""Refuse a wrong pipeline definition before AWS does, and say what to change.

The published JSON schema is older than what the service takes, so it is not used. A step's Arguments are held against
botocore's own model of the call that the step makes; a reference stands for a value of the right type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from signalbox_operate.pipelines.form import Json, PipelineError, branches, check_form, steps_of

# Service limits of pipelines: steps and parameters (both fixed), and the size of a definition in bytes.
STEP_LIMIT, PARAMETER_LIMIT, SIZE_LIMIT = 50, 200, 1024 * 1024
# Step type → the call that its Arguments make, and the member that the service fills in by itself.
_CALLS: dict[str, tuple[str, str | None]] = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Transform": ("CreateTransformJob", "TransformJobName"),
    "Model": ("CreateModel", "ModelName"),
    "RegisterModel": ("CreateModelPackage", None),
    "Tuning": ("CreateHyperParameterTuningJob", "HyperParameterTuningJobName"),
}
# The SageMaker AI Developer Guide's "Pipelines steps", and the types that the SDK's steps emit (`StepTypeEnum`).
_OTHERS = {
    *("AutoML", "Callback", "ClarifyCheck", "EMR", "EMRServerless", "Endpoint", "EndpointConfig", "InferenceComponent"),
    *("Lineage", "MonitorBatchTransform", "QualityCheck"),
}
_TYPES = {*_CALLS, *_OTHERS, "Condition", "Fail", "Lambda"}
_CACHED = {"Processing", "Training", "Transform", "Lambda", "Tuning", "AutoML", "ClarifyCheck", "QualityCheck", "EMR"}
_RETRIED = {*_CALLS, "AutoML"}
_EXECUTION = {
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
}
_PLACEHOLDERS: dict[str, Any] = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True}
_REFERENCES = {"Get", "Std:Join", "Std:JsonGet"}


def check(definition: Json) -> None:
    """Check a whole definition.

    Raises:
        PipelineError: a name is wrong or taken twice, a reference leads nowhere, steps wait for each other, a limit is
            passed, or a step's arguments are not what its call takes.
    """
    check_form(definition)
    parameters = [parameter["Name"] for parameter in definition.get("Parameters") or ()]
    steps = list(steps_of(definition))
    _check_names(parameters, "parameter", PARAMETER_LIMIT)
    _check_names([step["Name"] for step in steps], "step", STEP_LIMIT)
    for step in steps:
        _check_step(step)
    _check_order(steps, set(parameters))
    size = len(json.dumps(definition).encode())
    if size > SIZE_LIMIT:
        raise PipelineError(f"the definition has {size} bytes, more than the {SIZE_LIMIT} it may have: make it smaller")


def _check_names(found: list[str], what: str, limit: int) -> None:
    for name in found:
        if found.count(name) > 1:
            raise PipelineError(f"{what} name {name!r} is used twice: names are unique in the whole pipeline")
    if len(found) > limit:
        raise PipelineError(f"{len(found)} {what}s are more than the {limit} that a pipeline may have")


def _check_step(step: Json) -> None:
    name, kind = step["Name"], step["Type"]
    if kind not in _TYPES:
        raise PipelineError(f"step {name}: unknown type {kind!r}; known are {', '.join(sorted(_TYPES))}")
    if "RetryPolicies" in step and kind not in _RETRIED:
        raise PipelineError(f"step {name}: a {kind} step takes no retry policy")
    if "CacheConfig" in step and kind not in _CACHED:
        raise PipelineError(f"step {name}: a {kind} step cannot be cached")
    if any(inner["Type"] == "Condition" for inner in branches(step)):
        raise PipelineError(f"step {name}: a condition cannot be inside another condition")
    if kind in _CALLS:
        _check_arguments(step)


def _check_arguments(step: Json) -> None:
    operation, made_by_service = _CALLS[step["Type"]]
    shape = _sagemaker().operation_model(operation).input_shape
    arguments = {**step["Arguments"], **({made_by_service: "made-by-the-service"} if made_by_service else {})}
    report = ParamValidator().validate(_without_references(arguments, shape), shape)
    if report.has_errors():
        raise PipelineError(f"step {step['Name']} is not a legal {operation} request: {report.generate_report()}")


@cache
def _sagemaker() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def _without_references(value: Any, shape: Any) -> Any:
    """Return `value` with a value of the right type, long enough, in place of each reference."""
    if isinstance(value, Mapping) and len(value) == 1 and set(value) <= _REFERENCES:
        return _PLACEHOLDERS.get(shape.type_name, "x" * max(1, shape.metadata.get("min", 1)))
    if shape.type_name == "structure" and isinstance(value, Mapping):
        known = shape.members
        return {key: _without_references(item, known[key]) if key in known else item for key, item in value.items()}
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: _without_references(item, shape.value) for key, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_without_references(item, shape.member) for item in value]
    return value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) == {"Get"} and isinstance(value["Get"], str):
            yield value["Get"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)


def _own_arguments(step: Json) -> Json:
    """Return a step's arguments without the steps of its branches, which speak for themselves."""
    return {key: value for key, value in (step.get("Arguments") or {}).items() if key not in {"IfSteps", "ElseSteps"}}


def _check_order(steps: list[Json], parameters: set[str]) -> None:
    by_name = {step["Name"]: step for step in steps}
    waits: dict[str, set[str]] = {name: set() for name in by_name}
    for name, step in by_name.items():
        waits[name].update(_depends_on(step))
        for inner in branches(step):
            waits[inner["Name"]].add(name)
        for path in _references(_own_arguments(step)):
            root, _, rest = path.partition(".")
            if root == "Steps":
                waits[name].add(_step_referred_to(name, rest, by_name))
            elif rest not in {"Parameters": parameters, "Execution": _EXECUTION}.get(root, set()):
                raise PipelineError(f"step {name} refers to {path!r}, which does not exist")
    for name, others in waits.items():
        for missing in others - set(by_name):
            raise PipelineError(f"step {name} depends on step {missing!r}, which does not exist")
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        raise PipelineError(f"steps wait for each other: {' → '.join(error.args[1])}") from error


def _depends_on(step: Json) -> Iterator[str]:
    for other in step.get("DependsOn", ()):
        yield other["Step"] if isinstance(other, Mapping) else other


def _step_referred_to(by: str, rest: str, steps: Mapping[str, Json]) -> str:
    """Return the step that `<step>.<path>` names, seen to have the property file or output that the path names."""
    name, _, path = rest.partition(".")
    if name not in steps:
        raise PipelineError(f"step {by} refers to step {name!r}, which does not exist")
    files = {file["PropertyFileName"] for file in steps[name].get("PropertyFiles", ())}
    if path.startswith("PropertyFiles.") and path.removeprefix("PropertyFiles.") not in files:
        raise PipelineError(f"step {by} refers to {path!r} of step {name}, which declares no such property file")
    outputs = (steps[name].get("Arguments") or {}).get("ProcessingOutputConfig", {}).get("Outputs", ())
    wanted = re.match(r"ProcessingOutputConfig\.Outputs\['([^']*)'\]", path)
    if wanted and wanted[1] not in {output["OutputName"] for output in outputs}:
        raise PipelineError(f"step {by} refers to output {wanted[1]!r} of step {name}, which has no such output")
    return name
