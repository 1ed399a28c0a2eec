"""What a worker works on: its instance, by the metadata file, and what the instance's tags ask for."""

import json
import os
import re
from typing import NamedTuple

from signalbox_snapshot.errors import SnapshotError

_DOMAINS = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_DOMAIN = "amazonaws.com"
_ARN = r"arn:(aws[a-z-]*):sagemaker:([a-z0-9-]+):(\d{12}):notebook-instance/(.+)"


class Instance(NamedTuple):
    """A notebook instance."""

    name: str
    arn: str
    partition: str
    region: str
    account: str

    def endpoint(self, service: str) -> str:
        """Return the address of `s3` or `sagemaker`: what the environment names, else that of the region."""
        named = os.environ.get("AWS_ENDPOINT_URL_" + service.upper()) or os.environ.get("AWS_ENDPOINT_URL")
        host = "api.sagemaker" if service == "sagemaker" else service
        return (named or f"https://{host}.{self.region}.{_DOMAINS.get(self.partition, _DOMAIN)}").rstrip("/")


class Wishes(NamedTuple):
    """What the tags ask for."""

    bucket: str
    prefix: str
    owner: str
    own: bool
    request: "str | None"
    snapshot: "str | None"
    with_secrets: bool
    over_newer: bool
    partial: bool


def instance(metadata: str) -> Instance:
    """Return the instance that the file `metadata` describes; raise SnapshotError where it describes none."""
    try:
        with open(metadata, encoding="utf-8") as file:
            given = json.load(file)
        found = re.fullmatch(_ARN, given["ResourceArn"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{metadata} cannot be read: {error}", "run this on a notebook instance") from error
    if not found:
        raise SnapshotError(f"{given['ResourceArn']} is no notebook instance", "run this on a notebook instance")
    # The name as its owner wrote it; in the ARN it is in small letters.
    return Instance(str(given.get("ResourceName") or found.group(4)), found.group(0), *found.group(1, 2, 3))


def wishes(tags: "dict[str, str]", account: str) -> Wishes:
    """Return what the tags ask for; raise SnapshotError for tags that ask for nothing that can be done."""
    bucket = tags.get("ebs-backup-bucket", "").strip()
    if bucket.startswith("s3://"):
        bucket = bucket[len("s3://") :].rstrip("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        said = f"its tag ebs-backup-bucket names no bucket: {bucket}" if bucket else "it has no tag ebs-backup-bucket"
        raise SnapshotError(
            said, "give the instance the tag ebs-backup-bucket with the name of a bucket, and start it again"
        )
    owner = tags.get("snapshot-owner") or account
    if not re.fullmatch(r"\d{12}", owner):
        raise SnapshotError(
            f"its tag snapshot-owner is no account: {owner}", "give it the 12 digits of the bucket's account"
        )
    return Wishes(
        bucket=bucket,
        prefix=_prefix(tags.get("snapshot-prefix", "")),
        owner=owner,
        own=owner == account,
        request=_identifier(tags, "snapshot-request"),
        snapshot=_identifier(tags, "backup-snapshot"),
        with_secrets=_consent(tags, "snapshot-secrets", "include"),
        over_newer=_consent(tags, "snapshot-overwrite", "newer"),
        partial=_consent(tags, "snapshot-partial", "restore"),
    )


def _prefix(text: str) -> str:
    parts = [part for part in text.split("/") if part]
    if {".", ".."} & set(parts):
        raise SnapshotError(f"its tag snapshot-prefix is no prefix: {text}", "give it a prefix such as people/ana")
    return "/".join(parts) + "/" if parts else ""


def _identifier(tags: "dict[str, str]", name: str) -> "str | None":
    text = tags.get(name, "").strip().rstrip("/")
    if "/" in text:
        raise SnapshotError(f"its tag {name} has a slash: {text}", f"give {name} one name, without a slash")
    return text or None


def _consent(tags: "dict[str, str]", name: str, word: str) -> bool:
    value = tags.get(name, "").strip()
    if value not in {"", word}:
        raise SnapshotError(f"its tag {name} is {value}", f"give {name} the value {word}, or remove it")
    return value == word
