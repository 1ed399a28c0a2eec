"""What is wrong with the steps of a definition, beyond their outer shape."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sagemaker_local.core.shapes import service_model
from sagemaker_local.pipelines.arguments import argument_problems
from sagemaker_local.pipelines.caching import CACHEABLE_TYPES, cache_problems
from sagemaker_local.pipelines.conditions import condition_problems
from sagemaker_local.pipelines.expressions import (
    EXECUTION_VARIABLES,
    ExpressionError,
    Reference,
    Token,
    is_expression,
    references,
)
from sagemaker_local.pipelines.model import CREATES, Definition, Step, own_expressions
from sagemaker_local.pipelines.retries import RETRYABLE_TYPES, policy_problems

_OUTPUT_TYPES = ("String", "Integer", "Boolean", "Float")
_BRANCH_MEMBERS = {"Conditions", "IfSteps", "ElseSteps"}
_MOST_OUTPUTS = 50  # OutputParameterList of the API


def definition_problems(definition: Definition) -> Iterator[str]:
    """Yield what is wrong with a definition, one sentence each, naming the step."""
    found = False
    for step in definition.steps.values():
        for problem in _step_problems(step, definition):
            found = True
            yield f"Step '{step.name}': {problem}"
    yield from _experiment_problems(definition)
    if not found:
        yield from _cycle_problems(definition)


def _step_problems(step: Step, definition: Definition) -> Iterator[str]:
    for name in sorted(step.dependencies - set(definition.steps)):
        yield f"it depends on step '{name}', which does not exist"
    for reference in references(own_expressions(step.type, step.fields)):
        problem = _target_problem(reference, definition)
        if problem:
            yield problem
    yield from _extra_problems(step)
    yield from _property_file_problems(step)
    if step.type in CREATES:
        yield from argument_problems(step, definition)
    elif step.type == "Condition":
        unknown = sorted(set(step.arguments) - _BRANCH_MEMBERS)
        yield from (f"'{name}' is not a member of the Arguments of a Condition step" for name in unknown)
        yield from condition_problems(step.arguments.get("Conditions"))
    elif step.type == "Fail":
        yield from _fail_problems(step)
    else:
        yield from _lambda_problems(step)


def _extra_problems(step: Step) -> Iterator[str]:
    """Yield what is wrong with caching and retries, which only some types of steps know."""
    fields = step.fields
    for member, most in (("DisplayName", 256), ("Description", 3072)):  # StepDisplayName, StepDescription of the API
        text = fields.get(member)
        if text is not None and not (isinstance(text, str) and len(text) <= most):
            yield f"{member} must be a string of at most {most} characters"
    if fields.get("CacheConfig") is not None:
        if step.type not in CACHEABLE_TYPES:
            yield f"steps of type {step.type} cannot be cached"
        yield from cache_problems(fields["CacheConfig"])
    if fields.get("RetryPolicies"):
        if step.type not in RETRYABLE_TYPES:
            yield f"steps of type {step.type} take no RetryPolicies"
        yield from policy_problems(fields["RetryPolicies"])
    if step.type != "Lambda":
        for member in ("FunctionArn", "OutputParameters"):
            if member in fields:
                yield f"{member} belongs to Lambda steps only"


def _fail_problems(step: Step) -> Iterator[str]:
    message = step.arguments.get("ErrorMessage")
    if set(step.arguments) != {"ErrorMessage"} or not (isinstance(message, str) or is_expression(message)):
        yield "the Arguments of a Fail step must be an ErrorMessage, a string or an expression"


def _lambda_problems(step: Step) -> Iterator[str]:
    function = step.fields.get("FunctionArn")
    if not isinstance(function, str) and not is_expression(function):
        yield "FunctionArn is missing"
    for name, value in step.arguments.items():
        if not is_expression(value) and not isinstance(value, str | int | float):
            yield f"argument '{name}' must be a string, a number or a boolean"
    outputs = step.fields.get("OutputParameters") or []
    if not isinstance(outputs, list) or not all(_is_output(output) for output in outputs):
        yield f"OutputParameters must be a list of OutputName and OutputType ({', '.join(_OUTPUT_TYPES)})"
        return
    names = [output["OutputName"] for output in outputs]
    if len(names) != len(set(names)):
        yield "OutputParameters has one OutputName twice"
    if len(names) > _MOST_OUTPUTS:
        yield f"OutputParameters has more than {_MOST_OUTPUTS} outputs"


def _is_output(output: Any) -> bool:
    return (
        isinstance(output, dict)
        and set(output) == {"OutputName", "OutputType"}
        and isinstance(output["OutputName"], str)
        and output["OutputType"] in _OUTPUT_TYPES
    )


def _property_file_problems(step: Step) -> Iterator[str]:
    files = step.fields.get("PropertyFiles") or []
    if files and step.type != "Processing":
        yield "only Processing steps have PropertyFiles"
        return
    if not isinstance(files, list):
        yield "PropertyFiles must be a list"
        return
    expected = {"PropertyFileName", "OutputName", "FilePath"}
    outputs = [output.get("OutputName") for output in _outputs(step)]
    for file in files:
        if not isinstance(file, dict) or set(file) != expected or not all(isinstance(v, str) for v in file.values()):
            yield f"a property file must have {', '.join(sorted(expected))}, strings all"
        elif file["OutputName"] not in outputs:
            yield f"property file '{file['PropertyFileName']}': there is no output '{file['OutputName']}'"


def _outputs(step: Step) -> list[dict[str, Any]]:
    config = step.arguments.get("ProcessingOutputConfig")
    outputs = config.get("Outputs") if isinstance(config, dict) else None
    return [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []


def _target_problem(reference: Reference, definition: Definition) -> str | None:
    if reference.root == "Parameters":
        known = reference.name in definition.parameters
        return None if known else f"'{reference.text}': there is no parameter '{reference.name}'"
    if reference.root == "Execution":
        known = reference.name in EXECUTION_VARIABLES
        return None if known else f"'{reference.text}': the execution has no '{reference.name}'"
    step = definition.steps.get(reference.name)
    if step is None:
        return None  # a missing step is reported as a dependency
    try:
        _check_path(step, reference.path)
    except ExpressionError as error:
        return f"'{reference.text}': {error}"
    return None


def _check_path(step: Step, path: tuple[Token, ...]) -> None:
    """Raise ExpressionError unless a step of this type answers something under `path`."""
    if path[0] == "PropertyFiles":
        if path[1] not in _named(step, "PropertyFiles", "PropertyFileName"):
            raise ExpressionError(f"step '{step.name}' has no property file '{path[1]}'")
    elif step.type in CREATES:
        _check_shape(service_model("sagemaker").operation_model(CREATES[step.type][2]).output_shape, path)
    elif step.type == "Lambda":
        names = _named(step, "OutputParameters", "OutputName")
        if path[0] != "OutputParameters" or path[1:] not in [(name,) for name in names]:
            raise ExpressionError(f"step '{step.name}' has no such output parameter")
    elif step.type == "Fail" or path != ("Outcome",):
        raise ExpressionError(f"a {step.type} step has no such property")


def _named(step: Step, member: str, name: str) -> list[Any]:
    """Return the names in a list of a step; what else is wrong with the list is reported elsewhere."""
    entries = step.fields.get(member)
    return [entry.get(name) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _check_shape(shape: Any, path: tuple[Token, ...]) -> None:
    for token in path:
        if shape.type_name == "structure" and token in shape.members:
            shape = shape.members[token]
        elif shape.type_name == "list":
            shape = shape.member
        elif shape.type_name == "map":
            shape = shape.value
        else:
            raise ExpressionError(f"{shape.name} has no {token!r}")


def _experiment_problems(definition: Definition) -> Iterator[str]:
    try:
        for reference in references(definition.experiment):
            if reference.root == "Steps":
                yield f"PipelineExperimentConfig: '{reference.text}' is the property of a step"
            elif problem := _target_problem(reference, definition):
                yield f"PipelineExperimentConfig: {problem}"
    except ExpressionError as error:
        yield f"PipelineExperimentConfig: {error}"


def _cycle_problems(definition: Definition) -> Iterator[str]:
    graph = {step.name: step.dependencies for step in definition.steps.values()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"the steps depend on each other in a circle: {' -> '.join(error.args[1])}"
