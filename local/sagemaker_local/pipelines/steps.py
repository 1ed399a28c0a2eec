"""Steps, one function per kind: each makes its calls as the pipeline's role and returns what the step answers."""

import json
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sagemaker_local.core.resources import PACKAGE_GROUP, Resources
from sagemaker_local.pipelines.conditions import all_true
from sagemaker_local.pipelines.expressions import ExpressionError, Scope, evaluate
from sagemaker_local.pipelines.model import JOBS, Step
from sagemaker_local.pipelines.parameters import spelled
from sagemaker_local.pipelines.retries import SERVICE_FAULT, THROTTLING, fault_of_job
from sagemaker_local.pipelines.role import PipelineRole, StepFailedError

_MOST_STEP_CHARACTERS = 20  # of the step's name in the names that the service makes, which end at 63
_DESCRIBE_ATTEMPTS = 10
_MOST_OUTPUT = 1024  # String1024 of the API's OutputParameter


class StepStoppedError(Exception):
    """The step was stopped because its execution is."""


@dataclass(frozen=True)
class StepResult:
    """What a step that succeeded leaves: metadata for the list of steps, properties for references."""

    metadata: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """One attempt of a step: what it works with, and where it reports to.

    `advance(status, metadata)` reports a new status; `stopping` is set when the execution is to stop.
    """

    step: Step
    name: str
    execution_arn: str
    scope: Scope
    role: PipelineRole
    resources: Resources
    poll_seconds: float
    stopping: Event
    advance: Callable[[str, dict[str, Any]], None]


def made_name(execution_id: str, step: Step) -> str:
    """Return the name of a job or model that a step makes: `pipelines-<execution>-<step>-<10 random>`."""
    tail = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(10))
    middle = step.name.replace("_", "-")[:_MOST_STEP_CHARACTERS].strip("-")
    return "-".join(part for part in ("pipelines", execution_id, middle, tail) if part)


def evaluated(step: Step, scope: Scope) -> Any:
    """Return the arguments of a step with every expression evaluated.

    Those of a Condition step stay as they are; those of a Lambda step are the Payload beside the FunctionArn.

    Raises:
        ExpressionError: an expression has no value.
    """
    if step.type == "Condition":
        return step.arguments
    arguments = evaluate(step.arguments, scope)
    if step.type != "Lambda":
        return arguments
    return {"FunctionArn": evaluate(step.fields["FunctionArn"], scope), "Payload": arguments}


