"""Policies of buckets and keys: what they let a service or a role do."""

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from sagemaker_local import ministack
from sagemaker_local.ministack import buckets, evaluator, keys


def bucket_policy(bucket: str) -> str:
    """Return a bucket's policy as text; empty where it has none."""
    return _text(buckets._bucket_policies.get(bucket) or "")


def encrypt_bucket(bucket: str, algorithm: str, key: str, *, bucket_key: bool) -> None:
    """Set a bucket's default encryption, as PutBucketEncryption does."""
    named = f"<KMSMasterKeyID>{escape(key)}</KMSMasterKeyID>" if key else ""
    default = f"<SSEAlgorithm>{escape(algorithm)}</SSEAlgorithm>{named}"
    rule = (
        f"<ApplyServerSideEncryptionByDefault>{default}</ApplyServerSideEncryptionByDefault>"
        f"<BucketKeyEnabled>{str(bucket_key).lower()}</BucketKeyEnabled>"
    )
    document = f"<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>"
    buckets._put_bucket_encryption(bucket, document.encode())


def has_bucket_key(bucket: str) -> bool:
    """Tell whether a bucket's default encryption uses an S3 Bucket Key."""
    return "<BucketKeyEnabled>true</BucketKeyEnabled>" in str(buckets._bucket_encryption.get(bucket) or "")


def key_policy(key: str) -> str | None:
    """Return the policy of a KMS key (its ARN, id or alias) as text; None where there is no such key."""
    found = keys.key_policy_for_arn(key)
    return None if found is None else str(found[0])


def lets_service(policy: str, service: str, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Tell whether a resource's policy lets a service of AWS do `action`, in a request with this context."""
    account, region = ministack.scope()
    asked = evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context={name.lower(): value for name, value in context.items()},
    )
    return bool(evaluator.evaluate_resource_policy(policy, asked, service).decision == "Allow")


def _text(document: object) -> str:
    return document if isinstance(document, str) else json.dumps(document)
