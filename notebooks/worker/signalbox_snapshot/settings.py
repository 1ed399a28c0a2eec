"""What a worker works on: its instance or space, by the metadata file, and what the tags of that ask for."""

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
_ARN = r"(arn:(aws[a-z-]*):sagemaker:([a-z0-9-]+):(\d{12}):)(notebook-instance|app)/(.+)"
_ADVICE = "run this on a notebook instance, or in a space of Studio"


class Instance(NamedTuple):
    """A notebook instance, or a space of Studio: `name` is what the keys of the bucket have, `domain.name` of a space.

    An instance's name has no dot, so no space is taken for one.
    """

    name: str
    arn: str
    partition: str
    region: str
    account: str

    @property
    def kind(self) -> str:
        """Return what it is, in a word."""
        return "space" if ":space/" in self.arn else "instance"

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
    folder: "str | None" = None


def instance(metadata: str) -> Instance:
    """Return what the file `metadata` describes; raise SnapshotError where that is neither an instance nor a space."""
    try:
        with open(metadata, encoding="utf-8") as file:
            given = json.load(file)
        found = re.fullmatch(_ARN, given["ResourceArn"])
        place = (given.get("DomainId"), given.get("SpaceName"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{metadata} cannot be read: {error}", _ADVICE) from error
    is_app = found is not None and found.group(5) == "app"
    if not found or (is_app and not all(place)):
        raise SnapshotError(f"{given['ResourceArn']} is neither a notebook instance nor of a space", _ADVICE)
    if is_app:
        return Instance(".".join(place), _space(found.group(1), found.group(6), place), *found.group(2, 3, 4))
    # The name as its owner wrote it; in the ARN it is in small letters.
    return Instance(str(given.get("ResourceName") or found.group(6)), found.group(0), *found.group(2, 3, 4))


def _space(start: str, app: str, place: "tuple[str, str]") -> str:
    """Return the ARN of an app's space, with the spelling that the app's own ARN has, which may be in small letters."""
    own = "/".join(app.split("/")[:2])
    named = "/".join(place)
    return start + "space/" + (own if own.lower() == named.lower() else named)


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
        folder=_folder(tags),
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


def _folder(tags: "dict[str, str]") -> "str | None":
    name = _identifier(tags, "snapshot-folder")
    if name in {".", ".."}:
        raise SnapshotError(f"its tag snapshot-folder is no name: {name}", "give snapshot-folder a name, such as ana-1")
    return name


def _consent(tags: "dict[str, str]", name: str, word: str) -> bool:
    value = tags.get(name, "").strip()
    if value not in {"", word}:
        raise SnapshotError(f"its tag {name} is {value}", f"give {name} the value {word}, or remove it")
    return value == word