def run_step(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    """Run one attempt of a step with evaluated arguments.

    Raises:
        StepFailedError: the step failed.
        StepStoppedError: the step was stopped.
    """
    run = _run_job if attempt.step.type in JOBS else _RUNNERS[attempt.step.type]
    return run(attempt, arguments)


def _run_job(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    job = JOBS[attempt.step.type]
    made = attempt.role.call("sagemaker", f"Create{job}", **{f"{job}Name": attempt.name}, **arguments)
    metadata = {job: {"Arn": made[f"{job}Arn"]}}
    attempt.advance("Executing", metadata)
    answer = _ended(attempt, job, metadata)
    status = answer[f"{job}Status"]
    if status == "Completed":
        return StepResult(metadata, answer)
    if status == "Stopped" and attempt.stopping.is_set():
        raise StepStoppedError
    reason = answer.get("FailureReason") or f"the job ended {status}"
    raise StepFailedError(f"ClientError: {reason}", fault_of_job(reason), metadata)


def _ended(attempt: Attempt, job: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a job that has ended; stop it first where the execution is to stop."""
    asked = False
    while True:
        answer = _describe(attempt, job, metadata)
        if answer[f"{job}Status"] in {"Completed", "Failed", "Stopped"}:
            return answer
        if attempt.stopping.is_set() and not asked:
            asked = True
            attempt.advance("Stopping", metadata)
            _stop(attempt, job)
        # Once asked to stop, `stopping` is set and would not wait.
        (Event() if asked else attempt.stopping).wait(attempt.poll_seconds)


def _describe(attempt: Attempt, job: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a job. A fault that passes is borne: the job itself goes on."""
    attempts = 0
    while True:
        attempts += 1
        try:
            answer = attempt.role.call("sagemaker", f"Describe{job}", **{f"{job}Name": attempt.name})
        except StepFailedError as error:
            if attempts == _DESCRIBE_ATTEMPTS or error.fault not in {SERVICE_FAULT, THROTTLING}:
                # No fault is passed on: another attempt would start a second job beside this one.
                raise StepFailedError(error.reason, metadata=metadata) from error
            Event().wait(attempt.poll_seconds)
        else:
            return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _stop(attempt: Attempt, job: str) -> None:
    """Ask a job to stop. One that has just ended refuses, and one that the role may not stop goes on to its end."""
    try:
        attempt.role.call("sagemaker", f"Stop{job}", **{f"{job}Name": attempt.name})
    except StepFailedError:
        return


def _run_model(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    attempt.advance("Executing", {})
    arn = attempt.role.call("sagemaker", "CreateModel", ModelName=attempt.name, **arguments)["ModelArn"]
    return StepResult({"Model": {"Arn": arn}}, {**arguments, "ModelName": attempt.name, "ModelArn": arn})


def _run_register(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    attempt.advance("Executing", {})
    generated = {**arguments.get("MetadataProperties", {}), "GeneratedBy": attempt.execution_arn}
    request = {**arguments, "MetadataProperties": generated}
    group = request.get("ModelPackageGroupName")
    if group:
        _ensure_group(attempt, str(group))
    arn = attempt.role.call("sagemaker", "CreateModelPackage", **request)["ModelPackageArn"]
    return StepResult({"RegisterModel": {"Arn": arn}}, {**request, "ModelPackageArn": arn})


def _ensure_group(attempt: Attempt, group: str) -> None:
    """Make the package group where it is absent; two executions may both try, and one gets the error that it exists."""
    if attempt.resources.exists(PACKAGE_GROUP, group.rsplit("/", 1)[-1]):
        return
    try:
        attempt.role.call("sagemaker", "CreateModelPackageGroup", ModelPackageGroupName=group)
    except StepFailedError as error:
        if "already exists" not in error.reason:
            raise


def _run_condition(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    attempt.advance("Executing", {})
    outcome = str(all_true(arguments["Conditions"], attempt.scope))
    return StepResult({"Condition": {"Outcome": outcome}}, {"Outcome": outcome})


def _run_fail(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    message = str(arguments["ErrorMessage"])
    metadata = {"Fail": {"ErrorMessage": message}}
    attempt.advance("Executing", metadata)
    raise StepFailedError(message, metadata=metadata)


def _run_lambda(attempt: Attempt, arguments: dict[str, Any]) -> StepResult:
    arn = arguments["FunctionArn"]
    payload = json.dumps(arguments["Payload"]).encode()
    metadata: dict[str, Any] = {"Lambda": {"Arn": arn, "OutputParameters": []}}
    attempt.advance("Executing", metadata)
    answer = attempt.role.call("lambda", "Invoke", FunctionName=arn, Payload=payload)
    text = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise StepFailedError(f"ClientError: The function {arn} failed: {text}", metadata=metadata)
    outputs = _outputs(attempt.step, text)
    listed = [{"Name": name, "Value": spelled(value)} for name, value in outputs.items()]
    return StepResult({"Lambda": {"Arn": arn, "OutputParameters": listed}}, {"OutputParameters": outputs})


def _outputs(step: Step, text: str) -> dict[str, Any]:
    """Return the declared outputs of a function's answer, each of its declared type."""
    declared = {output["OutputName"]: output["OutputType"] for output in step.fields.get("OutputParameters") or []}
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    outputs = {}
    for name, kind in declared.items():
        value: Any = document.get(name) if isinstance(document, Mapping) else None
        if not _is_a(kind, value) or len(spelled(value)) > _MOST_OUTPUT:
            raise ExpressionError(f"the function's answer has no output '{name}' of type {kind}")
        outputs[name] = value
    return outputs


def _is_a(kind: str, value: Any) -> bool:
    types: dict[str, type | tuple[type, ...]] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}
    return isinstance(value, types[kind]) and (kind == "Boolean" or not isinstance(value, bool))


_RUNNERS: dict[str, Callable[[Attempt, dict[str, Any]], StepResult]] = {
    "Model": _run_model,
    "RegisterModel": _run_register,
    "Condition": _run_condition,
    "Fail": _run_fail,
    "Lambda": _run_lambda,
}
