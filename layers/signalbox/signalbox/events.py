"""Typed readings of the events that Signalbox is sent by EventBridge.

Each reading takes the members it needs, says which one is missing, and ignores what it does not know. Shapes: Amazon
SageMaker AI Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge"; Amazon S3 User Guide,
"EventBridge event message structure" and "CloudTrail log file entries for Amazon S3"; AWS Systems Manager User Guide,
"EventBridge event patterns and types". A sample of each is in `events/`.

Events come late, twice and out of order. A reading therefore only says what happened to which thing; whoever acts on
it asks the service for the present state first.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import unquote, unquote_plus

from signalbox.reading import Fields, shown

_CLOUDTRAIL = "AWS API Call via CloudTrail"
_OBJECT_CREATED = "Object Created"
_EXECUTION_CHANGED = "SageMaker Model Building Pipeline Execution Status Change"
_PARAMETER_CHANGED = "Parameter Store Change"
_PACKAGE_CHANGED = "SageMaker Model Package State Change"
_MACHINE_CHANGED = "Step Functions Execution Status Change"
# The calls that end in a new object. An upload in parts never calls PutObject, nor does the form of a browser (Amazon
# S3 User Guide, "Amazon S3 object-level actions tracked by CloudTrail logging").
UPLOAD_CALLS = ("PutObject", "PostObject", "CompleteMultipartUpload", "CopyObject")
# `CompletedWithFailures` came later than the others (botocore, enum PipelineExecutionStatus).
FINAL_STATUSES = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


class EventError(Exception):
    """An event does not have the shape that its reading needs; the message names the member."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Correct the rule that sends such events, or the reading in signalbox.events")


class RefusedCallError(EventError):
    """A data event of a call that S3 refused: nothing was uploaded."""


class ObjectUploaded(NamedTuple):
    """An object was put, copied or completed; what the event does not tell is None.

    `size` is in bytes. `key` is as the event writes it: EventBridge does not URL-encode keys, unlike S3's own
    notifications. AWS does not say whether CloudTrail does; `other_keys` are what its key may mean else, the most
    likely first. `by` is who made the call, as CloudTrail knows them: the end of their ARN (`user/ann`,
    `assumed-role/Uploader/ann`), or the account; S3's own event has only an account, so it is "".
    """

    bucket: str
    key: str
    version: str | None
    etag: str | None
    sequencer: str | None
    size: int | None
    call: str
    event_id: str
    time: str
    other_keys: tuple[str, ...] = ()
    by: str = ""

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the upload in either of S3's event shapes.

        Raises:
            RefusedCallError: S3 refused the call (`errorCode`).
            EventError: it is another kind of event, or a member is missing.
        """
        fields = Fields(event, EventError)
        native = fields.choice("detail-type", (_OBJECT_CREATED, _CLOUDTRAIL)) == _OBJECT_CREATED
        return cls._read_native(fields) if native else cls._read_cloudtrail(fields)

    @classmethod
    def _read_native(cls, event: Fields) -> Self:
        detail, stored = event.inside("detail"), event.inside("detail", "object")
        return cls(
            bucket=event.inside("detail", "bucket").text("name"),
            key=stored.text("key"),
            version=stored.optional("version-id"),
            etag=stored.text("etag"),
            sequencer=stored.optional("sequencer"),
            size=stored.whole("size"),
            call=detail.optional("reason") or "PutObject",
            event_id=event.text("id"),
            time=event.text("time"),
        )

    @classmethod
    def _read_cloudtrail(cls, event: Fields) -> Self:
        detail = event.inside("detail")
        call = detail.text("eventName")
        if call not in UPLOAD_CALLS:
            problem = f"is {shown(call)}, which uploads nothing: calls that upload are {', '.join(UPLOAD_CALLS)}"
            raise detail.refuse("eventName", problem)
        if refused := detail.optional("errorCode"):
            raise RefusedCallError(f"{call} was refused with {refused}")
        bucket = detail.inside("requestParameters").text("bucketName")
        key, *others = _trailed_keys(detail, bucket)
        return cls(
            bucket=bucket,
            key=key,
            version=_trailed_version(detail),
            etag=None,
            sequencer=None,
            size=None,
            call=call,
            event_id=event.text("id"),
            time=event.text("time"),
            other_keys=tuple(others),
            by=_caller(detail),
        )


class ExecutionChange(NamedTuple):
    """A pipeline execution changed its status (Executing, Succeeded, Failed, Stopping, Stopped, …)."""

    pipeline: str
    execution_arn: str
    status: str
    event_id: str
    time: str

    @property
    def final(self) -> bool:
        """Say whether the execution is over."""
        return self.status in FINAL_STATUSES

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, or a member is missing.
        """
        fields = Fields(event, EventError)
        fields.choice("detail-type", (_EXECUTION_CHANGED,))
        detail = fields.inside("detail")
        return cls(
            pipeline=detail.text("pipelineArn", ".*:pipeline/.+", "the ARN of a pipeline").rpartition(":pipeline/")[2],
            execution_arn=detail.text("pipelineExecutionArn"),
            status=detail.text("currentPipelineExecutionStatus"),
            event_id=fields.text("id"),
            time=fields.text("time"),
        )


