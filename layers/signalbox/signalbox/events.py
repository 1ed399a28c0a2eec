"""Typed readings of the events that Signalbox is sent by EventBridge.

Each reading takes the members it needs, says which one is missing, and ignores what it does not know. Shapes: Amazon
SageMaker AI Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge"; Amazon S3 User Guide,
"EventBridge event message structure" and "CloudTrail log file entries for Amazon S3". A sample of each is in `events/`.

Events come late, twice and out of order. A reading therefore only says what happened to which thing; whoever acts on
it asks the service for the present state first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_CLOUDTRAIL = "AWS API Call via CloudTrail"
_OBJECT_CREATED = "Object Created"
_EXECUTION_CHANGED = "SageMaker Model Building Pipeline Execution Status Change"
_PACKAGE_CHANGED = "SageMaker Model Package State Change"
# The calls that end in a new object. An upload in parts never calls PutObject.
UPLOAD_CALLS = frozenset({"PutObject", "CompleteMultipartUpload", "CopyObject"})
# `CompletedWithFailures` came later than the others (botocore, enum PipelineExecutionStatus).
FINAL_STATUSES = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


class EventError(Exception):
    """An event does not have the shape that its reading needs; the message names the member."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}: correct the rule that sends such events, or the reading in signalbox.events")


class RefusedCallError(EventError):
    """A data event of a call that S3 refused: nothing was uploaded."""


@dataclass(frozen=True)
class ObjectUploaded:
    """An object was put, copied or completed; what the event does not tell is None.

    `size` is in bytes. `key` is as it is: EventBridge does not URL-encode keys, unlike S3's own notifications.
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

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Return the upload in either of S3's event shapes.

        Raises:
            RefusedCallError: S3 refused the call (`errorCode`).
            EventError: it is another kind of event, or a member is missing.
        """
        kind = _text(event, "detail-type")
        if kind == _OBJECT_CREATED:
            return cls._read_native(event)
        if kind == _CLOUDTRAIL:
            return cls._read_cloudtrail(event)
        raise EventError(f"'detail-type' is {kind!r}, not {_OBJECT_CREATED!r} or {_CLOUDTRAIL!r}")

    @classmethod
    def _read_native(cls, event: Mapping[str, Any]) -> Self:
        size = _member(event, "detail", "object", "size")
        if not isinstance(size, int):
            raise EventError(f"'detail.object.size' is {size!r}, not a whole number")
        return cls(
            bucket=_text(event, "detail", "bucket", "name"),
            key=_text(event, "detail", "object", "key"),
            version=_optional(event, "detail", "object", "version-id"),
            etag=_text(event, "detail", "object", "etag"),
            sequencer=_optional(event, "detail", "object", "sequencer"),
            size=size,
            call=_optional(event, "detail", "reason") or "PutObject",
            event_id=_text(event, "id"),
            time=_text(event, "time"),
        )

    @classmethod
    def _read_cloudtrail(cls, event: Mapping[str, Any]) -> Self:
        call = _text(event, "detail", "eventName")
        if call not in UPLOAD_CALLS:
            raise EventError(f"'detail.eventName' is {call!r}, which uploads nothing")
        refused = _optional(event, "detail", "errorCode")
        if refused is not None:
            raise RefusedCallError(f"{call} was refused with {refused}")
        return cls(
            bucket=_text(event, "detail", "requestParameters", "bucketName"),
            key=_text(event, "detail", "requestParameters", "key"),
            version=_optional(event, "detail", "responseElements", "x-amz-version-id")
            or _optional(event, "detail", "additionalEventData", "x-amz-version-id"),
            etag=None,
            sequencer=None,
            size=None,
            call=call,
            event_id=_text(event, "id"),
            time=_text(event, "time"),
        )


@dataclass(frozen=True)
class ExecutionChange:
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
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, or a member is missing.
        """
        _expect(event, _EXECUTION_CHANGED)
        arn = _text(event, "detail", "pipelineArn")
        _, found, pipeline = arn.rpartition(":pipeline/")
        if not found or not pipeline:
            raise EventError(f"'detail.pipelineArn' is {arn!r}, not the ARN of a pipeline")
        return cls(
            pipeline=pipeline,
            execution_arn=_text(event, "detail", "pipelineExecutionArn"),
            status=_text(event, "detail", "currentPipelineExecutionStatus"),
            event_id=_text(event, "id"),
            time=_text(event, "time"),
        )


@dataclass(frozen=True)
class ModelPackageChange:
    """A version of a model package group was made or changed.

    `status` is the approval status at that time, repeated by every change. `updated_fields` names what changed; None,
    where SageMaker does not say (a new package). `changed_at` is the time of the change as SageMaker writes it; `time`
    is that of the event, which is later, and differs between its repetitions.
    """

    arn: str
    group: str
    version: int
    status: str
    updated_fields: tuple[str, ...] | None
    changed_at: str
    event_id: str
    time: str

    @property
    def about_approval(self) -> bool:
        """Say whether the approval status may have changed: it is named, or nothing is."""
        return self.updated_fields is None or "ModelApprovalStatus" in self.updated_fields

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, a member is missing, or the package is of no group.
        """
        _expect(event, _PACKAGE_CHANGED)
        version = _member(event, "detail", "ModelPackageVersion")
        if not isinstance(version, int):
            raise EventError(f"'detail.ModelPackageVersion' is {version!r}, not a whole number")
        fields = event["detail"].get("UpdatedModelPackageFields")
        if fields is not None and not isinstance(fields, list):
            raise EventError(f"'detail.UpdatedModelPackageFields' is {fields!r}, not a list")
        return cls(
            arn=_text(event, "detail", "ModelPackageArn"),
            group=_text(event, "detail", "ModelPackageGroupName"),
            version=version,
            status=_text(event, "detail", "ModelApprovalStatus"),
            updated_fields=None if fields is None else tuple(str(field) for field in fields),
            changed_at=str(event["detail"].get("LastModifiedTime") or _text(event, "time")),
            event_id=_text(event, "id"),
            time=_text(event, "time"),
        )


def _expect(event: Mapping[str, Any], kind: str) -> None:
    found = _text(event, "detail-type")
    if found != kind:
        raise EventError(f"'detail-type' is {found!r}, not {kind!r}")


def _member(event: Mapping[str, Any], *path: str) -> Any:
    """Return the member at `path`; EventError with its dotted name if there is none."""
    value: Any = event
    for depth, name in enumerate(path, start=1):
        if not isinstance(value, Mapping) or value.get(name) is None:
            raise EventError(f"the event has no member {'.'.join(path[:depth])!r}")
        value = value[name]
    return value


def _text(event: Mapping[str, Any], *path: str) -> str:
    value = _member(event, *path)
    if not isinstance(value, str) or not value:
        raise EventError(f"{'.'.join(path)!r} is {value!r}, not a text")
    return value


def _optional(event: Mapping[str, Any], *path: str) -> str | None:
    """Return the text at `path`, or None: CloudTrail writes null for a whole group that a call does not have."""
    value: Any = event
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None
