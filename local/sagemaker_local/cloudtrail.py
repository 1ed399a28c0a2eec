"""CloudTrail: trails with S3 data events, and the `AWS API Call via CloudTrail` events that they put on the bus."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagemaker_local import ministack, ministack_trails, trail_checks, trail_identity


@dataclass(frozen=True)
class S3Call:
    """One object-level call of S3, as CloudTrail sees it."""

    name: str
    bucket: str
    key: str
    read_only: bool
    parameters: Mapping[str, str]
    status: int
    version: str | None = None


# What a classic selector has where it does not say so (API reference, EventSelector).
_EVERY_MANAGEMENT_EVENT: dict[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
# Calls about a part of an object, by the query that names the part: their names end in it (CloudTrail User Guide,
# "Amazon S3 object-level actions tracked by CloudTrail logging").
_PARTS = {"acl": "Acl", "tagging": "Tagging", "retention": "Retention", "legal-hold": "LegalHold", "torrent": "Torrent"}
_VERBS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_MULTIPART = {
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "GET": "ListParts",
    "DELETE": "AbortMultipartUpload",
}
_POSTS = {"uploads": "CreateMultipartUpload", "restore": "RestoreObject", "select": "SelectObjectContent"}


def read_call(request: ministack.S3Request, status: int, version: str | None) -> S3Call | None:
    """Return the object-level call in a path-style S3 request; None for anything else."""
    method, query, headers = request.method, request.query, request.headers
    bucket, _, key = request.path.lstrip("/").partition("/")
    # A browser posts its form to the bucket, and the key is a field of it (API reference, PostObject).
    key = key or request.form.get("key", "").replace("${filename}", request.form.get("file", ""))
    if not key:
        return None
    extra: dict[str, str] = {}
    if "x-amz-copy-source" in headers:
        extra["x-amz-copy-source"] = headers["x-amz-copy-source"]
    if "uploadId" in query:
        extra["uploadId"] = str(query["uploadId"][0])
    name = _name(method, query, copies=bool(headers.get("x-amz-copy-source")))
    return S3Call(name, bucket, key, method in ("GET", "HEAD"), extra, status, version)


def _name(method: str, query: Mapping[str, Any], *, copies: bool) -> str:
    part = next((_PARTS[name] for name in query if name in _PARTS), "")
    if part:
        return f"{_VERBS.get(method, method)}{part}"
    if "uploadId" in query:
        return "UploadPartCopy" if copies else _MULTIPART.get(method, method)
    if method == "POST":
        return next((_POSTS[name] for name in query if name in _POSTS), "PostObject")
    return "CopyObject" if copies else _VERBS.get(method, method)


@dataclass
class Trails:
    """The trails of the account."""

    account: str
    region: str

    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> ministack.CreatedResource:
        """Make a trail from a template's properties.

        Raises:
            TrailError: the policy of the bucket or of the key does not let CloudTrail write, or a selector is not one.
        """
        name = properties.get("TrailName") or f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
        arn = self._arn(name)
        trail_checks.check(properties, arn)
        selectors = properties.get("AdvancedEventSelectors") or [
            {**_EVERY_MANAGEMENT_EVENT, **selector} for selector in properties.get("EventSelectors", [])
        ]
        ministack_trails.put_trail(self._shape(name, arn, properties), selectors)
        return name, {"Arn": arn, "SnsTopicArn": ""}

    def update(self, name: str, _old: dict[str, Any], new: dict[str, Any], stack: str) -> ministack.CreatedResource:
        """Replace a trail's properties; a refusal leaves it as it was."""
        return self.create(name, {**new, "TrailName": name}, stack)

    def delete(self, name: str, _properties: dict[str, Any]) -> None:
        """Forget a trail."""
        ministack_trails.forget_trail(name)

    def check(self, operation: str, request: dict[str, Any]) -> tuple[str, str] | None:
        """Return code and message of what CloudTrail's API would refuse about a trail that is made by it."""
        try:
            if operation == "PutEventSelectors":
                trail_checks.check_selectors(request)
            elif request.get("S3BucketName"):
                given = {**request, "KMSKeyId": request.get("KmsKeyId")}
                trail_checks.check(given, self._arn(str(request.get("Name")).rpartition("/")[2]))
        except trail_checks.TrailError as error:
            return error.code, error.message
        return None

    def record(self, call: S3Call, principal: str) -> None:
        """Put an event on the bus for each trail that selects the call; one event however many select it."""
        if any(_selects(selector, call) for selector in ministack_trails.logging_selectors()):
            ministack.put_event("aws.s3", "AWS API Call via CloudTrail", [], self._detail(call, principal))

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudtrail:{self.region}:{self.account}:trail/{name}"

    def _shape(self, name: str, arn: str, properties: dict[str, Any]) -> dict[str, Any]:
        """Return a template's trail as its API describes it."""
        chosen = any(properties.get(member) for member in ("EventSelectors", "AdvancedEventSelectors"))
        return {
            "Name": name,
            "TrailARN": arn,
            "HomeRegion": self.region,
            "S3BucketName": properties["S3BucketName"],
            "S3KeyPrefix": properties.get("S3KeyPrefix", ""),
            "IncludeGlobalServiceEvents": _is_true(properties.get("IncludeGlobalServiceEvents", True)),
            "IsMultiRegionTrail": _is_true(properties.get("IsMultiRegionTrail", False)),
            "IsOrganizationTrail": _is_true(properties.get("IsOrganizationTrail", False)),
            "LogFileValidationEnabled": _is_true(properties.get("EnableLogFileValidation", False)),
            "HasCustomEventSelectors": chosen,
            "HasInsightSelectors": False,
            "IsLogging": _is_true(properties.get("IsLogging", True)),
            **({"KmsKeyId": properties["KMSKeyId"]} if properties.get("KMSKeyId") else {}),
        }

    def _detail(self, call: S3Call, principal: str) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        host = f"{call.bucket}.s3.{self.region}.amazonaws.com"
        detail = {
            "eventVersion": "1.11",
            "userIdentity": trail_identity.of(principal),
            "eventTime": now,
            "eventSource": "s3.amazonaws.com",
            "eventName": call.name,
            "awsRegion": self.region,
            "sourceIPAddress": "127.0.0.1",
            "requestParameters": {"bucketName": call.bucket, "Host": host, "key": call.key, **call.parameters},
            "responseElements": {"x-amz-version-id": call.version} if call.version else None,
            "additionalEventData": {"SignatureVersion": "SigV4"},
            "requestID": uuid.uuid4().hex[:16].upper(),
            "eventID": str(uuid.uuid4()),
            "readOnly": call.read_only,
            "resources": [
                {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{call.bucket}/{call.key}"},
                {"accountId": self.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{call.bucket}"},
            ],
            "eventType": "AwsApiCall",
            "managementEvent": False,
            "recipientAccountId": self.account,
            "eventCategory": "Data",
        }
        if call.status >= 400:  # noqa: PLR2004  # an HTTP client error
            detail["errorCode"] = {403: "AccessDenied", 404: "NoSuchKey"}.get(call.status, "Error")
            detail["errorMessage"] = "Access Denied" if call.status == 403 else "the call failed"  # noqa: PLR2004
        return detail


def _is_true(value: Any) -> bool:
    """Read a template's boolean, which may have come as a text."""
    return str(value).lower() == "true"


def _selects(selector: Mapping[str, Any], call: S3Call) -> bool:
    return _selects_by_fields(selector, call) if "FieldSelectors" in selector else _selects_by_type(selector, call)


def _selects_by_type(selector: Mapping[str, Any], call: S3Call) -> bool:
    """Tell whether a classic selector selects a call: by reading or writing, and by the beginnings of ARNs."""
    if selector["ReadWriteType"] not in ("All", "ReadOnly" if call.read_only else "WriteOnly"):
        return False
    objects = [data for data in selector["DataResources"] if data["Type"] == "AWS::S3::Object"]
    arn = f"arn:aws:s3:::{call.bucket}/{call.key}"
    return any(arn.startswith(tuple(data.get("Values", []))) for data in objects)


def _selects_by_fields(selector: Mapping[str, Any], call: S3Call) -> bool:
    values = {
        "eventCategory": "Data",
        "eventName": call.name,
        "readOnly": str(call.read_only).lower(),
        "resources.ARN": f"arn:aws:s3:::{call.bucket}/{call.key}",
        "resources.type": "AWS::S3::Object",
        "eventSource": "s3.amazonaws.com",
    }
    return all(_meets(values.get(condition["Field"], ""), condition) for condition in selector["FieldSelectors"])


def _meets(value: str, condition: Mapping[str, Any]) -> bool:
    checks = {
        "Equals": lambda options: value in options,
        "NotEquals": lambda options: value not in options,
        "StartsWith": lambda options: value.startswith(tuple(options)),
        "NotStartsWith": lambda options: not value.startswith(tuple(options)),
        "EndsWith": lambda options: value.endswith(tuple(options)),
        "NotEndsWith": lambda options: not value.endswith(tuple(options)),
    }
    return all(checks[name](options) for name, options in condition.items() if name != "Field")