class ModelPackageChange(NamedTuple):
    """A version of a model package group was made or changed.

    `status` is the approval status at that time, repeated by every change, and `state` how far the package's creation
    had come. `updated_fields` names what changed; it is empty where SageMaker names nothing, which is a new package:
    whether the field is absent, null or an empty list, SageMaker's documents do not say. `changed_at` is the time of
    the change as SageMaker writes it; `time` is that of the event, which is later, and differs between its repetitions.
    """

    arn: str
    group: str
    version: int
    status: str
    state: str
    updated_fields: tuple[str, ...]
    changed_at: str
    event_id: str
    time: str

    @property
    def about_approval(self) -> bool:
        """Say whether the approval status may have changed: it is named, or nothing is.

        A change of the life-cycle stage names `ModelLifeCycle` alone: its `StageStatus` "Approved" is no approval.
        """
        return not self.updated_fields or "ModelApprovalStatus" in self.updated_fields

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, a member is missing, or the package is of no group.
        """
        fields = Fields(event, EventError)
        fields.choice("detail-type", (_PACKAGE_CHANGED,))
        detail = fields.inside("detail")
        return cls(
            arn=detail.text("ModelPackageArn"),
            group=detail.text("ModelPackageGroupName"),
            version=detail.whole("ModelPackageVersion"),
            status=detail.text("ModelApprovalStatus"),
            state=detail.text("ModelPackageStatus"),
            updated_fields=detail.texts("UpdatedModelPackageFields"),
            changed_at=detail.scalar("LastModifiedTime") if "LastModifiedTime" in detail else fields.text("time"),
            event_id=fields.text("id"),
            time=fields.text("time"),
        )


class MachineStopped(NamedTuple):
    """An execution of a state machine was stopped (`ABORTED`) or ran out of time (`TIMED_OUT`).

    `input` is "" where the event was too large to bring it (over 248 KiB), and so are `model`, `package`, `image` and
    `trigger`, which are read from it. `error` and `cause` are the words of whoever stopped it.
    """

    machine_arn: str
    execution_arn: str
    name: str
    status: str
    input: str
    model: str
    package: str
    image: str
    trigger: str
    error: str
    cause: str

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, or a member is missing.
        """
        fields = Fields(event, EventError)
        fields.choice("detail-type", (_MACHINE_CHANGED,))
        detail = fields.inside("detail")
        given = detail.optional("input") or ""
        known = _parsed(given)
        return cls(
            machine_arn=detail.text("stateMachineArn"),
            execution_arn=detail.text("executionArn"),
            name=detail.text("name"),
            status=detail.choice("status", ("ABORTED", "TIMED_OUT")),
            input=given,
            **{name: str(known.get(name) or "") for name in ("model", "package", "image", "trigger")},
            error=detail.optional("error") or "",
            cause=detail.optional("cause") or "",
        )


def changed_parameter(event: Mapping[str, object]) -> str:
    """Return the name of a parameter that was made, changed or deleted. Raises EventError for any other event."""
    fields = Fields(event, EventError)
    fields.choice("detail-type", (_PARAMETER_CHANGED,))
    return fields.inside("detail").text("name")


def _parsed(text: str) -> Mapping[str, object]:
    """Return the object in a text; an empty one for every other text."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _trailed_keys(detail: Fields, bucket: str) -> list[str]:
    """Return what the object's key may be, each once: as it is written, then URL-decoded in both ways.

    The key of a browser's form is a field of the form, which CloudTrail may not list among the request's parameters:
    the object's ARN has it, too.
    """
    place = f":s3:::{bucket}/"
    arns = (
        (entry.optional("ARN") or "" for entry in detail.objects("resources", (0, 100)))
        if "resources" in detail
        else ()
    )
    named = [arn.partition(place)[2] for arn in arns if place in arn]
    written = detail.inside("requestParameters").optional("key")
    keys = [key for key in (written, *named) if key] or [detail.inside("requestParameters").text("key")]
    return list(dict.fromkeys([*keys, *map(unquote, keys), *map(unquote_plus, keys)]))


def _caller(detail: Fields) -> str:
    """Return who made the call; "" where it is not said, or not in a form that is known: that costs no upload.

    A caller of another account has no ARN, and a service has only its name (AWS CloudTrail User Guide, "CloudTrail
    userIdentity element").
    """
    try:
        identity = detail.inside("userIdentity")
        arn, account = identity.optional("arn") or "", identity.optional("accountId") or ""
        named = arn.split(":", 5)[-1] or identity.optional("userName") or identity.optional("invokedBy")
        ours = account in ("", detail.optional("recipientAccountId"))
    except EventError:
        return ""
    place = f"account {account}" if account and not (ours and named) else ""
    return " of ".join(part for part in (named, place) if part)


def _trailed_version(detail: Fields) -> str | None:
    """Return the version that CloudTrail tells; it writes null for a whole group that a call does not have."""
    groups = (detail.object(name) for name in ("responseElements", "additionalEventData") if name in detail)
    return next((version for group in groups if (version := group.optional("x-amz-version-id"))), None)
