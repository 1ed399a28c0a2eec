"""What a change of a package's approval in the model registry sets going: a review, a release or a rollback.

The event only says that something changed; the registry is read again before anything is done. SageMaker sends events
late, twice and out of order, so what is started is named after the change itself (package, status, time of the
change): the second start of the same name is refused, and that refusal is the proof that it was done before.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.events import ModelPackageChange

# (package ARN, approved, by, at) → answered | already | none: what became of the package's open reviews.
AnswerReviews = Callable[[str, bool, str, str], str]


class PackageUnknownError(Exception):
    """The event names a package that the registry does not have, or cannot tell of now."""

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(f"{package} could not be read from the registry ({reason}): replay the event if it exists")


@dataclass(frozen=True)
class Registered:
    """A package as the registry has it now: its approval status, who made it, and who changed it last."""

    status: str
    generated_by: str = ""
    changed_by: str = "the model registry"


class RegistryReader(Protocol):
    """The model registry."""

    def read(self, package: str) -> Registered:
        """Return the package.

        Raises:
            PackageUnknownError: it cannot be read.
        """


class Executions(Protocol):
    """The state machines."""

    def start(self, machine: str, name: str, machine_input: Mapping[str, str]) -> bool:
        """Start an execution; False if one of this name was started before."""


@dataclass(frozen=True)
class Desk:
    """The ports of the rule, and the machines it starts."""

    prefix: str
    mlops_machine: str
    release_machine: str
    registry: RegistryReader
    executions: Executions
    answer_reviews: AnswerReviews


def on_model_package(event: Mapping[str, Any], desk: Desk) -> dict[str, str]:
    """Return `{"outcome", "package", "status"}` of one model package event.

    Outcomes: `ignored` (no change of the approval, not one of our groups, or a package of the machine's own),
    `review-started`, `release-started`, `rollback-started`, `review-answered` (a waiting machine goes on),
    `done-before` (nothing was left to do).

    Raises:
        EventError: the event does not parse.
        PackageUnknownError: the package cannot be read.
    """
    change = ModelPackageChange.read(event)
    if not change.about_approval or not change.group.startswith(f"{desk.prefix}-"):
        return {"outcome": "ignored", "package": change.arn, "status": change.status}
    found = desk.registry.read(change.arn)
    # The time of the change orders releases; the event's own time is later, and differs between its repetitions.
    at = str(event["detail"].get("LastModifiedTime") or change.time)
    act = {"Approved": _approved, "Rejected": _rejected}.get(found.status, _pending)
    return {"outcome": act(change, found, at, desk), "package": change.arn, "status": found.status}


def _pending(change: ModelPackageChange, found: Registered, at: str, desk: Desk) -> str:  # noqa: ARG001  # as its peers
    """Take a package that waits for its approval through the machine, unless the machine itself registered it."""
    if found.generated_by.startswith(desk.mlops_machine.replace(":stateMachine:", ":execution:") + ":"):
        return "ignored"
    name = names.execution("review", change.group, str(change.version))
    started = desk.executions.start(desk.mlops_machine, name, {"package": change.arn})
    return "review-started" if started else "done-before"


def _approved(change: ModelPackageChange, found: Registered, at: str, desk: Desk) -> str:
    answer = desk.answer_reviews(change.arn, True, found.changed_by, at)
    if answer == "answered":
        return "review-answered"
    # "already": the package's machine carries on by itself.
    return _release("approved", change, at, desk) if answer == "none" else "done-before"


def _rejected(change: ModelPackageChange, found: Registered, at: str, desk: Desk) -> str:
    """Answer what is open, and look at the stages in every case: one of them may serve the package already."""
    desk.answer_reviews(change.arn, False, found.changed_by, at)
    return _release("rejected", change, at, desk)


def _release(because: str, change: ModelPackageChange, at: str, desk: Desk) -> str:
    name = names.execution("release", change.group, str(change.version), because, at)
    machine_input = {
        "model": names.model_of_group(desk.prefix, change.group),
        "package": change.arn,
        "because": because,
        "requested_at": at,
    }
    if not desk.executions.start(desk.release_machine, name, machine_input):
        return "done-before"
    return "release-started" if because == "approved" else "rollback-started"


class SageMakerRegistryReader:
    """The model registry over boto3."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def read(self, package: str) -> Registered:
        """Return the package.

        Raises:
            PackageUnknownError: it cannot be read.
        """
        try:
            found = self._sagemaker.describe_model_package(ModelPackageName=package)
        except ClientError as error:
            raise PackageUnknownError(package, error.response["Error"].get("Message", str(error))) from error
        by = found.get("LastModifiedBy") or found.get("CreatedBy") or {}
        who = by.get("UserProfileName") or by.get("IamIdentity", {}).get("Arn") or Registered.changed_by
        return Registered(found["ModelApprovalStatus"], found.get("MetadataProperties", {}).get("GeneratedBy", ""), who)


class StepFunctionsExecutions:
    """The state machines over boto3."""

    def __init__(self, stepfunctions: Any) -> None:
        self._stepfunctions = stepfunctions

    def start(self, machine: str, name: str, machine_input: Mapping[str, str]) -> bool:
        """Start an execution; False if one of this name was started before.

        Step Functions keeps a name for 90 days; while the execution runs, the same name and input is no error either.
        """
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=machine, name=name, input=json.dumps(machine_input, sort_keys=True)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            return False
        return True
