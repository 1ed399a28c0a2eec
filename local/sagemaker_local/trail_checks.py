"""What CloudTrail asks of a trail before it makes it: policies of its bucket and of its key, and its selectors."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_local import ministack_policies

_SERVICE = "cloudtrail.amazonaws.com"
_OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
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
    if "EventSelectors" in properties:
        raise TrailError(
            "InvalidEventSelectorsException", "EventSelectors are not emulated: use AdvancedEventSelectors"
        )
    for selector in properties.get("AdvancedEventSelectors", []):
        _check_selector(selector["FieldSelectors"])


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
