"""Step Functions' service integrations, made as the machine's role: as requests, or checked before."""

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError

from sagemaker_local import ministack
from sagemaker_local.access import RoleAccess
from sagemaker_local.asl.services import boto_name
from sagemaker_local.core.shapes import service_model
from sagemaker_local.ministack import TaskError, states

if TYPE_CHECKING:
    from botocore.model import Shape

# The Java SDK's names, by which Step Functions prefixes errors (its Developer Guide, supported AWS services).
_PREFIX = {
    "sagemaker": "SageMaker",
    "dynamodb": "DynamoDb",
    "cloudwatch": "CloudWatch",
    "events": "EventBridge",
    "stepfunctions": "Sfn",
}
# Optimized integrations have names of their own for some (same guide, "Integrating optimized services").
_OPTIMISED_PREFIX = {"dynamodb": "DynamoDB", "sqs": "SQS", "sns": "SNS"}
# Where these take a text, a task may give any JSON value, which is sent as its text.
_TEXTS = {"sqs": "MessageBody", "sns": "Message"}
_SYNC = {f"create{kind}": kind for kind in ("TrainingJob", "TransformJob", "ProcessingJob")}
_MANAGED = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
_POLL_SECONDS = 0.3


class Integrations:
    """The calls of state machines."""

    def __init__(self, access: RoleAccess, account: str, region: str) -> None:
        self._access = access
        self._account = account
        self._region = region

    def makes(self, resource: str) -> bool:
        """Tell whether this class makes the call itself: every aws-sdk call, and those of five services."""
        return bool(re.match(r"arn:aws:states:::(aws-sdk|sagemaker|dynamodb|sqs|sns|events):", resource))

    def make(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Make a call as the machine's role and return its answer as Step Functions does.

        Raises:
            TaskError: with the error name of Step Functions.
        """
        *_, service, action = resource.split(":")
        optimised = "aws-sdk:" not in resource
        action, _, pattern = action.partition(".")
        if pattern == "sync":
            return self._run_job(action, arguments)
        if optimised and service == "events":
            return self._put_events(action, arguments)
        if optimised and service in _TEXTS:
            arguments = _with_text(arguments, _TEXTS[service])
        return self._call(boto_name(service) or service, action, arguments, optimised=optimised)

    def require(self, resource: str, arguments: Mapping[str, Any]) -> None:
        """Check a call that ministack makes itself against the machine's role.

        Raises:
            TaskError: the role may not make it.
        """
        for action, target in self._needs(resource, arguments):
            self._require(action, target)

    def stop(self, execution: str) -> None:
        """Stop an execution as the machine's role.

        Raises:
            TaskError: the role may not, or the execution has ended.
        """
        self._call("stepfunctions", "stopExecution", {"executionArn": execution}, optimised=True)

    def _needs(self, resource: str, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
        if "lambda:invoke" in resource:
            return [("lambda:InvokeFunction", arguments["FunctionName"])]
        if "states:startExecution" in resource:
            machine = arguments["StateMachineArn"]
            needs = [("states:StartExecution", machine)]
            return needs + self._sync_needs("StepFunctionsExecution") if ".sync" in resource else needs
        return []

    def _sync_needs(self, kind: str) -> list[tuple[str, str]]:
        """Return what `.sync` needs to get the event of the end (Developer Guide, connect-sagemaker)."""
        rule = f"arn:aws:events:{self._region}:{self._account}:rule/StepFunctionsGetEventsFor{kind}Rule"
        return [(f"events:{verb}", rule) for verb in ("PutTargets", "PutRule", "DescribeRule")]

    def _job_arn(self, kind: str, name: str) -> str:
        place = f"{kind.removesuffix('Job').lower()}-job/{name}"
        return f"arn:aws:sagemaker:{self._region}:{self._account}:{place}"

    def _role(self) -> tuple[str, str]:
        machine = states._state_machines[ministack.running_machine.get()]
        return machine["roleArn"], machine["name"]

    def _require(self, action: str, target: str) -> None:
        key = ministack.credentials(*self._role())["AWS_ACCESS_KEY_ID"]
        sentence = ministack.refusal(key, action, target, self._region)
        if sentence is not None:
            raise TaskError("States.TaskFailed", sentence)

    def _call(self, service: str, action: str, arguments: dict[str, Any], *, optimised: bool) -> Any:
        client: Any = self._access.client(service, *self._role())
        operation = action[0].upper() + action[1:]
        method = next((name for name, api in client.meta.method_to_api_mapping.items() if api == operation), None)
        if method is None:
            raise TaskError("States.Runtime", f"{service} has no operation {operation}")
        try:
            answer = getattr(client, method)(**arguments)
        except ParamValidationError as error:
            raise TaskError("States.Runtime", str(error)) from error
        except ClientError as error:
            raise TaskError(_error_name(service, error, optimised=optimised), str(error)) from error
        answer.pop("ResponseMetadata", None)
        return json.loads(json.dumps(answer, default=_plain))

    def _put_events(self, action: str, arguments: dict[str, Any]) -> Any:
        """Put events with the execution and the machine among their resources; one that is not taken fails the task.

        Developer Guide, "Send events to EventBridge".
        """
        own = [ministack.running_execution.get(), ministack.running_machine.get()]
        entries = [
            {**_with_text(entry, "Detail"), "Resources": [*entry.get("Resources", []), *own]}
            for entry in arguments.get("Entries", [])
        ]
        answer = self._call("events", action, {**arguments, "Entries": entries}, optimised=True)
        if answer["FailedEntryCount"]:
            raise TaskError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    def _run_job(self, action: str, arguments: dict[str, Any]) -> Any:
        kind = _SYNC.get(action)
        if kind is None:
            raise TaskError("States.Runtime", f"sagemaker:{action}.sync is not emulated here")
        for need in self._sync_needs(f"SageMaker{kind}s"):
            self._require(*need)
        # The Developer Guide's policies for SageMaker's jobs list it (connect-sagemaker).
        self._require("sagemaker:ListTags", self._job_arn(kind, arguments[f"{kind}Name"]))
        tags = [*arguments.get("Tags", []), _MANAGED]
        self._call("sagemaker", action, {**arguments, "Tags": tags}, optimised=True)
        name = {f"{kind}Name": arguments[f"{kind}Name"]}
        while True:
            job = self._call("sagemaker", f"describe{kind}", name, optimised=True)
            status = job[f"{kind}Status"]
            if status == "Completed":
                return job
            if status in ("Failed", "Stopped"):
                raise TaskError("States.TaskFailed", json.dumps(job))
            time.sleep(_POLL_SECONDS)


def _error_name(service: str, error: ClientError, *, optimised: bool) -> str:
    """Return Step Functions' name of an error: the Java SDK's class, or the service's base for one without a class."""
    code = error.response["Error"]["Code"]
    prefix = _PREFIX.get(service, service.capitalize())
    prefix = _OPTIMISED_PREFIX.get(service, prefix) if optimised else prefix
    shapes = service_model(service).error_shapes
    name = next((shape.name for shape in shapes if code in (shape.name, _code_of(shape))), None)
    if name is None:
        base = f"Amazon{prefix}Exception" if optimised else f"{prefix}Exception"
        return f"{prefix}.{base}"
    return f"{prefix}.{name if name.endswith('Exception') else name + 'Exception'}"


def _code_of(shape: "Shape") -> str | None:
    """Return the code of an error's shape where it has one besides its name."""
    code: str | None = shape.metadata.get("error", {}).get("code")
    return code


def _with_text(arguments: dict[str, Any], member: str) -> dict[str, Any]:
    """Return arguments whose member is a text: the JSON of what it was, where it was none."""
    value = arguments.get(member)
    return arguments if value is None or isinstance(value, str) else {**arguments, member: json.dumps(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
