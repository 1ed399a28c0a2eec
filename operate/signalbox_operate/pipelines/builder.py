"""Build a SageMaker pipeline definition (version 2020-12-01) as plain JSON.

The grammar is that of the SageMaker AI Developer Guide, "Pipelines steps" and "Pipelines overview". The SageMaker SDK
emits the same text, and brings 0.3 to 1 GB of packages along. `checks` refuses a wrong definition before AWS does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from signalbox_operate.pipelines.checks import check
from signalbox_operate.pipelines.form import VERSION, Json


@dataclass(frozen=True)
class Parameter:
    """A value given when an execution starts; without a default it has to be given."""

    name: str
    kind: Literal["String", "Integer", "Float", "Boolean"] = "String"
    default: str | float | bool | None = None
    choices: tuple[str, ...] = ()

    def definition(self) -> Json:
        """Return the parameter as JSON."""
        made: Json = {"Name": self.name, "Type": self.kind}
        if self.default is not None:
            made["DefaultValue"] = self.default
        if self.choices:
            made["EnumValues"] = list(self.choices)
        return made


@dataclass(frozen=True)
class Step:
    """One step; the functions below make each type."""

    name: str
    kind: str
    arguments: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    if_steps: tuple["Step", ...] = ()
    else_steps: tuple["Step", ...] = ()

    def definition(self) -> Json:
        """Return the step, with the steps of its branches, as JSON."""
        arguments = dict(self.arguments)
        if self.kind == "Condition":
            arguments["IfSteps"] = [step.definition() for step in self.if_steps]
            arguments["ElseSteps"] = [step.definition() for step in self.else_steps]
        made = {"Name": self.name, "Type": self.kind, "Arguments": arguments, **self.options}
        return {**made, "DependsOn": list(self.depends_on)} if self.depends_on else made


def job(
    kind: Literal["Processing", "Training", "Transform", "Model", "RegisterModel"],
    name: str,
    arguments: Mapping[str, Any],
    *,
    cache_for: str | None = None,
    retries: Sequence[Json] = (),
    property_files: Mapping[str, tuple[str, str]] | None = None,
    depends_on: Sequence[str] = (),
) -> Step:
    """Return a step that makes a SageMaker call.

    Args:
        kind: the step's type.
        name: the step's name, unique in the pipeline.
        arguments: the request of the call, without the name that the service makes.
        cache_for: an ISO 8601 duration (`P30D`) for which an equal step of an earlier execution is taken instead.
        retries: policies made by `retry`.
        property_files: name → (output name, path in the output) of the JSON files that `json_get` reads.
        depends_on: steps to wait for besides those that are referred to.
    """
    options: Json = {}
    if property_files:
        options["PropertyFiles"] = [
            {"PropertyFileName": file, "OutputName": output, "FilePath": path}
            for file, (output, path) in property_files.items()
        ]
    if retries:
        options["RetryPolicies"] = list(retries)
    if cache_for:
        options["CacheConfig"] = {"Enabled": True, "ExpireAfter": cache_for}
    return Step(name, kind, arguments, tuple(depends_on), options)


def condition(
    name: str, conditions: Sequence[Json], *, if_steps: Sequence[Step], else_steps: Sequence[Step] = ()
) -> Step:
    """Return a step that goes on with `if_steps` where every condition holds, else with `else_steps`."""
    arguments = {"Conditions": list(conditions)}
    return Step(name, "Condition", arguments, if_steps=tuple(if_steps), else_steps=tuple(else_steps))


def fail(name: str, message: str | Json) -> Step:
    """Return a step that ends the execution as failed, with `message` as its reason."""
    return Step(name, "Fail", {"ErrorMessage": message})


def call_lambda(name: str, function_arn: str, arguments: Mapping[str, Any], outputs: Mapping[str, str]) -> Step:
    """Return a step that calls a function; `outputs` maps each key of its answer to String, Integer, Float, Boolean."""
    listed = [{"OutputName": output, "OutputType": kind} for output, kind in outputs.items()]
    return Step(name, "Lambda", arguments, options={"FunctionArn": function_arn, "OutputParameters": listed})


def retry(*exceptions: str, interval: int = 10, rate: float = 2.0, attempts: int = 3) -> Json:
    """Return a retry policy: `interval` seconds before the first repetition, `rate` times as many before each next."""
    return {
        "ExceptionType": list(exceptions),
        "IntervalSeconds": interval,
        "BackoffRate": rate,
        "MaxAttempts": attempts,
    }


def get(path: str) -> Json:
    """Return a reference: `Parameters.<name>`, `Execution.<name>` or `Steps.<step>.<path in its Describe answer>`."""
    return {"Get": path}


def output_of(step: str, output: str) -> Json:
    """Return a reference to where a processing step puts one of its outputs."""
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")


def join(on: str, *values: str | float | Json) -> Json:
    """Return the text of `values`, references among them, with `on` between them."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, property_file: str, path: str) -> Json:
    """Return the value at `path` (`a.b.c`) in a property file of a processing step."""
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{property_file}"), "Path": path}}


def at_most(left: Any, right: Any) -> Json:
    """Return the condition left ≤ right."""
    return {"Type": "LessThanOrEqualTo", "LeftValue": left, "RightValue": right}


def at_least(left: Any, right: Any) -> Json:
    """Return the condition left ≥ right."""
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}


@dataclass(frozen=True)
class Pipeline:
    """A pipeline: its parameters and its steps, in any order."""

    name: str
    parameters: Sequence[Parameter]
    steps: Sequence[Step]

    def definition(self) -> Json:
        """Return the checked definition.

        Raises:
            PipelineError: a name is wrong or taken twice, a reference leads nowhere, steps wait for each other, a limit
                is passed, or a step's arguments are not what its call takes.
        """
        made = {
            "Version": VERSION,
            "Metadata": {},
            "Parameters": [parameter.definition() for parameter in self.parameters],
            "Steps": [step.definition() for step in self.steps],
        }
        check(made)
        return made
