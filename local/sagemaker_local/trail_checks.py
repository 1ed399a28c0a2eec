"""What CloudTrail asks of a trail before it makes it: policies of its bucket and of its key, and its selectors."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_local import ministack_policies

_SERVICE = "cloudtrail.amazonaws.com"
_OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
# API reference, EventSelector and DataResource; five selectors and 250 data resources are quotas of a trail.
_READ_WRITE = ("All", "ReadOnly", "WriteOnly")
_CLASSIC_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")
_OBJECTS = re.compile(r"arn:[^:]+:s3(:::([^/]+/.*)?)?", re.DOTALL)
_MOST_SELECTORS = 5
_MOST_VALUES = 250
# API reference, AdvancedFieldSelector: the fields that data events may be selected by.
_FIELDS = (
    "eventCategory",
    "eventName",
    "readOnly",
    "resources.ARN",
    "resources.type",
    "eventSource",
    "userIdentity.arn",
)


class TrailError(Exception):
    """A trail that CloudTrail would refuse."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def check(properties: Mapping[str, Any], arn: str) -> None:
    """Hold a trail's properties against what CreateTrail and UpdateTrail ask.

    Raises:
        TrailError: with the code of CloudTrail's own exception.
    """
    _, _, _, _, account, _ = arn.split(":", 5)
    source = {"aws:SourceArn": arn, "aws:SourceAccount": account}
    bucket = properties["S3BucketName"]
    prefix = f"{properties['S3KeyPrefix']}/" if properties.get("S3KeyPrefix") else ""
    _check_bucket(bucket, f"{prefix}AWSLogs/{account}/CloudTrail/log", source)
    if properties.get("KMSKeyId"):
        _check_key(properties["KMSKeyId"], bucket, source)
    check_selectors(properties)


def check_selectors(properties: Mapping[str, Any]) -> None:
    """Hold a trail's selectors against what PutEventSelectors asks: classic ones or advanced ones.

    Raises:
        TrailError: InvalidEventSelectorsException.
    """
    classic, advanced = properties.get("EventSelectors", []), properties.get("AdvancedEventSelectors", [])
    if classic and advanced:
        raise _not_selectors(
            "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both."
        )
    if len(classic) > _MOST_SELECTORS:
        raise _not_selectors(f"Specify a valid number of selectors (1 to {_MOST_SELECTORS}) for your trail")
    for selector in advanced:
        _check_selector(selector["FieldSelectors"])
    for selector in classic:
        _check_classic(selector)
    if sum(len(data.get("Values", [])) for one in classic for data in one.get("DataResources", [])) > _MOST_VALUES:
        raise _not_selectors(f"All selectors together have at most {_MOST_VALUES} data resources.")


def _not_selectors(message: str) -> TrailError:
    return TrailError("InvalidEventSelectorsException", message)


def _check_classic(selector: Mapping[str, Any]) -> None:
    """Refuse what the API reference does not have (EventSelector, DataResource).

    The ARN of a bucket without a slash would select nothing: "To log data events for all objects in all S3 buckets,
    specify the prefix as arn:aws:s3", and "as arn:aws:s3:::bucket-1/" for those of one.
    """
    if selector.get("ReadWriteType", "All") not in _READ_WRITE:
        raise _not_selectors(f"ReadWriteType is one of {', '.join(_READ_WRITE)}, not {selector['ReadWriteType']}.")
    for data in selector.get("DataResources", []):
        if data.get("Type") not in _CLASSIC_TYPES:
            raise _not_selectors(
                f"Type of DataResources is one of {', '.join(_CLASSIC_TYPES)}, not {data.get('Type')}."
            )
        for value in data.get("Values", []) if data["Type"] == "AWS::S3::Object" else []:
            if not _OBJECTS.fullmatch(value):
                raise _not_selectors(f"Value {value} for DataResources.Values is invalid.")


def _check_bucket(bucket: str, log: str, source: Mapping[str, str]) -> None:
    """Ask the bucket's policy (CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail")."""
    policy, place = ministack_policies.bucket_policy(bucket), f"arn:aws:s3:::{bucket}"
    owner = {**source, "s3:x-amz-acl": "bucket-owner-full-control"}
    for action, resource, context in (
        ("s3:GetBucketAcl", place, source),
        ("s3:PutObject", f"{place}/{log}", owner),
    ):
        if not ministack_policies.lets_service(policy, _SERVICE, action, resource, context):
            raise TrailError(
                "InsufficientS3BucketPolicyException",
                f"Incorrect S3 bucket policy is detected for bucket: {bucket} (it does not let CloudTrail do {action})",
            )


def _check_key(key: str, bucket: str, source: Mapping[str, str]) -> None:
    policy = ministack_policies.key_policy(key)
    if policy is None:
        raise TrailError("KmsKeyNotFoundException", f"KMS key not found: {key}")
    for action in _key_actions(bucket):
        if not ministack_policies.lets_service(policy, _SERVICE, action, key, source):
            raise TrailError(
                "InsufficientEncryptionPolicyException",
                f"Insufficient permissions to access S3 bucket {bucket} or KMS key {key} (no {action} for CloudTrail)",
            )


def _key_actions(bucket: str) -> Iterator[str]:
    """Yield what CloudTrail does with the key (its User Guide, "Configure AWS KMS key policies for CloudTrail").

    Required elements: encrypt; describe; and decrypt, where the trail goes into a bucket with an S3 Bucket Key.
    """
    yield from ("kms:GenerateDataKey", "kms:DescribeKey")
    if ministack_policies.has_bucket_key(bucket):
        yield "kms:Decrypt"


def _check_selector(conditions: list[Mapping[str, Any]]) -> None:
    for condition in conditions:
        _check_condition(condition)
    if {"Field": "eventCategory", "Equals": ["Data"]} in conditions and not any(
        condition["Field"] == "resources.type" for condition in conditions
    ):
        raise TrailError("InvalidEventSelectorsException", "a selector of data events needs resources.type")


def _check_condition(condition: Mapping[str, Any]) -> None:
    operators = [name for name in condition if name != "Field"]
    if condition.get("Field") not in _FIELDS or not operators or set(operators) - set(_OPERATORS):
        raise TrailError("InvalidEventSelectorsException", f"{dict(condition)} is not a field selector of data events")
