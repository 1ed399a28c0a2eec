"""What CreateTrail refuses: policies of the bucket and of the key that do not let CloudTrail do what it does."""

import json
from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import ministack_policies, trail_checks

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/mine"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
TRAIL = {"S3BucketName": "logs", "KMSKeyId": KEY}
WITH_BUCKET_KEY, WITHOUT = True, False


def allow(action: str, resource: str = "*", service: str = "cloudtrail.amazonaws.com", **conditions: str) -> Any:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return statement | ({"Condition": {"StringEquals": conditions}} if conditions else {})


ASKS = allow("s3:GetBucketAcl", "arn:aws:s3:::logs", **{"aws:SourceArn": ARN})
WRITES = allow(
    "s3:PutObject", f"arn:aws:s3:::logs/AWSLogs/{ACCOUNT}/*", **{"s3:x-amz-acl": "bucket-owner-full-control"}
)
ENCRYPTS, DESCRIBES = allow("kms:GenerateDataKey*", **{"aws:SourceArn": ARN}), allow("kms:DescribeKey")
DECRYPTS = allow("kms:Decrypt", **{"aws:SourceArn": ARN})
PLAINTEXT = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
PLAINTEXT["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}  # type: ignore[assignment]  # the others are texts


def given(monkeypatch: pytest.MonkeyPatch, bucket: list[Any], key: list[Any] | None, bucket_key: bool) -> None:
    monkeypatch.setattr(ministack_policies, "bucket_policy", lambda _: json.dumps({"Statement": bucket}))
    found = None if key is None else json.dumps({"Statement": key})
    monkeypatch.setattr(ministack_policies, "key_policy", lambda name: found if name == KEY else None)
    monkeypatch.setattr(ministack_policies, "has_bucket_key", lambda _: bucket_key)


@pytest.mark.parametrize(
    ("bucket", "key", "bucket_key"),
    [
        ([PLAINTEXT, ASKS, WRITES], [ENCRYPTS, DESCRIBES, DECRYPTS], WITH_BUCKET_KEY),
        ([ASKS, WRITES], [ENCRYPTS, DESCRIBES], WITHOUT),
        ([allow("s3:*")], [allow("kms:*")], WITH_BUCKET_KEY),
    ],
)
def test_a_trail_that_may_do_all_it_does_is_made(
    monkeypatch: pytest.MonkeyPatch, bucket: list[Any], key: list[Any], bucket_key: bool
) -> None:
    given(monkeypatch, bucket, key, bucket_key)
    trail_checks.check(TRAIL, ARN)


@pytest.mark.parametrize(
    ("key", "bucket_key", "refused"),
    [
        ([ENCRYPTS, DESCRIBES], WITH_BUCKET_KEY, "InsufficientEncryptionPolicyException: .*kms:Decrypt"),
        ([ENCRYPTS, DECRYPTS], WITHOUT, "InsufficientEncryptionPolicyException: .*kms:DescribeKey"),
        ([DESCRIBES, DECRYPTS], WITHOUT, "InsufficientEncryptionPolicyException: .*kms:GenerateDataKey"),
        (
            [allow("kms:*", **{"aws:SourceArn": ARN.replace("mine", "other")})],
            WITHOUT,
            "InsufficientEncryptionPolicyException",
        ),
        ([allow("kms:*", service="s3.amazonaws.com")], WITHOUT, "InsufficientEncryptionPolicyException"),
        (None, WITHOUT, "KmsKeyNotFoundException"),
    ],
)
def test_a_key_that_cloudtrail_may_not_use_makes_no_trail(
    monkeypatch: pytest.MonkeyPatch, key: list[Any] | None, bucket_key: bool, refused: str
) -> None:
    given(monkeypatch, [ASKS, WRITES], key, bucket_key)
    with pytest.raises(trail_checks.TrailError, match=refused):
        trail_checks.check(TRAIL, ARN)


@pytest.mark.parametrize(
    ("bucket", "action"),
    [
        ([WRITES], "s3:GetBucketAcl"),
        ([ASKS], "s3:PutObject"),
        ([ASKS, allow("s3:PutObject", "arn:aws:s3:::logs/AWSLogs/999999999999/*")], "s3:PutObject"),
        ([allow("s3:*"), {**allow("s3:PutObject"), "Effect": "Deny"}], "s3:PutObject"),
    ],
)
def test_a_bucket_that_cloudtrail_may_not_write_to_makes_no_trail(
    monkeypatch: pytest.MonkeyPatch, bucket: list[Any], action: str
) -> None:
    given(monkeypatch, bucket, None, WITHOUT)
    with pytest.raises(trail_checks.TrailError, match=f"InsufficientS3BucketPolicyException: .*{action}"):
        trail_checks.check({"S3BucketName": "logs"}, ARN)


def test_a_trail_with_a_prefix_writes_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    below = allow("s3:PutObject", f"arn:aws:s3:::logs/trails/AWSLogs/{ACCOUNT}/*")
    given(monkeypatch, [ASKS, below], None, WITHOUT)
    trail_checks.check({"S3BucketName": "logs", "S3KeyPrefix": "trails"}, ARN)
    with pytest.raises(trail_checks.TrailError):
        trail_checks.check({"S3BucketName": "logs"}, ARN)
