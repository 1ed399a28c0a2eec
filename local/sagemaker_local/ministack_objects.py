"""What ministack 1.5.33 does otherwise than S3: objects that S3's own KMS key encrypts, and the keys in its answers."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from sagemaker_local import ministack
from sagemaker_local.ministack import buckets, keys

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_ALIAS = "alias/aws/s3"
# What XML 1.0 has no place for, and the carriage return, which a parser would read as another line's end.
_NO_XML = {number: f"&#x{number:x};" for number in (*range(9), 11, 12, *range(13, 32), 0xFFFE, 0xFFFF)}
_NAMES = ("Key", "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")


def encrypt_by_the_managed_key() -> None:
    """Gap: a write with `aws:kms` and no key is refused; S3 takes its own key for it, aws/s3.

    API reference, PutObject: the header without a key id means the AWS managed key, whatever the bucket's default is.
    """
    resolve = buckets._resolve_sse_write_headers

    def resolved(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
            headers = {**headers, _KEY: _managed_key()}
        return resolve(headers, bucket)

    buckets._resolve_sse_write_headers = resolved


def _managed_key() -> str:
    """Return the ARN of the account's aws/s3 key, which is made when it is first used, as on AWS."""
    found = keys._resolve_key(_ALIAS)
    if found is None:
        account, region = ministack.scope()
        condition = {"kms:CallerAccount": account, "kms:ViaService": f"s3.{region}.amazonaws.com"}
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": condition},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        words = "Default key that protects my S3 objects when no other key is defined"
        _, _, body = keys._create_key({"Description": words, "Policy": policy})
        keys._create_alias({"AliasName": _ALIAS, "TargetKeyId": json.loads(body)["KeyMetadata"]["KeyId"]})
        found = keys._resolve_key(_ALIAS)
    return str(found["Arn"])


def tell_every_key() -> None:
    """Gap: a key with a control character spoils every answer, and the list of versions knows no encoding of keys.

    S3 encodes keys on demand (API reference, ListObjectVersions, "encoding-type"), and writes such a character as a
    character reference otherwise, which most parsers of XML 1.0 refuse.
    """
    listed, body = buckets._list_object_versions, buckets._xml_body
    encoded: ContextVar[bool] = ContextVar("encoded", default=False)

    def versions(bucket: str, query: Mapping[str, Any]) -> Any:
        before = encoded.set(buckets._qp(query, "encoding-type", "") == "url")
        try:
            return listed(bucket, query)
        finally:
            encoded.reset(before)

    def written(root: Any) -> bytes:
        if encoded.get():
            for element in root.iter():
                if element.tag in _NAMES and element.text:
                    element.text = quote(element.text, safe="/")
            kind = root.makeelement("EncodingType", {})
            kind.text = "url"
            root.append(kind)
        text: bytes = body(root)
        return text.decode("utf-8").translate(_NO_XML).encode("utf-8")

    buckets._list_object_versions, buckets._xml_body = versions, written
